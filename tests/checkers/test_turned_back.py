"""Whoever aborts a transaction has to turn back, or its next commit covers what it took back."""

from pytest_mqchaos.checkers.lossless import lossless
from tests.checkers.timeline import MS, run


def aborted(**more):
    line = run().publish("a").publish("b").deliver("a", "b")
    return line.publish("a", topic="out", owner="worker-1#1", txn="t", stored=False, **more)


def test_a_commit_of_who_did_not_turn_back_is_told_to():
    verdict = aborted().effect("b").ack().ask(lossless())
    assert verdict.status == "failed"
    assert [(f.id, f.where) for f in verdict.findings] == [("a", "delivered, no effect, acked")]
    assert verdict.advice.startswith("after abort_transaction() set the consumer back")


def test_another_workers_abort_or_none_at_all_has_no_part_in_it():
    other = aborted().effect("b").ack(owner="worker-2#1").ask(lossless())
    assert "set the consumer back" not in other.advice
    line = aborted().effect("b").ack()
    kept = line.but(committed={line.attempts[-1].seq: 9 * MS}).ask(lossless())
    assert "set the consumer back" not in kept.advice
    line = run().publish("a").deliver("a").publish("a", topic="out", owner="worker-1#1").ack()
    assert line.ask(lossless()).advice == "ack only after the work"
