"""Who reads what was passed on, and brings it back: readers without a group, two groups of one
process, a delayer with a group of its own."""

import pytest

from pytest_mqchaos.checkers.acked_after_effect import acked_after_effect
from tests.checkers.test_moved_on import ME, OTHER, acked, passed_on
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


def told(line):
    verdict = line.ask(acked_after_effect())
    assert verdict.status == "unknown"
    return verdict.sentence.rpartition(": it was passed on, and ")[2], verdict.missing


def on(*, confirmed=True, **effect):
    line = run().publish("a").deliver("a").publish("a", topic="out", owner=ME, confirm=confirmed)
    line.ack()
    if not confirmed:
        line.confirm("a")
    line.deliver("a", topic="out", group="down", owner=OTHER)
    line.effect("a", **{"owner": OTHER, **effect})
    return line.ack(topic="out", group="down", owner=OTHER)


def test_each_reason_why_a_hop_proves_nothing_is_told_as_it_is():
    own = "whether that is all that was to be done is not known: "
    said, missing = told(on(owner=None))
    assert said.startswith(own + "effects do not say who did them")
    assert missing.startswith("record `by`")
    said, missing = told(on(owner=None, timed=False))
    assert said.startswith("its effect says neither when it was done nor by whom")
    assert "record `by`" in missing
    assert "`t`" in missing
    said, missing = told(on().publish("b").work("b"))
    assert said.startswith(own + "its group does others itself")
    assert "chaos.flow(retries=[...])" in missing
    said, missing = told(on(confirmed=False, owner=None))
    assert said.startswith("that was not confirmed before the ack")
    assert missing == "let it be confirmed before the ack"
