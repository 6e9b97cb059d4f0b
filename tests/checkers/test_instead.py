"""A router: one subscriber does some messages itself, and passes the others on to another one. What
the other did is not lost for it, unless others were done by both."""

import pytest

from pytest_mqchaos.checkers.lossless import lossless
from tests.checkers.timeline import run

ONE = {"group": "first", "owner": "worker-1#1"}
TWO = {"group": "second", "owner": "worker-2#1"}


def routed(line, name, *bys, passes=True):
    """`in` to the first one, which perhaps passes it on to `mid`; each of `bys` does it."""
    line.publish(name).deliver(name, **ONE)
    if "first" in bys:
        line.effect(name, by="first", owner="worker-1#1")
    if passes:
        line.publish(name, topic="mid", owner="worker-1#1")
    line.ack(**ONE)
    if passes:
        line.deliver(name, topic="mid", **TWO)
        if "second" in bys:
            line.effect(name, by="second", owner="worker-2#1")
        line.ack(topic="mid", **TWO)
    return line


def router():
    return routed(routed(run(), "a", "first", passes=False), "b", "second")


def test_each_message_by_one_of_them_is_not_lost_for_the_other():
    verdict = router().ask(lossless())
    assert verdict.status == "unknown"
    assert verdict.sentence == (
        "2 of 2 messages done by one subscriber and not by another: first passed it on to second, "
        "which did it"
    )
    assert "record no `by`" in verdict.missing


@pytest.mark.parametrize("passes", [False, True])
def test_what_neither_did_is_lost(passes):
    verdict = routed(router(), "c", passes=passes).ask(lossless())
    assert verdict.status == "failed"
    assert {finding.id for finding in verdict.findings if finding.what == "lost"} == {"c"}


@pytest.mark.parametrize(("last", "passes"), [("first", False), ("second", True)])
def test_where_both_do_the_others_each_owes_it(last, passes):
    line = routed(routed(run(), "a", "first", "second"), "b", last, passes=passes)
    assert line.ask(lossless()).status == "failed"


def test_of_two_that_read_the_same_topic_each_owes_it():
    line = run().publish("a").publish("b").deliver("a", "b", **ONE).deliver("a", "b", **TWO)
    line.effect("a", by="first", owner="worker-1#1").effect("b", by="second", owner="worker-2#1")
    assert line.ack(**ONE).ack(**TWO).ask(lossless()).status == "failed"


def test_one_that_passes_on_and_does_nothing_has_lost_what_it_did_not_pass_on():
    line = routed(routed(run(), "a", "second"), "b", passes=False)
    assert line.ask(lossless()).status == "failed"
