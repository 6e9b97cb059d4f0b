"""`python -m tests.search.determinism --runs 100`: the same plan shows the same, a different plan
does not. Every run is a process of its own, with a hash seed of its own or (each fourth) seed 0."""

import argparse
import json
import os
import subprocess
import sys
from collections import Counter, defaultdict
from concurrent.futures import ThreadPoolExecutor

from tests.search.scenarios import CASES, shown

# aiokafka keeps brokers in a set of tuples with a None in them, whose hash is an address in memory
# before Python 3.12: which of several nodes it asks first is then another in each process.
BY_ADDRESS = ("acks=1", "acks=all") if sys.version_info < (3, 12) else ()


def one(number):
    """Everything that one fresh process shows: (its hash seed, case -> what was shown)."""
    seed = 0 if number % 4 == 0 else number
    line = [sys.executable, "-m", "tests.search.determinism", "--once"]
    found = subprocess.run(
        line, env={**os.environ, "PYTHONHASHSEED": str(seed)}, check=True, capture_output=True,
    )  # fmt: skip
    return seed, json.loads(found.stdout)


def told(runs):
    """Lines about all runs, and whether everything is as it must be."""
    shows, orders = defaultdict(Counter), defaultdict(set)
    for seed, cases in runs:
        for name, (verdict, digest, raw) in cases.items():
            shows[name][verdict, digest] += 1
            if seed == 0:
                orders[name].add(raw)
    good, lines = True, []
    for name, seen in shows.items():
        (verdict, digest), count = seen.most_common(1)[0]
        good = good and len(seen) == 1 and (len(orders[name]) == 1 or name in BY_ADDRESS)
        lines.append(
            f"{name:16} {count}/{len(runs)} same digest and verdict; raw order under hash seed 0: "
            f"{len(orders[name])} kind(s); {digest[:12]} {verdict}"
        )
    digests = {next(iter(seen))[1] for seen in shows.values()}
    lines.append(f"{len(digests)} different digests of {len(shows)} different cases")
    return lines, good and len(digests) == len(shows)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--runs", type=int, default=100)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--once", action="store_true")
    given = parser.parse_args()
    if given.once:
        print(json.dumps({name: shown(name) for name in CASES}))
        return 0
    with ThreadPoolExecutor(given.jobs) as pool:
        lines, good = told(list(pool.map(one, range(given.runs))))
    print("\n".join(lines))
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
