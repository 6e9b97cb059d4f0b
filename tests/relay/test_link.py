"""What leaves when: holds, gates, the backlog and its limit, replies in their order."""

from __future__ import annotations

from pytest_mqchaos.frames import Direction
from pytest_mqchaos.plan.on import on
from pytest_mqchaos.recipes import base as act
from pytest_mqchaos.recipes.base import until
from tests.relay.faulty import drained, gate_both, hold, hold_reply, lose_reply, refuse
from tests.relay.script import Talk
from tests.relay.toy import pack

TO_BROKER = Direction.TO_BROKER


def test_without_rules_everything_streams_as_it_came():
    Talk().play("""
        client P 1 t a + C 2
          > P 1 t a
          > C 2
        broker 1 ok + 2 pong
          < 1 ok
          < 2 pong
    """)


def test_a_held_request_keeps_back_what_comes_behind_it(recipe):
    recipe("publish", "delay", hold)
    talk = Talk(on.publish(nth=2).delay(0.05)).play("""
        client P 1 t a + P 2 t b + P 3 t c + C 4
          rule 0 triggered
          > P 1 t a
        client P 5 t e
        broker 1 ok
          < 1 ok
        at 49
        at 50
          rule 0 took effect
          > P 2 t b
          > P 3 t c
          > C 4
          > P 5 t e
        client P 6 t f
          > P 6 t f
        broker 2 ok + 3 ok + 4 pong + 5 ok + 6 ok
          < 2 ok
          < 3 ok
          < 4 pong
          < 5 ok
          < 6 ok
    """)
    assert talk.fates() == [
        ("P 2 t b", "forwarded", 0),
        ("P 3 t c", "forwarded", None),
        ("C 4", "forwarded", None),
        ("P 5 t e", "forwarded", None),
    ]


def test_a_frame_in_pieces_is_judged_when_it_is_whole(recipe):
    recipe("publish", "delay", hold)
    Talk(on.publish(nth=1).delay(0.05)).play("""
        client/3 P 1 t a + P 2 t b
          rule 0 triggered
        at 50
          rule 0 took effect
          > P 1 t a
          > P 2 t b
        broker/2 1 ok + 2 ok
          < 1 ok
          < 2 ok
    """)


def test_two_rules_hold_one_after_the_other(recipe):
    recipe("publish", "delay", hold)
    Talk(on.publish(id="a").delay(0.05), on.publish(id="b").delay(0.05)).play("""
        client P 1 t a + P 2 t b + P 3 t c
          rule 0 triggered
        at 50
          rule 0 took effect
          rule 1 triggered
          > P 1 t a
        at 100
          rule 1 took effect
          > P 2 t b
          > P 3 t c
    """)


def test_a_held_reply_holds_the_replies_behind_it_and_nothing_else(recipe):
    recipe("confirm", "delay", hold_reply)
    talk = Talk(on.confirm(nth=1).delay(0.05)).play("""
        client P 1 t a + P 2 t b + C 3
          rule 0 triggered
          > P 1 t a
          > P 2 t b
          > C 3
        broker 1 ok + 2 ok
        client P 4 t d
          > P 4 t d
        broker 3 pong
        at 50
          rule 0 took effect
          < 1 ok
          < 2 ok
          < 3 pong
        broker 4 ok
          < 4 ok
    """)
    assert [fate for fate in talk.fates() if fate[0][0] in "123"] == [
        ("1 ok", "forwarded", None),
        ("2 ok", "forwarded", None),
        ("3 pong", "forwarded", None),
    ]


def test_our_answer_waits_for_its_turn(recipe):
    recipe("publish", "refuse", refuse)
    talk = Talk(on.publish(nth=2).refuse()).play("""
        client P 1 t a + P 2 t b + P 3 t c
          rule 0 triggered
          rule 0 took effect
          > P 1 t a
          > P 3 t c
        broker 1 ok
          < 1 ok
          < 2 err 6
        broker 3 ok
          < 3 ok
    """)
    assert talk.notes("answered") == [{"note": "answered", "frame": 4, "code": 6, "rule": 0}]
    assert talk.fates()[0] == ("P 2 t b", "swallowed", 0)


