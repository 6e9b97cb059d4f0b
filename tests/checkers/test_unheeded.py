"""What is passed on is done when its confirm has come: advice for who acks without one."""

import pytest

from pytest_mqchaos.checkers.dead_lettered import dead_lettered
from pytest_mqchaos.checkers.idempotent import idempotent
from pytest_mqchaos.checkers.lossless import lossless
from tests.checkers.timeline import run

OUT = frozenset({"out"})
WORKER = {"owner": "worker-1#1"}


def passed_on(topic, **how):
    line = run().publish("a").publish("b").work("b").deliver("a")
    return line.publish("a", topic=topic, **WORKER, **how).ack(2).but(effect_topics=OUT)


@pytest.mark.parametrize("topic", ["out", "retry", "dead"])
@pytest.mark.parametrize(
    ("how", "fate"),
    [
        ({"reached": False, "outcome": "unknown"}, "never reached the broker"),
        ({"outcome": "refused"}, "was refused (error 6)"),
        ({"outcome": "unknown", "stored": False}, "was never confirmed"),
        ({"outcome": "unknown", "stored": False, "acks": 0}, "nobody confirms with acks=0"),
    ],
)
def test_who_acks_what_was_never_confirmed_is_told_to_wait_for_the_confirm(topic, how, fate):
    lost = passed_on(topic, **how).expect(dead_lettered=["c"]).ask(lossless())
    assert lost.status == "failed"
    assert lost.advice.startswith("wait for the confirm of what is published")
    assert f"worker-1#1 published 'a' to {topic}, which {fate}, and acked it" in lost.advice


def test_a_declared_dead_letter_that_was_not_confirmed_is_told_so_as_well():
    line = passed_on("dead", outcome="unknown", stored=False).expect(dead_lettered=["a"])
    for question in (lossless(), dead_lettered()):
        gone = line.ask(question)
        assert gone.status == "failed"
        assert gone.advice.startswith("wait for the confirm of what is published")


@pytest.mark.parametrize(
    "line",
    [
        passed_on("out", stored=False),  # confirmed: whatever lost it, waiting would not have
        passed_on("out", outcome="refused", txn="t"),  # aborted with all of its transaction
        run().publish("a").publish("b").work("b").deliver("a").ack(2),  # nothing was passed on
        run().publish("a").deliver("a").publish("a", topic="out", outcome="refused", **WORKER)
        .deliver("a", owner="worker-2#1").ack(owner="worker-2#1").but(effect_topics=OUT),
    ],
)  # fmt: skip
def test_what_is_lost_in_another_way_is_not_told_so(line):
    lost = line.ask(lossless())
    assert lost.status == "failed"
    assert "wait for the confirm of what is published" not in lost.advice


def test_who_was_set_aside_too_early_is_told_to_try_or_to_declare_it():
    line = run().publish("a").deliver("a").publish("a", topic="dead", **WORKER).ack()
    early = line.ask(dead_lettered())
    assert early.status == "failed"
    assert early.advice.startswith("set a message aside only after the last of its tries")
    assert "chaos.expect(dead_lettered=['a'])" in early.advice


def in_transactions(*, apart):
    """Work done twice, each time in a transaction; the first dies between that and its ack."""
    line, committed = run().publish("a"), {}
    for owner in ("worker-1#1", "worker-1#2"):
        line.deliver("a", owner=owner).publish("a", topic="out", owner=owner, txn="t")
        line.effect("a", owner=None)
        committed[line.attempts[-1].seq] = (line.now + 1) * 1_000_000
        line.now += 1 if apart else 0
        line.ack(owner=owner, reached=owner == "worker-1#2")
    return line.but(effect_topics=OUT, committed=committed).ask(idempotent())


def test_who_keeps_the_position_apart_from_the_transaction_is_told_to_send_it_there():
    twice = in_transactions(apart=True)
    assert twice.status == "failed"
    assert twice.advice == (
        "send the position in the transaction, too (send_offsets_to_transaction, before its "
        "commit): worker-1#1 published in transactions (t) and committed in-0 apart from them"
    )
    assert in_transactions(apart=False).advice.startswith("record the processed id")


def test_a_wrong_value_is_no_matter_of_counting():
    line = run().publish("a").deliver("a").effect("a", value=3).ack()
    wrong = line.ask(idempotent(state={"a": 4}))
    assert wrong.status == "failed"
    assert wrong.advice.startswith("compare the work itself: the value is wrong, not the count")
    twice = line.effect("a", value=3).ask(idempotent(state={"a": 4}))
    assert twice.advice.startswith("record the processed id")
