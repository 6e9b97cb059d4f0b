"""Recipes that fail, forget, repeat themselves or answer in the broker's place."""

from __future__ import annotations

import pytest

from pytest_mqchaos.plan.on import on
from pytest_mqchaos.recipes import base as act
from pytest_mqchaos.recipes.base import until
from tests.relay.script import MS, Talk
from tests.relay.toy import pack

WAIT = 50 * MS


@pytest.mark.parametrize("when", ["first", "later"])
def test_a_recipe_that_fails_cuts_its_link_and_is_loud(recipe, when):
    def broken(fault, seen):
        if when == "later":
            yield from until(act.Timer, do=[act.Hold(seen.frame), act.WakeAt(WAIT)])
        raise LookupError("no such thing")
        yield []

    recipe("publish", "delay", broken)
    talk = Talk(on.publish(nth=1).delay(1))
    with pytest.raises(LookupError, match="no such thing"):
        talk.play("""
            client P 1 t a + P 2 t b
              rule 0 triggered
            at 50
        """)
    assert talk.link.closing == "reset"
    assert talk.reasons() == ["the recipe failed: LookupError: no such thing"]
    assert not talk.engine.firings
    assert not talk.link.backlog
    assert ("P 1 t a", "forwarded", 0) not in talk.fates()


def test_a_frame_that_a_recipe_forgets_goes_on(recipe):
    def forget(fault, seen):
        event = yield from until(act.ReplySeen, do=[act.WakeAt(1)])
        assert event.frame.raw
        yield [act.TookEffect("watched")]

    recipe("confirm", "delay", forget)
    Talk(on.confirm(nth=1).delay(1)).play("""
        client P 1 t a
          rule 0 triggered
          > P 1 t a
        broker 1 ok
          rule 0 took effect
          < 1 ok
    """)


def test_a_frame_that_a_recipe_holds_and_forgets_goes_on(recipe):
    def forget(fault, seen):
        yield [act.Hold(seen.frame), act.TookEffect("held")]

    recipe("publish", "delay", forget)
    Talk(on.publish(nth=1).delay(1)).play("""
        client P 1 t a + P 2 t b
          rule 0 triggered
          rule 0 took effect
          > P 1 t a
          > P 2 t b
    """)


def test_a_frame_is_decided_once_and_anothers_never(recipe):
    def twice(fault, seen):
        event = yield from until(act.FrameSeen, do=[act.Hold(seen.frame)])
        yield from until(
            act.Timer,
            do=[
                act.Swallow(event.frame), act.Forward(event.frame), act.Forward(seen.frame),
                act.Swallow(seen.frame), act.Hold(seen.frame), act.WakeAt(1),
            ],
        )  # fmt: skip
        yield [act.TookEffect("one"), act.TookEffect("two")]

    recipe("publish", "delay", twice)
    talk = Talk(on.publish(nth=1).delay(1)).play("""
        client P 1 t a
          rule 0 triggered
        client P 2 t b
          > P 1 t a
          > P 2 t b
        at 1
          rule 0 took effect
          rule 0 took effect
        broker 1 ok + 2 ok
          < 1 ok
          < 2 ok
    """)
    assert talk.fired() == [1]


@pytest.mark.parametrize("then", [act.Swallow, act.Hold, None])
def test_our_answer_may_take_the_place_of_the_brokers(recipe, then):
    def instead(fault, seen):
        event = yield from until(act.ReplySeen, do=[act.Forward(seen.frame)])
        ours = [act.Reply(seen.frame, pack("1 err 7"), 7)]
        yield [*ours, *([then(event.frame)] if then else []), act.TookEffect("said 7")]

    recipe("publish", "refuse", instead)
    talk = Talk(on.publish(nth=1).refuse()).play("""
        client P 1 t a + P 2 t b
          rule 0 triggered
          > P 1 t a
          > P 2 t b
        broker 1 ok + 2 ok
          rule 0 took effect
          < 1 err 7
          < 2 ok
    """)
    assert ("1 ok", "forwarded", None) not in talk.fates()
    assert [note["code"] for note in talk.notes("answered")] == [7]


def test_a_frame_that_was_let_go_cannot_be_held(recipe):
    def again(fault, seen):
        event = yield from until(act.ReplySeen, do=[act.Forward(seen.frame), act.Hold(seen.frame)])
        yield [act.Forward(event.frame), act.TookEffect("over")]

    recipe("publish", "delay", again)
    Talk(on.publish(nth=1).delay(1)).play("""
        client P 1 t a + P 2 t b
          rule 0 triggered
          > P 1 t a
          > P 2 t b
        broker 1 ok
          rule 0 took effect
          < 1 ok
    """)
