"""Messages of transactions: what was aborted may have no effect, what was committed must have."""

import pytest

from pytest_mqchaos.checkers.exactly_once import exactly_once
from pytest_mqchaos.checkers.lossless import lossless
from tests.checkers.timeline import MS, run


def aborted(line, *names):
    """Sent in a transaction, handed out to whoever asks for all, and not in the committed log."""
    for name in names:
        line.publish(name, txn="t").deliver(name).lose(name)
    return line


def test_an_effect_of_an_aborted_message_is_unexpected():
    line = aborted(run().publish("a").work("a"), "b").effect("b").ack()
    verdict = line.ask(exactly_once())
    assert verdict.status == "failed"
    assert [(f.id, f.what) for f in verdict.findings] == [("b", "withdrawn")]
    assert "1 effect of messages whose transaction was aborted: b" in verdict.sentence
    assert "read_committed" in verdict.advice
    assert verdict.population["unexpected"] == 1


def test_without_an_effect_nothing_is_wrong_with_it():
    verdict = aborted(run().publish("a").work("a"), "b").ask(exactly_once())
    assert verdict.status == "passed"
    assert verdict.population["confirmed"] == 1


def test_both_kinds_of_the_unexpected_are_told_apart():
    line = aborted(run().publish("a").work("a"), "b").effect("b").effect("stranger").ack()
    verdict = line.ask(exactly_once())
    assert {(f.id, f.what) for f in verdict.findings} == {
        ("b", "withdrawn"), ("stranger", "unexpected")
    }  # fmt: skip


@pytest.mark.parametrize(
    "more",
    [
        {"led_anew": frozenset({("in", 0)})},
        {"starts": {("in", 0): 2}},
    ],
)
def test_what_the_log_cannot_tell_any_more_is_not_held_against_the_effect(more):
    """It may have been committed, and gone since."""
    line = aborted(run().publish("a").work("a"), "b").effect("b").ack()
    assert line.but(**more).ask(exactly_once()).status == "passed"


def test_an_effect_that_no_delivery_led_to_is_somebody_elses_way():
    line = run().publish("a").work("a").publish("b", txn="t", stored=False).effect("b")
    assert line.ask(exactly_once()).status == "passed"


def test_a_committed_message_that_is_gone_is_lost_and_not_withdrawn():
    line = run().publish("a").work("a").publish("b", txn="t").lose("b")
    assert line.ask(lossless()).status == "passed"  # as long as nobody knows of the commit
    seq = line.attempts[-1].seq
    verdict = line.but(committed={seq: MS * 9}, starts={("in", 0): 2}).ask(lossless())
    assert verdict.status == "failed"
    assert [(f.id, f.where) for f in verdict.findings] == [("b", "stored then gone (retention)")]


def test_what_stands_behind_an_open_transaction_is_waiting_and_not_gone():
    line = run().publish("a").work("a").publish("b", txn="t").publish("c").lose("b").lose("c")
    verdict = line.but(blocked=frozenset({"b", "c"})).ask(lossless())
    assert verdict.status == "unknown"
    assert "2 of 3 messages still waiting" in verdict.sentence
    assert "begin of a transaction that nobody has ended" in verdict.sentence
    assert {f.where for f in verdict.findings} == {"stored behind an open transaction"}
    done = line.effect("b").effect("c").but(blocked=frozenset({"b", "c"}))
    assert done.ask(exactly_once()).status == "passed"
