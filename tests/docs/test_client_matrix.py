"""The page of the clients lists exactly the cells of the table, with the pinned versions."""

import re

from pytest_mqchaos.brokers.kafka_jars import KAFKA_VERSION
from tests.conformance.matrix import page
from tests.conformance.matrix.cells import CELLS, CLIENTS
from tests.docs.pages import ROOT


def pinned():
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").split()
    return dict(line.split("==") for line in lines)


def test_the_page_is_that_of_the_table():
    told = page.PATH.read_text(encoding="utf-8")
    assert told == page.text(pinned(), KAFKA_VERSION), "run: make clients"
    limited = sum(bool(cell.limit) for cell in CELLS)
    assert len(re.findall(r"\| yes(?= \|)", told)) == len(CELLS) - limited
    assert len(re.findall(r"\]\(#limits\)", told)) == limited > 0
    assert len(CELLS) >= 25 * len(CLIENTS) * 2
