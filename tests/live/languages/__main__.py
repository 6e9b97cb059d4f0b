"""Services in Go, Java and Node under faults, on the embedded cluster and on real Kafka:

    python -m tests.live.languages [--only WORDS] [--kind embedded|process] [--processes 2]

Needs Go, a JDK with Maven, Node with npm. Writes docs/reference/languages.md if all was run. The
exit status is 1 if a cell came otherwise than it has to.
"""

from __future__ import annotations

import argparse
import sys
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

from pytest_mqchaos.brokers.kafka_jars import KAFKA_VERSION
from tests.live.languages.page import PAGE, page
from tests.live.languages.running import Cells, run
from tests.live.languages.services import MAKERS

KINDS = ("embedded", "process")


def asked(argv: list[str]) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.live.languages")
    parser.add_argument("--only", default="", help="of the clients and scenes with this in a name")
    parser.add_argument("--kind", choices=KINDS)
    parser.add_argument("--processes", type=int, default=2)
    return parser.parse_args(argv)


def main(argv: list[str]) -> int:
    """Build, run, tell, write."""
    given = asked(argv)
    services = [service for make in MAKERS for service in make()]
    kinds = (given.kind,) if given.kind else KINDS
    cells: Cells = {}
    with ProcessPoolExecutor(given.processes, mp_context=get_context("spawn")) as pool:
        jobs = [pool.submit(run, kind, one, given.only) for kind in kinds for one in services]
        for job in jobs:
            cells |= job.result()
    wrong = [key for key, said in cells.items() if said]
    print(f"{len(cells)} cells, {len(wrong)} otherwise than they have to be")
    if not given.only and not given.kind:
        versions = list(dict.fromkeys(service.version for service in services))
        PAGE.write_text(page(services, cells, versions, KAFKA_VERSION), encoding="utf-8")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
