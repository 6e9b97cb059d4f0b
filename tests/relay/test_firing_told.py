"""What a recipe is told of each event, and what the history is told of each step of a firing."""

from __future__ import annotations

import pytest

from pytest_mqchaos.history.spool import NoteEntry
from pytest_mqchaos.plan.on import on
from pytest_mqchaos.recipes import base as act
from pytest_mqchaos.recipes.base import until
from tests.relay.faulty import dark, drained, hold, kill
from tests.relay.script import MS, Talk


def steps(talk):
    """Each step in a rule's life: ms, rule, what, text."""
    return [
        (e.t / MS, e.body["rule"], e.body["what"], e.body["text"])
        for e in talk.entries()
        if isinstance(e, NoteEntry) and e.body["note"] == "rule"
    ]


@pytest.mark.parametrize("side", ["client", "broker"])
def test_each_event_tells_what_came_and_when(recipe, side):
    told = []

    def diary(fault, seen):
        told.append(seen)
        event = yield [act.Hold(seen.frame), act.WakeAt(20 * MS), act.Ask("x")]
        while True:
            told.append(event)
            event = yield []

    recipe("publish", "kill_broker", diary)
    Talk(on.publish(nth=1).kill_broker()).play(f"""
        client F 1
          > F 1
        at 10
        client P 2 t a
          rule 0 triggered
          ask 3 x
        at 15
        client P 3 t b
        at 20
        at 25
        answer 3 {{"done": true}}
        at 27
        broker 1 empty
          < 1 empty
        at 30
        {side} gone
          rule 0 unharmed
    """)
    first, other, timer, answer, gone, closed = told
    assert (first.first, first.t, first.sighting.records[0].value) == (True, 10 * MS, b"a")
    assert (other.first, other.t, other.frame.correlation) == (False, 15 * MS, 3)
    assert other.sighting.records[0].value == b"b"
    assert timer == act.Timer(t=20 * MS)
    assert answer == act.Answer(value={"done": True}, t=25 * MS)
    assert gone == act.Drained(t=27 * MS)
    assert closed == act.Closed(by_client=side == "client", t=30 * MS)


def test_another_frame_may_end_the_wait(recipe):
    def second(fault, seen):
        yield from until(act.FrameSeen, do=[act.Hold(seen.frame)])
        yield [act.Forward(seen.frame), act.TookEffect()]

    recipe("publish", "drop", second)
    talk = Talk(on.publish(nth=1).drop()).play("""
        client P 1 t a
          rule 0 triggered
        at 4
        client P 2 t b
          rule 0 took effect
          > P 1 t a
          > P 2 t b
    """)
    assert steps(talk)[1:] == [
        (0, 0, "triggered", "Publish of a"),
        (4, 0, "took effect", "Publish of a"),  # who says nothing gives the name of the frame
    ]


def test_the_history_is_told_what_a_rule_is_and_what_its_recipe_says(recipe):
    recipe("publish", "delay", hold)
    rule = on.publish(nth=1).delay(0.05)
    talk = Talk(rule).play("""
        at 1
        client P 1 t a
          rule 0 triggered
        at 60
          rule 0 took effect
          > P 1 t a
    """)
    assert steps(talk) == [
        (0, 0, "armed", repr(rule)),
        (1, 0, "triggered", "Publish of a"),
        (60, 0, "took effect", "late"),
    ]


def test_the_history_is_told_why_nothing_happened(recipe):
    recipe("publish", "kill_broker", kill)
    talk = Talk(on.publish(nth=1).kill_broker())
    talk.do("client P 1 t a")
    talk.do("at 3")
    talk.do("answer 2")
    assert steps(talk)[-1] == (3, 0, "unharmed", "refused")


def test_what_stands_is_healed_once_and_the_history_is_told_why(recipe):
    def dark_and_asked(fault, seen):
        gone = [act.Swallow(seen.frame), act.Dark(), act.Ask("x"), act.TookEffect("dark")]
        yield from until(act.Answer, do=gone)

    recipe("publish", "hang", dark_and_asked)
    talk = Talk(on.publish(nth=1).hang())
    talk.do("client P 1 t a")
    for _ in range(2):
        talk.do("at 5")
        talk.do("closing worker-1#1")
    assert talk.link.closing == "flush"
    assert steps(talk)[2:] == [
        (0, 0, "took effect", "dark"),
        (5, 0, "healed", "worker-1#1 was stopped first"),
    ]


def test_what_a_heal_lets_go_may_set_off_another_rule(recipe):
    recipe("publish", "kill_broker", kill)
    talk = Talk(on.publish(nth=1).kill_broker(), on.publish(nth=2).kill_broker()).play("""
        client P 1 t a + P 2 t b
          rule 0 triggered
          ask 2 kill
        at 8
        heal
          rule 1 triggered
          > P 1 t a
          > P 2 t b
          ask 3 kill
    """)
    assert steps(talk)[-1] == (8, 1, "triggered", "Publish of b")


def test_the_end_of_a_run_ends_what_stands_and_what_is_still_asked(recipe):
    recipe("publish", "hang", dark)
    recipe("publish", "kill_broker", kill)
    talk = Talk(on.publish(nth=1).kill_broker(), on.publish(id="z").hang())
    talk.open()
    talk.do("client P 1 t a")
    talk.do("client#2 P 1 t z")
    talk.engine.end(9 * MS)
    assert steps(talk)[-2:] == [
        (9, 1, "healed", "the test ended first"),
        (9, 0, "unharmed", "the test was over before the answer came"),
    ]
    assert not talk.engine.firings


def broken_reply(fault, seen):
    yield from until(act.ReplySeen, do=[act.Forward(seen.frame)])
    raise RuntimeError("broken")


def test_a_recipe_that_fails_lets_the_next_one_know_that_its_turn_has_come(recipe):
    recipe("confirm", "drop", broken_reply)
    recipe("publish", "drop", drained)
    talk = Talk(on.confirm(nth=1).drop(), on.publish(nth=2).drop())
    talk.do("client P 1 t a + P 2 t b")
    talk.do("at 6")
    with pytest.raises(RuntimeError, match="broken"):
        talk.do("broker 1 ok")
    assert (6, 1, "took effect", "lost") in steps(talk)


def test_who_set_off_a_recipe_that_fails_is_not_blamed(recipe):
    def broken(fault, seen):
        raise RuntimeError("broken")
        yield

    recipe("publish", "delay", hold)
    recipe("publish", "drop", broken)
    talk = Talk(on.publish(nth=1).delay(0.05), on.publish(nth=2).drop())
    talk.do("client P 1 t a + P 2 t b")
    with pytest.raises(RuntimeError, match="broken"):
        talk.do("at 50")
    assert [armed.firing for armed in talk.engine.armory.armed] == [0, 0]
    assert talk.reasons(0) == []
    assert talk.reasons(1) == ["the recipe failed: RuntimeError: broken"]
    assert talk.link.closing == "reset"