def test_a_swallowed_reply_frees_those_behind_it(recipe):
    def swallow(fault, seen):
        event = yield from until(act.ReplySeen, do=[act.Forward(seen.frame)])
        yield [act.Swallow(event.frame), act.TookEffect("swallowed")]

    recipe("confirm", "drop", swallow)
    talk = Talk(on.confirm(nth=1).drop()).play("""
        client P 1 t a + P 2 t b
          rule 0 triggered
          > P 1 t a
          > P 2 t b
        broker 1 ok
          rule 0 took effect
        broker 2 ok
          < 2 ok
    """)
    assert talk.fates()[:2] == [("P 1 t a", "forwarded", 0), ("1 ok", "swallowed", 0)]


def test_an_edited_frame_is_told_as_replaced(recipe):
    def edit(fault, seen):
        event = yield from until(act.ReplySeen, do=[act.Forward(seen.frame, pack("P 1 t other"))])
        yield [act.Forward(event.frame, pack("1 err 7")), act.TookEffect("edited")]

    recipe("publish", "refuse", edit)
    talk = Talk(on.publish(nth=1).refuse()).play("""
        client P 1 t a
          rule 0 triggered
          > P 1 t other
        broker 1 ok
          rule 0 took effect
          < 1 err 7
    """)
    assert talk.fates() == [("P 1 t a", "replaced", 0), ("1 ok", "replaced", 0)]


def test_a_gate_lets_the_frame_go_and_nothing_behind_it(recipe):
    recipe("confirm", "drop", lose_reply)
    talk = Talk(on.confirm(nth=2).drop()).play("""
        client P 1 t a + P 2 t b + P 3 t c
          rule 0 triggered
          > P 1 t a
          > P 2 t b
        client P 4 t d
        broker 1 ok
          < 1 ok
        broker 2 ok
          rule 0 took effect
          flush
        client P 5 t e
        broker 3 ok
    """)
    assert talk.fates() == [
        ("P 2 t b", "forwarded", 0),
        ("2 ok", "swallowed", 0),
        ("P 3 t c", "swallowed", None),
        ("P 4 t d", "swallowed", None),
    ]
    assert talk.notes("closed") == [{"note": "closed", "link": 1, "by": "fault"}]


def test_nothing_passes_two_gates_until_they_open(recipe):
    recipe("publish", "hang", gate_both)
    talk = Talk(on.publish(nth=2).hang(0.05)).play("""
        client P 1 t a + P 2 t b
          rule 0 triggered
          > P 1 t a
        broker 1 ok
        client P 3 t c
        at 50
          rule 0 took effect
          > P 2 t b
          > P 3 t c
          < 1 ok
    """)
    assert ("1 ok", "forwarded", None) in talk.fates()


def test_drained_is_told_when_every_earlier_answer_has_left(recipe):
    recipe("publish", "drop", drained)
    Talk(on.publish(nth=2).drop()).play("""
        client P 1 t a + C 2 + P 3 t c
          rule 0 triggered
          > P 1 t a
          > C 2
        broker 1 ok
          < 1 ok
        broker 2 pong
          rule 0 took effect
          < 2 pong
          flush
    """)


def test_drained_at_once_when_nothing_is_unanswered(recipe):
    recipe("publish", "drop", drained)
    Talk(on.publish(nth=1).drop()).play("""
        client P 1 t a
          rule 0 triggered
          rule 0 took effect
          flush
    """)


def test_drained_when_another_rule_lets_its_reply_go(recipe):
    recipe("confirm", "delay", hold_reply)
    recipe("publish", "drop", drained)
    Talk(on.confirm(nth=1).delay(0.05), on.publish(nth=2).drop()).play("""
        client P 1 t a + P 2 t b
          rule 0 triggered
          rule 1 triggered
          > P 1 t a
        broker 1 ok
        at 50
          rule 0 took effect
          rule 1 took effect
          < 1 ok
          flush
    """)


def test_a_request_without_reply_leaves_no_place_behind(recipe):
    def swallow(fault, seen):
        yield [act.Swallow(seen.frame), act.Reply(seen.frame, b"x", 1), act.TookEffect("gone")]

    recipe("publish", "drop", swallow)
    talk = Talk(on.publish(nth=1).drop()).play("""
        client p 1 t a + P 2 t b
          rule 0 triggered
          rule 0 took effect
          > P 2 t b
        broker 2 ok
          < 2 ok
    """)
    assert talk.notes("answered") == []
