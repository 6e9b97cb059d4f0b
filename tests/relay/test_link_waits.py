"""What waits on a link and what does not: answers that are owed, gates, the backlog's limit."""

from __future__ import annotations

import pytest

from pytest_mqchaos.frames import Direction
from pytest_mqchaos.plan.on import on
from pytest_mqchaos.recipes import base as act
from pytest_mqchaos.recipes.base import until
from pytest_mqchaos.relay import link as link_module
from tests.relay.faulty import dark, hold, hold_reply, lose_reply, refuse
from tests.relay.script import MS, Talk

TO_BROKER = Direction.TO_BROKER
TO_CLIENT = Direction.TO_CLIENT
NONSENSE = b"\xff" * 8


def swallow(fault, seen):
    yield [act.Swallow(seen.frame), act.TookEffect("gone")]


def watch(fault, seen):
    yield [act.Forward(seen.frame), act.TookEffect("seen")]


def test_a_gate_stays_shut_when_the_frame_itself_goes_on(recipe):
    def gate(fault, seen):
        shut = [act.Gate(TO_BROKER), act.Forward(seen.frame), act.WakeAt(50 * MS)]
        yield from until(act.Timer, do=shut)
        yield [act.TookEffect("open")]

    recipe("publish", "drop", gate)
    Talk(on.publish(nth=1).drop()).play("""
        client P 1 t a + P 2 t b
          rule 0 triggered
          > P 1 t a
        at 50
          rule 0 took effect
          > P 2 t b
    """)


def test_nothing_overtakes_the_answer_to_a_request_that_the_broker_never_saw(recipe):
    recipe("publish", "drop", swallow)
    talk = Talk(on.publish(nth=1).drop()).play("""
        client P 1 t a + F 2
          rule 0 triggered
          rule 0 took effect
          > F 2
        broker 2 t=0:a
    """)
    assert not talk.engine.firings
    talk.feed(1, TO_CLIENT, NONSENSE)
    assert talk.lines() == ["reset"]


def test_the_broker_answers_what_it_saw_not_what_was_swallowed(recipe):
    recipe("publish", "drop", swallow)
    recipe("deliver", "drop", watch)
    Talk(on.publish(nth=1).drop(), on.deliver(nth=1).drop()).play("""
        client P 1 t a + F 2
          rule 0 triggered
          rule 0 took effect
          > F 2
        broker 2 t=0:a
          rule 1 triggered
          rule 1 took effect
    """)


def test_a_reply_that_is_swallowed_holds_up_none_behind_it(recipe):
    def lose(fault, seen):
        event = yield from until(act.ReplySeen, do=[act.Forward(seen.frame)])
        yield [act.Swallow(event.frame), act.TookEffect("lost")]

    recipe("confirm", "drop", lose)
    talk = Talk(on.confirm(nth=1).drop()).play("""
        client P 1 t a + C 2
          rule 0 triggered
          > P 1 t a
          > C 2
        broker 1 ok
          rule 0 took effect
        broker 2 pong
          < 2 pong
    """)
    assert not talk.link.scanner.outstanding


def test_a_held_reply_that_was_let_go_holds_up_no_end(recipe):
    recipe("publish", "drop", swallow)
    recipe("confirm", "delay", hold_reply)
    Talk(on.publish(nth=1).drop(), on.confirm(nth=2).delay(0.05)).play("""
        client P 1 t a + P 2 t b
          rule 0 triggered
          rule 0 took effect
          rule 1 triggered
          > P 2 t b
        broker 2 ok
        at 50
          rule 1 took effect
        broker eof
          passed
    """)


def test_replies_stream_again_once_the_last_that_waited_has_left(recipe):
    recipe("publish", "refuse", refuse)
    talk = Talk(on.publish(nth=1).refuse()).play("""
        client C 1 + P 2 t a
          rule 0 triggered
          rule 0 took effect
          > C 1
    """)
    assert talk.link.scanner.every == [False, True]  # our answer waits for the first
    talk.play("""
        broker 1 pong
          < 1 pong
          < 2 err 6
    """)
    assert talk.link.scanner.every == [False, False]


def test_what_only_the_broker_has_to_answer_waits_for_nothing(recipe):
    recipe("publish", "drop", watch)
    talk = Talk(on.publish(nth=1).drop())
    talk.do("client P 1 t a")
    assert talk.link.scanner.every == [False, False]
    talk.lines()
    talk.feed(1, TO_CLIENT, NONSENSE)
    assert talk.lines() == [f"< {NONSENSE}"]  # blind, and let through


def test_a_link_that_goes_blind_before_the_reply_that_a_rule_waits_for_is_cut(recipe):
    recipe("confirm", "drop", lose_reply)
    talk = Talk(on.confirm(nth=1).drop())
    talk.do("client P 1 t a")
    talk.lines()
    for _ in range(2):  # what comes after is eaten as well
        talk.feed(1, TO_CLIENT, NONSENSE)
    assert talk.lines() == ["reset"]
    assert bytes(talk.raw[TO_CLIENT]) == b""


def test_the_dark_eats_all_that_comes(recipe):
    recipe("publish", "hang", dark)
    Talk(on.publish(nth=1).hang()).play("""
        client P 1 t a
          rule 0 triggered
          rule 0 took effect
        client P 2 t b
        client P 3 t c
        broker 1 ok
        broker 2 ok
    """)


@pytest.mark.parametrize(("spare", "paused"), [(0, False), (-1, True)])
def test_reading_stops_only_above_the_limit(recipe, monkeypatch, spare, paused):
    second = "P 2 t bbbbbb"
    monkeypatch.setattr(link_module, "BACKLOG_LIMIT", 4 + len(second) + spare)
    recipe("publish", "delay", hold)
    talk = Talk(on.publish(nth=1).delay(0.05))
    talk.do(f"client P 1 t a + {second}")
    assert talk.link.paused == [paused, False]


def test_reading_goes_on_once_no_more_than_the_limit_waits(recipe, monkeypatch):
    third = "P 3 t cccccc"
    monkeypatch.setattr(link_module, "BACKLOG_LIMIT", 4 + len(third))
    recipe("publish", "delay", hold)
    talk = Talk(on.publish(nth=range(1, 3)).delay(0.05))
    talk.do(f"client P 1 t a + P 2 t b + {third}")
    talk.do("client P 4 t d")
    assert talk.link.paused[TO_BROKER]
    talk.do("at 50")  # the first two have left, the second is held by the rule: the third waits
    assert talk.link.paused[TO_BROKER] is False


def test_who_waits_for_the_reply_has_it_alone(recipe):
    def reply(fault, seen):
        event = yield from until(act.ReplySeen, do=[act.Forward(seen.frame)])
        yield [act.Forward(event.frame), act.TookEffect("seen")]

    recipe("control", "drop", reply)
    recipe("deliver", "drop", watch)
    talk = Talk(on.control(api="Fetch", nth=1).drop(), on.deliver(nth=1).drop()).play("""
        client F 1
          rule 0 triggered
          > F 1
        broker 1 t=0:a
          rule 0 took effect
          < 1 t=0:a
    """)
    assert not talk.engine.firings
    assert [armed.firing for armed in talk.engine.armory.armed] == [0, 0]
