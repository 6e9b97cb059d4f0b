"""Workers that end at an exact frame: the link holds it, the controller acts, the frame goes on
or never arrives. What the process would still have said never reaches the broker.
"""

from __future__ import annotations

from pytest_mqchaos.faults.crash_worker import CrashWorker
from pytest_mqchaos.frames import Direction, Frame
from pytest_mqchaos.recipes import base as act
from pytest_mqchaos.recipes.base import FrameSeen, ReplySeen, Script, until
from pytest_mqchaos.recipes.kafka.replies import answered


def _crash(fault: CrashWorker, held: Frame, before: list[act.Action]) -> Script:
    """`held` waits; when the worker can be killed its links are cut first, then it dies. (A process
    is stopped before: it must not see the cut, and go on as after a failed request.)"""
    arguments = {"scope": fault.scope}
    event = yield from until(act.Answer, do=[act.Hold(held), act.Ask("may_crash", arguments)])
    refused = act.refusal(event)
    if refused is not None:
        yield [act.Forward(held), act.Unharmed(refused)]
        return
    ask = act.Ask("crash_worker", arguments)
    # What forked the child lives on, and so do its other children: their links stay.
    cut = act.Sever() if fault.scope == "child" else act.CutOwner()
    event = yield from until(act.Answer, do=[*before, cut, ask])
    refused = act.refusal(event)
    yield [act.Unharmed(refused) if refused else act.TookEffect(f"crashed {fault.when} the frame")]


def crash_at_request(fault: CrashWorker, seen: FrameSeen) -> Script:
    """before: the request never arrives; after: the broker has answered it, the worker never
    hears."""
    if fault.when == "before":
        yield from _crash(fault, seen.frame, [act.Swallow(seen.frame)])
        return
    if not seen.frame.expects_reply:  # nothing to wait for: it leaves, then the worker dies
        yield from _crash(fault, seen.frame, [act.Forward(seen.frame)])
        return
    event = yield from until(ReplySeen, do=[act.Forward(seen.frame)])
    yield from _crash(fault, event.frame, [act.Swallow(event.frame)])


def crash_at_reply(fault: CrashWorker, seen: FrameSeen) -> Script:
    """before: the reply never arrives; after: it has left towards the client."""
    frame = seen.frame
    if seen.frame.direction is Direction.TO_BROKER:  # a confirm: we were started by its request
        event = yield from answered(seen)
        if event is None:
            return
        frame = event.frame
    let: act.Action = act.Swallow(frame) if fault.when == "before" else act.Forward(frame)
    yield from _crash(fault, frame, [let])
