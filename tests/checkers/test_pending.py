"""Records of an output topic behind an open transaction: effects that nobody can read yet."""

import pytest

from pytest_mqchaos.checkers.acked_after_effect import acked_after_effect
from pytest_mqchaos.checkers.causal import causal
from pytest_mqchaos.checkers.evidence.pending import PENDING
from pytest_mqchaos.checkers.exactly_once import exactly_once
from pytest_mqchaos.checkers.idempotent import idempotent
from pytest_mqchaos.checkers.latest import latest
from pytest_mqchaos.checkers.lossless import lossless
from pytest_mqchaos.checkers.ordered import ordered
from pytest_mqchaos.checkers.same_outcome import same_outcome
from tests.checkers.timeline import run

OPEN = "behind the begin of a transaction that nobody has ended"
EVERY = [
    idempotent(),
    exactly_once(),
    ordered(),
    latest(),
    causal(before={"b": "a"}),
    acked_after_effect(),
    same_outcome(baseline={"a": None, "b": None}),
]


def two(*, done=("a", "b")):
    """Two messages of one key, both delivered and acked."""
    line = run().publish("a", key=b"k").publish("b", key=b"k").deliver("a").deliver("b")
    for name in done:
        line.effect(name, key="k")
    return line.ack()


@pytest.mark.parametrize("question", [lossless(), *EVERY])
def test_what_is_there_is_judged_as_ever_where_nothing_is_pending(question):
    assert two().ask(question).status == "passed"


@pytest.mark.parametrize("question", EVERY)
def test_nothing_is_passed_while_more_effects_may_come(question):
    verdict = two().but(pending=frozenset({"b"})).ask(question)
    assert verdict.status == "unknown"
    assert OPEN in verdict.sentence
    assert "transaction.timeout.ms" in verdict.missing


@pytest.mark.parametrize(
    "question", [lossless(), *(one for one in EVERY if one is not EVERY[0])]
)  # fmt: skip
def test_what_is_not_there_yet_is_not_missing(question):
    """Without the open transaction it would be lost, stale, acked too early, gone."""
    verdict = two(done=["a"]).but(pending=frozenset({"b"})).ask(question)
    assert verdict.status == "unknown"
    assert OPEN in " ".join([verdict.sentence, *(finding.text for finding in verdict.findings)])


def test_all_effects_that_are_owed_are_there_whatever_else_may_come():
    assert two().but(pending=frozenset({"a", "b"})).ask(lossless()).status == "passed"


def test_a_part_that_is_not_there_yet_is_not_missing():
    line = run().publish("a").deliver("a").effect("a", part="row").ack()
    both = lossless(parts=["row", "event"])
    assert line.ask(both).status == "failed"
    assert line.but(pending=frozenset({"a"})).ask(both).status == "unknown"


def test_who_stands_before_it_is_told_what_it_waits_for():
    line = run().publish("a").deliver("a").place(0)
    assert OPEN not in line.ask(lossless()).sentence
    verdict = line.but(pending=frozenset({"a"})).ask(lossless())
    assert OPEN in verdict.sentence
    assert "transaction.timeout.ms" in verdict.missing


def test_a_repeat_that_is_there_stays_proven():
    line = two().effect("a", key="k").but(pending=frozenset({"b"}))
    assert line.ask(idempotent()).status == "failed"


def test_a_loss_of_another_message_stays_proven():
    line = two(done=[]).but(pending=frozenset({"b"}))
    verdict = line.ask(lossless())
    assert verdict.status == "failed"
    assert [(f.id, f.what) for f in verdict.findings] == [("a", "lost"), ("b", "waiting")]


def test_what_is_expected_to_have_no_effect_is_no_doubt():
    line = two(done=["a"]).expect(dropped=["b"]).but(pending=frozenset({"b"}))
    assert line.ask(idempotent()).status == "passed"


def test_an_ack_is_told_what_its_message_waits_for():
    verdict = two(done=["a"]).but(pending=frozenset({"b"})).ask(acked_after_effect())
    assert [f.text.endswith(PENDING) for f in verdict.findings] == [True]
