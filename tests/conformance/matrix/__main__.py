"""`python -m tests.conformance.matrix [WORD ...]`: run the cells, write the page if all are well.

Words choose the cells that have all of them in their names; then nothing is written.
"""

from __future__ import annotations

import itertools
import sys
import time
import traceback
from importlib.metadata import version

import pytest

from pytest_mqchaos import ChaosBroker
from pytest_mqchaos.brokers.kafka_jars import KAFKA_VERSION
from pytest_mqchaos.brokers.providers import lacking
from pytest_mqchaos.chaos.config import Config
from tests.conformance.matrix import page
from tests.conformance.matrix.cells import BROKERS, CELLS, CLIENTS, SIZES, Cell, run


def tried(host: ChaosBroker, cell: Cell) -> bool:
    """Run one cell and say how it went."""
    began = time.monotonic()
    try:
        run(host, cell)
    except (Exception, pytest.fail.Exception):  # noqa: BLE001 - the other cells are run all the same
        print(f"RED      {cell}\n{traceback.format_exc()}", flush=True)
        return False
    word = "limited" if cell.limit else "yes"
    print(f"{word:8} {cell} ({time.monotonic() - began:.1f} s)", flush=True)
    return True


def main(words: list[str]) -> int:
    """The exit status: 0 when every chosen cell is as the table says."""
    chosen = [cell for cell in CELLS if all(word in str(cell) for word in words)]
    red = []
    for broker, nodes in itertools.product(BROKERS, SIZES):
        cells = [c for c in chosen if (c.broker, c.feature.nodes) == (broker, nodes)]
        if not cells:
            continue
        reason = lacking("kafka", broker)
        if reason is not None:
            print(f"{len(cells)} cells not run: {reason}")
            red += cells
            continue
        with ChaosBroker("kafka", broker, config=Config(nodes=nodes)) as host:
            red += [cell for cell in cells if not tried(host, cell)]
    print(f"{len(chosen)} cells, {len(red)} red, {sum(bool(c.limit) for c in chosen)} limited")
    if chosen == list(CELLS) and not red:
        versions = {client.package: version(client.package) for client in CLIENTS}
        page.PATH.write_text(page.text(versions, KAFKA_VERSION), encoding="utf-8")
    return 0 if chosen and not red else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
