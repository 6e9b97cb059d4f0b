"""How trouble is caused at Kafka's replies: Produce (confirm), OffsetCommit (ack_confirm) and Fetch
(deliver). The firing starts when the *request* passes, because what follows it must be kept back.
"""

from __future__ import annotations

from collections.abc import Generator

from pytest_mqchaos.faults.delay import Delay
from pytest_mqchaos.frames import Direction, Frame
from pytest_mqchaos.recipes import base as act
from pytest_mqchaos.recipes.base import READ_NS, FrameSeen, ReplySeen, Script, until

NO_CONFIRM = "acks=0 has no confirm"
REFUSED = "the broker refused it: there was no success to lose"


def answered(
    seen: FrameSeen, *more: act.Action
) -> Generator[list[act.Action], act.Event, ReplySeen | None]:
    """Inside a script: let the request go (and do `more`), then wait for its reply. None, and told
    as unharmed, for a request that gets none."""
    if not seen.frame.expects_reply:
        yield [act.Forward(seen.frame), act.Unharmed(NO_CONFIRM)]
        return None
    return (yield from until(ReplySeen, do=[act.Forward(seen.frame), *more]))


def lose(_fault: object, seen: FrameSeen) -> Script:
    """Gate: forward the request and nothing behind it, lose its reply, close. Without the gate
    later requests would be stored and resent as well: more than one copy."""
    event = yield from answered(seen, act.Gate(Direction.TO_BROKER))
    if event is None:
        return
    if any(outcome.code for outcome in event.sighting.outcomes):
        yield [act.Forward(event.frame), act.Unharmed(REFUSED)]
        return
    yield from until(act.Timer, do=[act.Hold(event.frame), act.WakeAt(event.t + READ_NS)])
    yield [act.Swallow(event.frame), act.Sever(), act.TookEffect("reply lost")]


def delay_reply(fault: Delay, seen: FrameSeen) -> Script:
    """Hold the reply, and what comes behind it: replies stay in order."""
    event = yield from answered(seen)
    if event is None:
        return
    yield from _late(fault, event.frame, event.t)


def delay_frame(fault: Delay, seen: FrameSeen) -> Script:
    """Hold the frame itself."""
    yield from _late(fault, seen.frame, seen.t)


def _late(fault: Delay, frame: Frame, t: int) -> Script:
    """Too late is late as well: who waited less than that gave up because of us."""
    wake = act.WakeAt(t + int(fault.seconds * 1e9))
    event = yield from until(act.Timer, act.Closed, do=[act.Hold(frame), wake])
    if not isinstance(event, act.Closed):
        yield [act.Forward(frame), act.TookEffect(f"{fault.seconds} s late")]
    elif event.by_client:
        yield [act.Swallow(frame), act.TookEffect("late until the connection was given up")]
    else:
        yield []  # not because of us: whoever watches the link says who ended it


def sever_reply(fault: object, seen: FrameSeen) -> Script:
    """A delivery that never arrives, with its connection."""
    reset = bool(getattr(fault, "reset", False))
    yield [act.Swallow(seen.frame), act.Sever(reset), act.TookEffect("delivery lost")]


def hang_reply(fault: object, seen: FrameSeen) -> Script:
    """The broker took the request; its reply and all that follows is lost in the dark."""
    event = yield from answered(seen)
    if event is None:
        return
    yield from dark(fault, event.frame, event.t)


def hang_frame(fault: object, seen: FrameSeen) -> Script:
    """From this frame on nothing passes."""
    yield from dark(fault, seen.frame, seen.t)


def dark(fault: object, frame: Frame, t: int) -> Script:
    """Nothing passes either way: for a while (then everything flows on, as when a network comes
    back), or until the client gives up."""
    seconds = getattr(fault, "for_", None)
    if seconds is None:
        yield from until(
            act.Closed, do=[act.Swallow(frame), act.Dark(), act.TookEffect("connection dark")]
        )
        return
    gates: list[act.Action] = [act.Gate(Direction.TO_BROKER), act.Gate(Direction.TO_CLIENT)]
    wake = act.WakeAt(t + int(seconds * 1e9))
    event = yield from until(act.Timer, act.Closed, do=[act.Hold(frame), *gates, wake])
    if isinstance(event, act.Closed):
        yield [act.Swallow(frame), act.TookEffect("dark until the connection was given up")]
        return
    yield [act.Forward(frame), act.TookEffect(f"dark for {seconds} s")]
