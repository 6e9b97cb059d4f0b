"""The table of reactions, row by row: on the embedded cluster (`wide`), on real Kafka (`live`)."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pytest_mqchaos import ChaosBroker, Plan, UsageError
from pytest_mqchaos.plan.check import check
from tests.live.reactions import beyond
from tests.live.reactions.case import EMBEDDED, REAL, TEN, series, shape
from tests.live.reactions.in_flight import arranged
from tests.live.reactions.page import PAGE, page
from tests.live.reactions.producers import without_confirms
from tests.live.reactions.table import CASES, outcome


def of(kind):
    """The regular rows of one kind of broker."""
    these = [case for case in CASES if kind in case.brokers and not case.long]
    return pytest.mark.parametrize("case", these, ids=[case.key for case in these])


@pytest.fixture(scope="module")
def embedded():
    with ChaosBroker("kafka", EMBEDDED) as broker:
        yield broker


@pytest.fixture(scope="module")
def real(kafka_installed):
    with ChaosBroker("kafka", REAL) as broker:
        yield broker


@pytest.mark.wide
@of(EMBEDDED)
def test_on_the_embedded_cluster(embedded, case):
    assert outcome(embedded, case) in case.expected


@pytest.mark.live
@of(REAL)
def test_on_real_kafka(real, case):
    assert outcome(real, case) in case.expected


def test_every_row_has_a_name_of_its_own_and_a_rule_that_can_be_armed():
    keys = [case.key for case in CASES]
    assert len(set(keys)) == len(keys)
    for case in CASES:
        rows = check(Plan(*case.rules), "kafka", ("Killable", "Pausable"))
        assert len(rows) == len(case.rules)


@pytest.mark.parametrize("row", [row for row in beyond.ROWS if row.rule], ids=lambda row: row.rule)
def test_what_no_rule_says_is_refused(row):
    with pytest.raises(UsageError, match=r"^on\."):
        check(Plan.from_text(f"Plan({row.rule})"), "kafka")


def test_the_words_for_a_log():
    assert series([*TEN[:3], *TEN[2:]]) == "1..3 3..10"
    assert series(["p1", "p2", "p4", "p3"]) == "1 2 4 3"
    assert series([]) == ""
    assert shape(TEN) == "every one, in order"
    assert shape([*TEN[1:], TEN[1]]) == "1 missing, copies, in order"
    assert shape([*TEN[1:], TEN[0]]) == "every one, another order"
    assert arranged(TEN) == "in order"
    assert arranged([*TEN, "p3"]) == "in order, 3 twice"
    assert arranged(["p1", "p2", *TEN[3:], "p3"]) == "3 behind later ones"
    assert arranged(["p2", *TEN, "p2"]) == "another order, several twice"
    assert arranged(TEN[1:]) == "2..10"
    assert without_confirms(["p1", "p2", *TEN[4:]]).startswith("3 (and some")
    assert without_confirms(TEN) == "every one, in order"
    assert without_confirms(["p1", *TEN[2:]]) == "2 missing, in order"


def made(case, **seen):
    return page([(case, {EMBEDDED: [case.expected[0]], REAL: ["hell"]} | seen)], "these", [])


def test_the_page_says_where_a_row_differs():
    case = next(case for case in CASES if case.brokers == (EMBEDDED, REAL) and not case.why)
    alike = made(case, **{REAL: [case.expected[0]]})
    assert "embedded cluster: 1 of 1 that ran; on real Kafka: 1 of 1." in alike
    assert "| = | = | same |" in alike
    other = made(case)
    assert "embedded cluster: 1 of 1 that ran; on real Kafka: 0 of 1." in other
    assert "| = | hell | **different** |" in other
    assert "| = | hell | chance |" in made(replace(case, expected=(case.expected[0], "hell")))
    assert "| = | not run | same |" in made(case, **{REAL: []})


def test_clients_that_agree_share_a_line_of_the_page():
    these = [case for case in CASES if case.name == CASES[0].name]
    text = page([(case, {EMBEDDED: [case.expected[0]]}) for case in these], "these", [])
    assert "| aiokafka, confluent, kafka-python: plain, idempotent |" in text
    assert text.count(CASES[0].name) == 1


def test_the_page_in_the_docs_has_every_row():
    """Whoever changes a row makes the page again: make reactions ARGS=--long."""
    text = PAGE.read_text(encoding="utf-8")
    for case in CASES:
        assert f"| {case.name} |" in text, case.key
        assert case.rule in text, case.key
    for row in beyond.ROWS:
        assert row.row in text
    assert "| not run" not in text
    assert "**different**" not in text.split("## ", 2)[2]
