"""Every Kafka recipe by (point, verb): the working side of the legality table."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pytest_mqchaos.frames import Point
from pytest_mqchaos.recipes.base import FrameSeen, Script, Scripted
from pytest_mqchaos.recipes.kafka import (
    acks,
    brokers,
    control,
    cuts,
    processes,
    publish,
    replies,
    retention,
)
from pytest_mqchaos.recipes.registry import Maker

Writer = Callable[[Any, FrameSeen], Script]


def _maker(write: Writer) -> Maker:
    return lambda fault: Scripted(lambda seen: write(fault, seen))


_WRITERS: dict[tuple[Point, str], Writer] = {
    (Point.PUBLISH, "drop"): publish.lose,
    (Point.PUBLISH, "duplicate"): publish.duplicate,
    (Point.PUBLISH, "reorder"): publish.reorder,
    (Point.PUBLISH, "refuse"): publish.refuse,
    (Point.PUBLISH, "sever"): cuts.sever,
    (Point.PUBLISH, "hang"): replies.hang_frame,
    (Point.PUBLISH, "crash_worker"): processes.crash_at_request,
    (Point.CONFIRM, "drop"): replies.lose,
    (Point.CONFIRM, "delay"): replies.delay_reply,
    (Point.CONFIRM, "hang"): replies.hang_reply,
    (Point.CONFIRM, "crash_worker"): processes.crash_at_reply,
    (Point.DELIVER, "delay"): replies.delay_frame,
    (Point.DELIVER, "sever"): replies.sever_reply,
    (Point.DELIVER, "crash_worker"): processes.crash_at_reply,
    (Point.DELIVER, "expire"): retention.expire,
    (Point.ACK, "drop"): cuts.lose,
    (Point.ACK, "refuse"): acks.refuse,
    (Point.ACK, "redeliver"): acks.evict,
    (Point.ACK, "hang"): replies.hang_frame,
    (Point.ACK, "crash_worker"): processes.crash_at_request,
    (Point.ACK_CONFIRM, "drop"): replies.lose,
    (Point.CONTROL, "refuse"): control.refuse,
    (Point.CONTROL, "sever"): cuts.sever,
    (Point.CONTROL, "crash_worker"): processes.crash_at_request,
    (Point.CONTROL, "rebalance"): acks.evict,
}
_ON_BROKERS: dict[str, Writer] = {
    "kill_broker": brokers.kill_broker,
    "pause_broker": brokers.pause_broker,
    "restart_broker": brokers.restart_broker,
    "power_loss": brokers.power_loss,
    "move_leader": brokers.move_leader,
    "partition": brokers.partition,
}
for _point in (Point.PUBLISH, Point.DELIVER, Point.ACK, Point.CONTROL):
    _WRITERS.update({(_point, verb): write for verb, write in _ON_BROKERS.items()})
del _WRITERS[Point.CONTROL, "move_leader"]  # a control request names no partition

RECIPES: dict[tuple[Point, str], Maker] = {
    place: _maker(writer) for place, writer in _WRITERS.items()
}
