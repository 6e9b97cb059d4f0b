"""How a request is lost together with its connection, whatever it asks: Kafka answers in order, so
a stream cannot lose one request and carry on.
"""

from __future__ import annotations

from pytest_mqchaos.recipes import base as act
from pytest_mqchaos.recipes.base import READ_NS, FrameSeen, Script, until


def lose(_fault: object, seen: FrameSeen) -> Script:
    """Drain, swallow, sever: what was answered before is read before the cut."""
    drained = yield from until(act.Drained, do=[act.Hold(seen.frame)])
    yield from until(act.Timer, do=[act.WakeAt(drained.t + READ_NS)])
    yield [act.Swallow(seen.frame), act.Sever(), act.TookEffect("request lost, connection closed")]


def sever(fault: object, seen: FrameSeen) -> Script:
    """Cut now: this request and the unanswered replies before it are lost together."""
    reset = bool(getattr(fault, "reset", False))
    yield [act.Swallow(seen.frame), act.Sever(reset), act.TookEffect("connection cut")]
