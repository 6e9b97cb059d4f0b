"""Recipes for the toy protocol that several tests use."""

from __future__ import annotations

from pytest_mqchaos.frames import Direction
from pytest_mqchaos.recipes import base as act
from pytest_mqchaos.recipes.base import until
from tests.relay.script import MS
from tests.relay.toy import pack

TO_BROKER = Direction.TO_BROKER
TO_CLIENT = Direction.TO_CLIENT
WAIT = 50 * MS


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


def dark(fault, seen):
    yield from until(act.Closed, do=[act.Swallow(seen.frame), act.Dark(), act.TookEffect("dark")])


def lose_later(fault, seen):
    gate = [act.Forward(seen.frame), act.Gate(TO_BROKER), act.WakeAt(50 * MS)]
    yield from until(act.Timer, do=gate)
    yield [act.TookEffect("gate opened")]


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
