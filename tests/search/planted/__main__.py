"""One line for each planted bug and each correct twin: is it found, does it survive?

python -m tests.search.planted --examples 5000 [NAME ...]
"""

import argparse
import logging
import sys
import warnings

from pytest_mqchaos import plans
from tests.search.planted.pairs import BROKEN, CORRECT
from tests.search.planted.replaying import replayed
from tests.search.planted.searching import search

WITHIN = 500  # examples that a bug may take
MOST = 2  # faults that it may be shrunk to


def verdict(service, examples, nodes):
    """(whether it is as it should be, what was seen)."""
    strategy = plans(nodes=nodes)
    if service in CORRECT:
        seen = search(service, examples, strategy)
        return seen.first is None, seen
    seen = search(service, WITHIN, strategy)
    good = " failed: " in str(seen.error) and 1 <= len(seen.plan.rules) <= MOST
    return good, seen


def main(words=None):
    parser = argparse.ArgumentParser(prog="python -m tests.search.planted")
    parser.add_argument("--examples", type=int, default=WITHIN, help="for each correct twin")
    parser.add_argument("--nodes", type=int, default=None, help="of the cluster: leaders move")
    parser.add_argument("--replay", type=int, metavar="TIMES", help="run each bug's replay line")
    parser.add_argument("names", nargs="*", help="only these services")
    given = parser.parse_args(words)
    logging.disable(logging.CRITICAL)  # a client in trouble says so at length
    warnings.simplefilter("ignore", ResourceWarning)
    wrong = 0
    for service in BROKEN if given.replay else (*BROKEN, *CORRECT):
        if not given.names or service.__name__ in given.names:
            good, seen = asked(service, given)
            wrong += not good
            print(f"{'ok ' if good else 'BAD'} {service.__name__:16} {seen}", flush=True)
    return wrong


def asked(service, given):
    """(whether it is as it should be, what was seen) of one service."""
    if not given.replay:
        return verdict(service, given.examples, given.nodes)
    line, count = replayed(service, given.replay)
    return count == given.replay, f"{count} of {given.replay} failed: {line}"


if __name__ == "__main__":
    sys.exit(main())
