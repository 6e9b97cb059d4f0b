"""Who reads what was passed on, and brings it back: readers without a group, two groups of one
process, a delayer with a group of its own."""

import pytest

from tests.checkers.test_moved_on import OTHER, acked, passed_on
from tests.checkers.timeline import run


@pytest.mark.parametrize(("first", "status"), [("publish", "passed"), ("ack", "failed")])
def test_a_next_stage_may_keep_its_own_place(first, status):
    """It is in no group: it stores with its work how far it is."""
    line = passed_on(run().publish("a"), to="out", first=first)
    line.deliver("a", topic="out", group=None, owner=OTHER).effect("a", owner=OTHER)
    assert acked(line) == status
    assert acked(passed_on(run().publish("a"), to="out").effect("a")) == "failed"  # nobody reads it


@pytest.mark.parametrize(("first", "status"), [("publish", "passed"), ("ack", "failed")])
def test_a_next_stage_may_be_one_of_two_groups_of_a_process(first, status):
    """Its deliveries name no group: what it acks there tells."""
    line = passed_on(run().publish("a"), to="out", first=first)
    for group, by in (("x", "x"), ("y", "y")):
        line.deliver("a", topic="out", group=None, owner=OTHER).effect("a", owner=OTHER, by=by)
        line.ack(topic="out", group=group, owner=OTHER)
    assert acked(line) == status


@pytest.mark.parametrize(
    ("first", "back", "status"),
    [
        ("publish", True, "passed"),
        ("publish", False, "failed"),
        ("ack", True, "failed"),
    ],
)
def test_who_gave_it_to_a_delayer_does_it_when_it_comes_back(first, back, status):
    """The delayer has its own group; the topic between them has no role."""
    line = run().publish("b").work("b").publish("a")
    line = passed_on(line, to="delay", first=first)
    line.deliver("a", topic="delay", group="delayer", owner=OTHER)
    if not back:
        line.effect("a")
    line.publish("a", owner=OTHER).ack(topic="delay", group="delayer", owner=OTHER)
    line.deliver("a", nth=-1)
    if back:
        line.effect("a")
    assert acked(line.ack()) == status


def test_what_was_perhaps_done_before_it_came_back_is_not_known():
    line = passed_on(run().publish("b").work("b").publish("a"), to="delay")
    line.deliver("a", topic="delay", group="delayer", owner=OTHER).publish("a", owner=OTHER)
    line.ack(topic="delay", group="delayer", owner=OTHER).deliver("a", nth=-1)
    line.effect("a", span=(1, (line.now + 1) * 1_000_000))
    assert acked(line.ack()) == "unknown"
