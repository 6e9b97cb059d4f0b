"""How records come to the end of their time: a real DeleteRecords moves the log's start, as
retention by time or size does, while the consumer is away for the moment of a reconnect.
"""

from __future__ import annotations

from pytest_mqchaos.recipes import base as act
from pytest_mqchaos.recipes.base import FrameSeen, Script, until
from pytest_mqchaos.wire.kafka.requests import delete_records, reply_error_code

ALL = -1  # DeleteRecords: everything below the high watermark


def expire(_fault: object, seen: FrameSeen) -> Script:
    """The answer with the records is held while the broker deletes all of their partitions; then it
    is lost with its connection. The consumer's position lies before the log's start."""
    places = {(record.topic, record.partition): ALL for record in seen.sighting.records}
    frame = delete_records(places)
    answered = yield from until(act.Answer, do=[act.Hold(seen.frame), act.SideRequest(frame)])
    raw = answered.value
    code = reply_error_code(frame, raw) if isinstance(raw, bytes) else None
    if code != 0:
        reason = f"the broker did not delete the records (answer {code})"
        yield [act.Forward(seen.frame), act.Unharmed(reason)]
        return
    names = ", ".join(f"{topic}-{partition}" for topic, partition in places)
    yield [
        act.Swallow(seen.frame),
        act.Sever(),
        act.TookEffect(f"all records of {names} deleted, the answer lost"),
    ]
