"""How links end: half-closes while something waits, darkness, cuts, what cannot be followed."""

from __future__ import annotations

import pytest

from pytest_mqchaos.frames import Direction
from pytest_mqchaos.plan.on import on
from pytest_mqchaos.recipes import base as act
from pytest_mqchaos.recipes.base import until
from pytest_mqchaos.relay import link as link_module
from tests.relay.faulty import (
    dark,
    gate_both,
    hold,
    hold_reply,
    lose_later,
    lose_reply,
    refuse,
)
from tests.relay.script import MS, Talk

TO_BROKER = Direction.TO_BROKER
TO_CLIENT = Direction.TO_CLIENT


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
    assert not talk.engine.firings


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


def test_a_link_that_goes_blind_while_a_rule_owes_an_answer_is_cut(recipe):
    """What can no longer be read would overtake the answer, which would then never leave."""
    recipe("publish", "refuse", refuse)
    talk = Talk(on.publish(nth=2).refuse())
    talk.do("client P 1 t a + P 2 t b")
    assert talk.lines() == ["rule 0 triggered", "rule 0 took effect", "> P 1 t a"]
    talk.feed(1, TO_CLIENT, b"\xff" * 8)
    assert talk.lines() == ["reset"]
    assert len(talk.notes("blind")) == 1
    assert bytes(talk.raw[TO_CLIENT]) == b""
