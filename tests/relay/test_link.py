"""What leaves when: holds, gates, the backlog, replies in their order, half-closes."""

from __future__ import annotations

import pytest

from pytest_mqchaos.frames import Direction
from pytest_mqchaos.plan.on import on
from pytest_mqchaos.recipes import base as act
from pytest_mqchaos.recipes.base import until
from pytest_mqchaos.relay import link as link_module
from tests.relay.script import MS, Talk
from tests.relay.toy import pack

TO_BROKER, TO_CLIENT = Direction.TO_BROKER, Direction.TO_CLIENT


def hold(fault, seen):
    """Keep the frame for as long as the fault says."""
    wake = act.WakeAt(seen.t + int(fault.seconds * 1e9))
    yield from until(act.Timer, do=[act.Hold(seen.frame), wake])
    yield [act.Forward(seen.frame), act.TookEffect("late")]


def hold_reply(fault, seen):
    event = yield from until(act.ReplySeen, do=[act.Forward(seen.frame)])
    if isinstance(event, act.ReplySeen):
        wake = act.WakeAt(event.t + int(fault.seconds * 1e9))
        yield from until(act.Timer, do=[act.Hold(event.frame), wake])
        yield [act.Forward(event.frame), act.TookEffect("late")]


def lose_reply(fault, seen):
    event = yield from until(act.ReplySeen, do=[act.Forward(seen.frame), act.Gate(TO_BROKER)])
    yield [act.Swallow(event.frame), act.Sever(), act.TookEffect("lost")]


def gate_both(fault, seen):
    gates = [act.Gate(TO_BROKER), act.Gate(TO_CLIENT)]
    yield from until(act.Timer, do=[act.Hold(seen.frame), *gates, act.WakeAt(seen.t + 50 * MS)])
    yield [act.Forward(seen.frame), act.TookEffect("dark for a while")]


def drained(fault, seen):
    yield from until(act.Drained, do=[act.Hold(seen.frame)])
    yield [act.Swallow(seen.frame), act.Sever(), act.TookEffect("lost")]


def refuse(fault, seen):
    data = pack(f"{seen.frame.correlation} err 6")
    yield [act.Swallow(seen.frame), act.Reply(seen.frame, data, 6), act.TookEffect("refused")]


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


# ---------------------------------------------------------------- the backlog has a limit


def test_reading_stops_when_too_much_waits_and_goes_on_after(recipe, monkeypatch):
    monkeypatch.setattr(link_module, "BACKLOG_LIMIT", 30)
    recipe("publish", "delay", hold)
    talk = Talk(on.publish(nth=1).delay(0.05))
    talk.play("""
        client P 1 t a + P 2 t bbbbbbbbbb + P 3 t cccccccccc + P 4 t d
          rule 0 triggered
    """)
    assert talk.link.paused == [True, False]
    talk.play("""
        at 50
          rule 0 took effect
          > P 1 t a
          > P 2 t bbbbbbbbbb
          > P 3 t cccccccccc
    """)
    assert talk.link.paused == [False, False]
    talk.play("""
        client P 5 t e
          > P 4 t d
          > P 5 t e
    """)


def test_a_cut_link_reads_on_so_that_it_can_end(recipe, monkeypatch):
    monkeypatch.setattr(link_module, "BACKLOG_LIMIT", 5)
    recipe("confirm", "drop", lose_reply)
    talk = Talk(on.confirm(nth=1).drop()).play("""
        client P 1 t a + P 2 t bbbbbbbbbb
          rule 0 triggered
          > P 1 t a
    """)
    assert talk.link.paused[TO_BROKER]
    talk.play("""
        broker 1 ok
          rule 0 took effect
          flush
    """)
    assert not talk.link.paused[TO_BROKER]


# ---------------------------------------------------------------- ends


def test_ends_pass_when_nothing_waits():
    Talk().play("""
        client eof
          passed
        broker eof
          passed
        client gone
        client gone
    """)


def test_what_a_client_said_before_its_end_goes_first(recipe):
    recipe("publish", "delay", hold)
    Talk(on.publish(nth=1).delay(0.05)).play("""
        client P 1 t a + P 2 t b
          rule 0 triggered
        client eof
        at 50
          rule 0 took effect
          > P 1 t a
          > P 2 t b
          flush
    """)


def test_an_end_passes_also_when_the_held_frame_is_swallowed(recipe):
    def swallow_late(fault, seen):
        yield from until(act.Timer, do=[act.Hold(seen.frame), act.WakeAt(50 * MS)])
        yield [act.Swallow(seen.frame), act.TookEffect("gone")]

    recipe("publish", "delay", swallow_late)
    Talk(on.publish(nth=1).delay(0.05)).play("""
        client P 1 t a
          rule 0 triggered
        client eof
        at 50
          rule 0 took effect
          flush
    """)


def test_a_held_reply_leaves_before_the_brokers_end(recipe):
    recipe("confirm", "delay", hold_reply)
    Talk(on.confirm(nth=1).delay(0.05)).play("""
        client P 1 t a
          rule 0 triggered
          > P 1 t a
        broker 1 ok
        broker eof
        at 50
          rule 0 took effect
          < 1 ok
          flush
    """)


def test_a_brokers_end_waits_behind_a_gate(recipe):
    recipe("publish", "hang", gate_both)
    Talk(on.publish(nth=1).hang(0.05)).play("""
        client P 1 t a
          rule 0 triggered
        broker eof
        at 50
          rule 0 took effect
          > P 1 t a
          flush
    """)


