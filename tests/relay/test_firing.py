"""One firing: asks and answers, timers, healing, links that end under it, recipes that fail."""

from __future__ import annotations

import pytest

from pytest_mqchaos.frames import Direction
from pytest_mqchaos.plan.on import on
from pytest_mqchaos.recipes import base as act
from pytest_mqchaos.recipes.base import until
from tests.relay.script import MS, Talk
from tests.relay.toy import pack

TO_BROKER, TO_CLIENT = Direction.TO_BROKER, Direction.TO_CLIENT
WAIT = 50 * MS


def late(fault, seen):
    yield from until(act.Timer, do=[act.Hold(seen.frame), act.WakeAt(seen.t + WAIT)])
    yield [act.Forward(seen.frame), act.TookEffect("late")]


def kill(fault, seen):
    """Hold, ask, go on."""
    event = yield from until(act.Answer, do=[act.Hold(seen.frame), act.Ask("kill", {"n": 1})])
    if event.value is None:
        yield [act.Forward(seen.frame), act.Unharmed("refused")]
    else:
        yield [act.TookEffect("killed"), act.Forward(seen.frame)]


def crash(fault, seen):
    """Ask first whether, then cut the owner and do it."""
    yield from until(act.Answer, do=[act.Hold(seen.frame), act.Ask("may")])
    yield from until(act.Answer, do=[act.Swallow(seen.frame), act.CutOwner(), act.Ask("crash")])
    yield [act.TookEffect("crashed")]


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


# ---------------------------------------------------------------- a link ends under a firing


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
    assert talk.engine.firings == set()


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


# ---------------------------------------------------------------- healing


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
    assert talk.engine.firings == set()


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


# ---------------------------------------------------------------- recipes that err


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
    assert talk.engine.firings == set()
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
