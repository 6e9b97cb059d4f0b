"""Healing, disarming, and what is under way then."""

from __future__ import annotations

from pytest_mqchaos.frames import Direction
from pytest_mqchaos.plan.on import on
from pytest_mqchaos.recipes import base as act
from pytest_mqchaos.recipes.base import until
from tests.relay.faulty import crash, kill, late
from tests.relay.script import MS, Talk

TO_BROKER = Direction.TO_BROKER
TO_CLIENT = Direction.TO_CLIENT
WAIT = 50 * MS


def test_healing_lets_everything_go(recipe):
    def both(fault, seen):
        gates = [act.Gate(TO_BROKER), act.Gate(TO_CLIENT)]
        yield from until(act.Timer, do=[act.Hold(seen.frame), *gates, act.WakeAt(WAIT)])
        yield [act.Forward(seen.frame), act.TookEffect("dark")]

    recipe("publish", "hang", both)
    talk = Talk(on.publish(nth=2).hang(0.05)).play("""
        client P 1 t a + P 2 t b + C 3
          rule 0 triggered
          > P 1 t a
        broker 1 ok
        heal
          rule 0 unharmed
          > P 2 t b
          > C 3
          < 1 ok
        broker 2 ok + 3 pong
          < 2 ok
          < 3 pong
        at 50
        heal
    """)
    assert talk.reasons() == ["the test ended first"]
    assert talk.link.scanner.every == [False, False]


def test_healing_with_armed_rules_heals_what_it_sets_off(recipe):
    recipe("publish", "delay", late)
    talk = Talk(on.publish().delay(1)).play("""
        client P 1 t a + P 2 t b + P 3 t c
          rule 0 triggered
        heal
          rule 0 unharmed
          rule 0 triggered
          rule 0 unharmed
          rule 0 triggered
          rule 0 unharmed
          > P 1 t a
          > P 2 t b
          > P 3 t c
    """)
    assert not talk.engine.firings


def test_a_firing_that_waits_for_a_reply_lets_it_pass_after_healing(recipe):
    def lose(fault, seen):
        event = yield from until(act.ReplySeen, do=[act.Forward(seen.frame), act.Gate(TO_BROKER)])
        yield [act.Swallow(event.frame), act.Sever(), act.TookEffect("lost")]

    recipe("confirm", "drop", lose)
    Talk(on.confirm(nth=1).drop()).play("""
        client P 1 t a + P 2 t b
          rule 0 triggered
          > P 1 t a
        heal
          rule 0 unharmed
          > P 2 t b
        broker 1 ok + 2 ok
          < 1 ok
          < 2 ok
    """)


def test_an_answer_after_healing_tells_the_effect_and_causes_nothing(recipe):
    recipe("publish", "kill_broker", kill)
    talk = Talk(on.publish(nth=1).kill_broker()).play("""
        client P 1 t a
          rule 0 triggered
          ask 2 kill
        heal
          > P 1 t a
        heal
        broker 1 ok
          < 1 ok
        answer 2 {"done": true}
          rule 0 took effect
    """)
    assert talk.fired() == [1]
    assert talk.fates() == [("P 1 t a", "forwarded", 0)]


def test_a_crash_that_was_only_asked_about_does_not_happen_after_healing(recipe):
    recipe("publish", "crash_worker", crash)
    talk = Talk(on.publish(nth=1).crash_worker()).play("""
        client P 1 t a
          rule 0 triggered
          ask 2 may
        heal
          > P 1 t a
        answer 2 {"done": true}
          rule 0 unharmed
        broker 1 ok
          < 1 ok
    """)
    assert talk.engine.refused == set()
    assert talk.reasons() == ["it was healed before it could act"]


def test_a_dark_link_is_cut_when_it_is_healed(recipe):
    def dark(fault, seen):
        yield from until(
            act.Closed, do=[act.Swallow(seen.frame), act.Dark(), act.TookEffect("dark")]
        )

    recipe("publish", "hang", dark)
    talk = Talk(on.publish(nth=1).hang()).play("""
        client P 1 t a
          rule 0 triggered
          rule 0 took effect
        heal
          rule 0 healed
          flush
    """)
    assert talk.fired() == [1]
    assert not talk.link.dark


def test_what_is_under_way_goes_on_when_rules_are_disarmed(recipe):
    def lose(fault, seen):
        event = yield from until(act.ReplySeen, do=[act.Forward(seen.frame), act.Gate(TO_BROKER)])
        yield [act.Swallow(event.frame), act.Sever(), act.TookEffect("lost")]

    recipe("confirm", "drop", lose)
    Talk(on.confirm().drop()).play("""
        client P 1 t a + P 2 t b
          rule 0 triggered
          > P 1 t a
        disarm
        broker 1 ok
          rule 0 took effect
          flush
    """)