def dark(fault, seen):
    yield from until(act.Closed, do=[act.Swallow(seen.frame), act.Dark(), act.TookEffect("dark")])


def test_in_the_dark_nothing_passes_until_the_client_gives_up(recipe):
    recipe("publish", "hang", dark)
    talk = Talk(on.publish(nth=2).hang()).play("""
        client P 1 t a + P 2 t b
          rule 0 triggered
          rule 0 took effect
          > P 1 t a
        broker 1 ok
        client P 3 t c
        broker eof
        client eof
          flush
        client gone
    """)
    assert talk.notes("closed") == [{"note": "closed", "link": 1, "by": "client"}]
    assert talk.engine.firings == set()


def test_a_rule_that_lets_go_into_the_dark_moves_nothing(recipe):
    recipe("confirm", "delay", hold_reply)
    recipe("publish", "hang", dark)
    talk = Talk(on.confirm(nth=1).delay(0.05), on.publish(nth=2).hang()).play("""
        client P 1 t a + P 2 t b
          rule 0 triggered
          rule 1 triggered
          rule 1 took effect
          > P 1 t a
        at 50
        broker 1 ok
        client eof
          flush
        client gone
          rule 0 unharmed
    """)
    assert talk.fired() == [0, 1]


def test_a_held_reply_that_is_let_go_in_the_dark_is_lost(recipe):
    recipe("confirm", "delay", hold_reply)
    recipe("publish", "hang", dark)
    talk = Talk(on.confirm(nth=1).delay(0.05), on.publish(nth=2).hang()).play("""
        client P 1 t a
          rule 0 triggered
          > P 1 t a
        broker 1 ok
        client P 2 t b
          rule 1 triggered
          rule 1 took effect
        at 50
          rule 0 took effect
    """)
    assert [fate[0] for fate in talk.fates()] == ["P 1 t a", "P 2 t b"]  # of the reply: nothing


def test_requests_behind_a_gate_are_lost_in_the_dark(recipe):
    recipe("confirm", "delay", lose_later)
    recipe("deliver", "hang", dark)
    talk = Talk(on.confirm(nth=1).delay(0.05), on.deliver(nth=1).hang(), record=True).play("""
        client F 1 + P 2 t b + P 3 t c
          rule 0 triggered
          > F 1
          > P 2 t b
        broker 1 t=0:a
          rule 1 triggered
          rule 1 took effect
        at 50
          rule 0 took effect
    """)
    assert ("P 3 t c", "swallowed", None) in talk.fates()


def lose_later(fault, seen):
    gate = [act.Forward(seen.frame), act.Gate(TO_BROKER), act.WakeAt(50 * MS)]
    yield from until(act.Timer, do=gate)
    yield [act.TookEffect("gate opened")]


@pytest.mark.parametrize("reset", [True, False])
def test_a_cut_is_made_once(recipe, reset):
    def cut(fault, seen):
        yield [act.Swallow(seen.frame), act.Sever(fault.reset), act.Sever(), act.TookEffect("cut")]

    recipe("publish", "sever", cut)
    talk = Talk(on.publish(nth=1).sever(reset=reset)).play(f"""
        client P 1 t a
          rule 0 triggered
          rule 0 took effect
          {"reset" if reset else "flush"}
        broker gone
    """)
    assert len(talk.notes("closed")) == 1


# ---------------------------------------------------------------- what cannot be followed


def test_a_blind_link_forwards_and_is_told_once():
    talk = Talk()
    huge = b"\x7f\xff\xff\xff rest"
    talk.feed(1, TO_BROKER, huge)
    talk.feed(1, TO_CLIENT, b"anything")
    talk.lines()
    assert bytes(talk.raw[TO_BROKER]) == huge
    assert bytes(talk.raw[TO_CLIENT]) == b"anything"
    assert len(talk.notes("blind")) == 1
    talk.engine.begin({}, 0)
    assert len(talk.notes("blind")) == 2  # the next run is told as well


def test_a_reply_from_before_the_run_goes_first_and_into_no_history(recipe):
    recipe("publish", "hang", gate_both)
    talk = Talk(record=False)
    talk.play("""
        client C 1
          > C 1
    """)
    talk.engine.begin({"identity": "value"}, 0)
    talk.arm(on.publish(nth=1).hang(0.05))
    talk.lines()
    talk.play("""
        client C 2 + P 3 t a
          rule 0 triggered
          > C 2
        broker 1 pong
        broker 2 pong
        at 50
          rule 0 took effect
          > P 3 t a
          < 1 pong
          < 2 pong
    """)
    assert "1 pong" not in [fate[0] for fate in talk.fates()]
    assert not any(getattr(entry, "kind", 0) == -1 for entry in talk.entries())


def test_replies_from_before_the_run_keep_their_order(recipe):
    recipe("publish", "hang", gate_both)
    talk = Talk(record=False).play("""
        client C 1 + C 2
          > C 1
          > C 2
    """)
    talk.engine.begin({"identity": "value"}, 0)
    talk.arm(on.publish(nth=1).hang(0.05))
    talk.lines()
    talk.play("""
        client P 3 t a
          rule 0 triggered
        broker 1 pong + 2 pong
        at 50
          rule 0 took effect
          > P 3 t a
          < 1 pong
          < 2 pong
    """)
