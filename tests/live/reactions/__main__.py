"""Run the table of reactions and write its page:

    python -m tests.live.reactions [--long] [--only WORDS] [--times N] [--embedded-only]
    (make reactions ARGS=--long)

`--long` adds the rows that wait for the clients' own time-outs (some minutes more). `--only`
runs the rows whose name has these words and prints them; the page is then left as it is. Real
Kafka needs Java, as the `process` broker does. The exit status is 1 if a row differs.
"""

from __future__ import annotations

import argparse
import sys
from concurrent.futures import ProcessPoolExecutor
from importlib.metadata import version
from multiprocessing import get_context

from tests.live.reactions import beyond
from tests.live.reactions.case import EMBEDDED, REAL
from tests.live.reactions.page import PAGE, page
from tests.live.reactions.table import CASES, run

CLIENTS = ("aiokafka", "confluent-kafka", "kafka-python")


def asked(argv):
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.live.reactions")
    parser.add_argument("--long", action="store_true")
    parser.add_argument("--only", default="")
    parser.add_argument("--times", type=int, default=1)
    parser.add_argument("--embedded-only", action="store_true")
    return parser.parse_args(argv)


def jobs_for(cases, kinds):
    """(kind, keys): the regular rows in one go; of those that wait for long, each client's."""
    parts = [[case.key for case in cases if not case.long]]
    waiting = [case for case in cases if case.long]
    clients = sorted({case.client for case in waiting})
    parts += [[case.key for case in waiting if case.client == client] for client in clients]
    return [(kind, keys) for kind in kinds for keys in parts if keys]


def together(jobs, times):
    """Each (kind, keys) in a process of its own: what they wait for are mostly time-outs."""
    with ProcessPoolExecutor(len(jobs), mp_context=get_context("spawn")) as pool:
        running = [(kind, pool.submit(run, kind, keys, times)) for kind, keys in jobs]
        return [(kind, *future.result()) for kind, future in running]


def main(argv):
    """Run, tell, write."""
    given = asked(argv)
    cases = [case for case in CASES if given.only in case.key and (given.long or not case.long)]
    kinds = (EMBEDDED,) if given.embedded_only else (EMBEDDED, REAL)
    jobs = jobs_for(cases, kinds)
    outcomes = {case.key: {} for case in cases}
    versions = {f"{name} {version(name)}": None for name in CLIENTS}
    for kind, seen, made_by in together(jobs, given.times):
        versions[made_by] = None
        for key, found in seen.items():
            outcomes[key][kind] = found
    rows = [(case, outcomes[case.key]) for case in cases]
    if not given.only and not given.embedded_only:
        text = page(rows, ", ".join(versions), [(row.row, row.why) for row in beyond.ROWS])
        PAGE.write_text(text, encoding="utf-8")
    differ = [
        case.key for case, found in rows
        if any(one not in case.expected for some in found.values() for one in some)
    ]  # fmt: skip
    print(f"{len(rows)} rows, {len(differ)} differ", *differ, sep="\n")
    return 1 if differ else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
