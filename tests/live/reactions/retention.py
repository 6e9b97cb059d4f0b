"""Positions that the log no longer has: records are deleted (as retention does) below and above a
group's committed position while nobody reads. No rule: the cause is an admin request."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from confluent_kafka import TopicPartition
from confluent_kafka.admin import AdminClient

from pytest_mqchaos import on
from tests.conformance.consuming import CLIENTS, TAKERS
from tests.conformance.conversing import conversation
from tests.conformance.producing import SENDERS
from tests.live.reactions.case import TEN, Case, said, series
from tests.live.reactions.taking import settings

LIMIT = 20
LATER = ["p11", "p12"]
RAISES = {  # what reaches the application when there is nothing to reset to
    "aiokafka": "OffsetOutOfRangeError",
    "confluent": "_AUTO_OFFSET_RESET",
    "kafka-python": "OffsetOutOfRangeError",
}


def delete_below(seen, offset):
    """Delete what stands below an offset, as a retention limit would."""
    admin = AdminClient({"bootstrap.servers": str(seen.servers)})
    for future in admin.delete_records([TopicPartition(seen.topic, 0, offset)]).values():
        future.result(LIMIT)


def deleted(broker, case):
    """Five of ten are committed, eight are deleted; then the group comes back."""
    with conversation(broker) as seen:
        SENDERS["aiokafka"](seen.servers, seen.topic, TEN, together=True)
        take = TAKERS[case.client]
        steps = take(seen.servers, seen.topic, seen.group, last="p5", **_one_a_poll(case.client))
        assert [step.id for step in steps] == TEN[:5], steps
        delete_below(seen, 8)
        reset = settings(case.client, auto_offset_reset=case.mode)
        if case.mode in ("none", "error"):
            return _raised(take, seen, reset)
        steps = _come_back(take, seen, case.mode, reset)
        got = [step.id for step in steps]
        lost = [one for one in TEN[5:] if one not in got]
        wrong = {step.error for step in steps} - {None}
        return said(f"{series(lost)} lost", "no error" if not wrong else str(wrong))


def _one_a_poll(client):
    return {"max_poll_records": 1} if client == "kafka-python" else {}


def _come_back(take, seen, mode, reset):
    """Take until the end; who starts there is sent two more to see, once it has looked for it."""
    if mode == "earliest":
        return take(seen.servers, seen.topic, seen.group, last="p10", **reset)
    asked = seen.chaos.arm(
        on.control(api="ListOffsets", client="test", nth=1000).sever(optional=True)
    )
    with ThreadPoolExecutor(1) as pool:
        taking = pool.submit(take, seen.servers, seen.topic, seen.group, last=LATER[-1], **reset)
        seen.chaos.wait_for(lambda: asked.matched, LIMIT, "the consumer to ask for the end")
        seen.chaos.publish(seen.topic, LATER)
        return taking.result(2 * LIMIT)


def _raised(take, seen, reset):
    """What the application is told when the client may not choose a position by itself."""
    try:
        take(seen.servers, seen.topic, seen.group, last=lambda _: False, limit=LIMIT, **reset)
    except Exception as error:  # noqa: BLE001 - what it was is the result
        return _name(error)
    return "nothing raised"


def _name(error):
    code = getattr(error.args[0], "name", None) if error.args else None
    return code() if code else type(error).__name__


def cases():
    """Every row."""
    name = "deleted to 8, committed 5"
    for client in CLIENTS:
        none = "none" if client != "confluent" else "error"
        lines = {
            "earliest": ("6..8 lost; no error",),
            "latest": ("6..10 lost; no error",),
            none: (RAISES[client],),
        }
        for mode, expected in lines.items():
            yield Case(
                section="2", name=name, client=client, mode=mode, rule="", run=deleted,
                expected=expected, why="no rule: records deleted by an admin request",
            )  # fmt: skip
