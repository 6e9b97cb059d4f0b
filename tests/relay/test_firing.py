"""One firing: asks and answers, timers, links that end under it."""

from __future__ import annotations

from pytest_mqchaos.plan.on import on
from pytest_mqchaos.recipes import base as act
from pytest_mqchaos.recipes.base import until
from tests.relay.faulty import crash, kill, late
from tests.relay.script import MS, Talk
from tests.relay.toy import pack

WAIT = 50 * MS


def asks(talk):
    found, talk.engine.asks[:] = list(talk.engine.asks), []
    return found


def test_a_question_names_owner_node_and_port(recipe):
    recipe("publish", "kill_broker", kill)
    talk = Talk(on.publish(nth=1).kill_broker())
    talk.do("client P 1 t a")
    (ask,) = asks(talk)
    body = {"owner": "worker-1#1", "node": 1, "port": 7, "n": 1}
    assert ask == {"ask": ask["ask"], "what": "kill", "arguments": body}


def test_asked_and_answered(recipe):
    recipe("publish", "kill_broker", kill)
    talk = Talk(on.publish(nth=1).kill_broker(), on.publish(nth=3).kill_broker()).play("""
        client P 1 t a + P 2 t b
          rule 0 triggered
          ask 2 kill
        answer 2 {"done": true}
          rule 0 took effect
          > P 1 t a
          > P 2 t b
        answer 2 {"done": true}
        client P 3 t c
          rule 1 triggered
          ask 3 kill
        answer 3
          rule 1 unharmed
          > P 3 t c
    """)
    assert talk.fired() == [1, 0]
    assert talk.reasons(1) == ["refused"]


def test_a_side_request_is_answered_with_bytes(recipe):
    def evict(fault, seen):

        event = yield from until(
            act.Answer, do=[act.Hold(seen.frame), act.SideRequest(pack("L m"))]
        )
        good = event.value == pack("ok")
        yield [act.Forward(seen.frame), act.TookEffect("left") if good else act.Unharmed("stays")]

    recipe("ack", "redeliver", evict)
    talk = Talk(on.ack(nth=1).redeliver(), on.ack(nth=2).redeliver()).play("""
        client F 1
          > F 1
        broker 1 t=0:a,1:b
          < 1 t=0:a,1:b
        client A 2 g t:1
          rule 0 triggered
          side 2 L m
        reply 2 ok
          rule 0 took effect
          > A 2 g t:1
        client A 3 g t:2
          rule 1 triggered
          side 3 L m
        reply 3
          rule 1 unharmed
          > A 3 g t:2
    """)
    assert talk.fates()[:1] == [("A 2 g t:1", "forwarded", 0)]


def test_a_crash_cuts_every_link_of_its_owner_and_refuses_it(recipe):
    recipe("publish", "crash_worker", crash)
    talk = Talk(on.publish(nth=1).crash_worker())
    talk.open()
    talk.open("worker-2#1")
    talk.play("""
        client P 1 t a + P 2 t b
          rule 0 triggered
          ask 4 may
        answer 4 {"done": true}
          flush
          flush#2
          ask 5 crash
        client gone
        answer 5 {"done": true}
          rule 0 took effect
        client#3 C 1
          >#3 C 1
    """)
    assert talk.open() is None
    assert talk.open("worker-1#2") is not None
    assert talk.fates() == [("P 1 t a", "swallowed", 0), ("P 2 t b", "swallowed", None)]


def test_a_timer_of_a_firing_that_is_over_says_nothing(recipe):
    recipe("publish", "delay", late)
    talk = Talk(on.publish(nth=1).delay(1)).play("""
        client P 1 t a
          rule 0 triggered
        client gone
          rule 0 unharmed
    """)
    assert talk.engine.next_wake() == WAIT
    talk.play("at 50")
    assert talk.engine.next_wake() is None
    assert talk.engine.timers() == 0
    assert talk.reasons() == ["the client closed the connection first"]
    assert talk.fates() == [("P 1 t a", "swallowed", None)]


def test_a_request_that_goes_on_into_a_dead_link_never_reached_the_broker(recipe):
    recipe("publish", "kill_broker", kill)
    talk = Talk(on.publish(nth=1).kill_broker()).play("""
        client P 1 t a + P 2 t b
          rule 0 triggered
          ask 2 kill
        broker gone
        answer 2 {"done": true}
          rule 0 took effect
    """)
    assert talk.fates() == [("P 2 t b", "swallowed", None), ("P 1 t a", "swallowed", None)]
    assert talk.notes("closed") == [{"note": "closed", "link": 1, "by": "broker"}]
    assert not talk.engine.firings


def test_a_firing_whose_link_is_gone_ends_when_nothing_can_come_any_more(recipe):
    def two(fault, seen):
        yield from until(act.Answer, do=[act.Hold(seen.frame), act.Ask("first")])
        yield from until(act.Timer, do=[act.WakeAt(WAIT)])
        yield [act.Forward(seen.frame), act.TookEffect("never")]

    recipe("publish", "kill_broker", two)
    talk = Talk(on.publish(nth=1).kill_broker()).play("""
        client P 1 t a
          rule 0 triggered
          ask 2 first
        broker gone
        answer 2 {"done": true}
          rule 0 unharmed
    """)
    assert talk.reasons() == ["the broker closed the connection first"]


def test_a_recipe_may_answer_the_end_of_its_link(recipe):
    def dark(fault, seen):
        yield from until(act.Closed, do=[act.Hold(seen.frame)])
        yield [act.Swallow(seen.frame), act.TookEffect("given up")]

    recipe("publish", "hang", dark)
    talk = Talk(on.publish(nth=1).hang()).play("""
        client P 1 t a
          rule 0 triggered
        client gone
          rule 0 took effect
    """)
    assert talk.fates() == [("P 1 t a", "swallowed", 0)]


def test_the_firing_that_loses_its_link_to_another_says_so(recipe):
    recipe("publish", "delay", late)

    def cut(fault, seen):
        yield [act.Swallow(seen.frame), act.Sever(), act.TookEffect("cut")]

    recipe("deliver", "sever", cut)
    talk = Talk(on.publish(nth=1).delay(1), on.deliver(nth=1).sever()).play("""
        client F 1 + P 2 t a
          rule 0 triggered
          > F 1
        broker 1 t=0:a
          rule 1 triggered
          rule 1 took effect
          flush
        broker gone
          rule 0 unharmed
    """)
    assert talk.reasons() == ["another rule closed the connection first"]
