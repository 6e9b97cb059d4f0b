"""Refusals: whole reply frames that carry one error code for everything that a request named.

They are what a broker sends that did not do what was asked. Errors that tell of broker state (22,
25, 90) are encoded as readily as others; whether sending them is fair is not known here.
"""

from __future__ import annotations

import dataclasses
import struct
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from pytest_mqchaos.errors import UsageError
from pytest_mqchaos.frames import Direction, Frame
from pytest_mqchaos.wire.kafka.apis import name_of
from pytest_mqchaos.wire.kafka.bodies import schema_of
from pytest_mqchaos.wire.kafka.compression import Unreadable
from pytest_mqchaos.wire.kafka.entities import encode, first_error, read, write_reply
from pytest_mqchaos.wire.kafka.error_codes import code_of
from pytest_mqchaos.wire.kafka.headers import body_of_reply

Fields = Mapping[str, Any]
Broker = tuple[int, str, int]  # node id, host, port


def error_reply(request: Frame, error: str | int, *, brokers: Sequence[Broker] = ()) -> bytes:
    """The whole frame that answers `request` with this error (name or code), its correlation kept.

    `brokers` fills a Metadata reply: clients do not like an empty cluster. A Fetch request inside a
    session may name no partition (nothing changed): then the error is the reply's own.
    Raises `UsageError` for a request that cannot be read or whose reply has no room for an error.
    """
    code = code_of(error)
    try:
        body = read(request)
    except Unreadable as why:
        raise UsageError(f"cannot answer this request with an error: {why}") from why
    build = _BUILDERS.get(request.name)
    if build is not None:
        fields = build(body, code)
    else:
        schema = schema_of(request.kind, request.version, reply=True)
        if "error_code" not in schema.__dataclass_fields__:
            raise UsageError(
                f"a {request.name} reply has no place for an error that is known here; "
                f"refuse one of {', '.join(sorted(_BUILDERS))}"
            )
        fields = _top(body, code)
    if request.name == "Metadata":
        fields = {**fields, "brokers": [_broker(*broker) for broker in brokers]}
    return write_reply(request.kind, request.version, request.correlation, fields)


def without_leaders(reply: Frame, error: str | int) -> bytes | None:
    """A Metadata reply as it is during an election: its brokers, and this error for every topic.

    None if it names no topic. Raises `UsageError` for a reply that cannot be read.
    """
    try:
        body = read(reply)
    except Unreadable as why:
        raise UsageError(f"cannot put an error into this reply: {why}") from why
    if not body.topics:
        return None
    code = type(body.topics[0].error_code)(code_of(error))
    topics = tuple(
        dataclasses.replace(topic, error_code=code, partitions=()) for topic in body.topics
    )
    start = body_of_reply(reply.raw, 0, len(reply.raw), reply.kind, reply.version).at
    data = reply.raw[4:start] + encode(dataclasses.replace(body, topics=topics))
    return struct.pack(">i", len(data)) + data


def reply_error_code(asked: Frame | bytes, reply: bytes | None = None) -> int | None:
    """The top error code of a reply, else the first one inside that is not 0, else 0; None if the
    reply cannot be read.

    `asked` is the request (a `Frame` or its bytes) and `reply` the bytes of its answer; or `asked`
    alone is a reply's `Frame`.
    """
    frame = asked if reply is None and isinstance(asked, Frame) else _reply_to(asked, reply or b"")
    try:
        return first_error(read(frame))
    except Unreadable:
        return None


def _reply_to(asked: Frame | bytes, reply: bytes) -> Frame:
    raw = asked.raw if isinstance(asked, Frame) else asked
    kind, version, correlation = struct.unpack_from(">hhi", raw, 4)
    return Frame(
        direction=Direction.TO_CLIENT,
        kind=kind,
        version=version,
        correlation=correlation,
        name=name_of(kind),
        raw=reply,
    )


def with_correlation(frame: Frame, correlation: int) -> bytes:
    """The frame's bytes under another correlation id."""
    at = 8 if frame.direction is Direction.TO_BROKER else 4
    return frame.raw[:at] + struct.pack(">i", correlation) + frame.raw[at + 4 :]


def _broker(node: int, host: str, port: int) -> Fields:
    return {"node_id": node, "host": host, "port": port}


def _named(topic: Any) -> dict[str, Any]:
    """How a topic entry is called, under every name that reply entries have for it."""
    name = getattr(topic, "name", None) or getattr(topic, "topic", None)
    return {"name": name, "topic": name, "topic_id": getattr(topic, "topic_id", None)}


def _top(_body: Any, code: int) -> Fields:
    return {"error_code": code, "producer_epoch": -1}


def _produce(body: Any, code: int) -> Fields:
    none = {"error_code": code, "base_offset": -1, "log_append_time": -1, "log_start_offset": -1}
    return {
        "responses": [
            _named(topic)
            | {
                "partition_responses": [
                    {"index": part.index, **none} for part in topic.partition_data
                ]
            }
            for topic in body.topic_data
        ]
    }


def _fetch(body: Any, code: int) -> Fields:
    # empty records, not null: librdkafka takes null beside an error for a protocol error
    none = {
        "error_code": code,
        "high_watermark": -1,
        "last_stable_offset": -1,
        "log_start_offset": -1,
        "aborted_transactions": (),
        "records": b"",
    }
    responses = [
        _named(topic)
        | {"partitions": [{"partition_index": part.partition, **none} for part in topic.partitions]}
        for topic in body.topics
        if topic.partitions
    ]
    # session 0: "no session"; the broker never saw this step of it, the client starts afresh
    return {"responses": responses, "error_code": 0 if responses else code, "session_id": 0}


def _per_partition(**more: int) -> Callable[[Any, int], Fields]:
    def build(body: Any, code: int) -> Fields:
        return {
            "topics": [
                _named(topic)
                | {
                    "partitions": [
                        {"partition_index": part.partition_index, "error_code": code, **more}
                        for part in topic.partitions
                    ]
                }
                for topic in body.topics
            ]
        }

    return build


def _join(body: Any, code: int) -> Fields:
    return {"error_code": code, "generation_id": -1, "member_id": body.member_id, "leader": ""}


def _added_partitions(body: Any, code: int) -> Fields:
    """Up to version 3, which clients send; newer ones (between brokers) have one error on top."""
    return {
        "error_code": code,
        "results_by_topic_v3_and_below": [
            {
                "name": topic.name,
                "results_by_partition": [
                    {"partition_index": index, "partition_error_code": code}
                    for index in topic.partitions
                ],
            }
            for topic in getattr(body, "v3_and_below_topics", ())
        ],
    }


def _metadata(body: Any, code: int) -> Fields:
    topics = [_named(topic) | {"error_code": code} for topic in body.topics or ()]
    return {"topics": topics, "controller_id": -1, "error_code": 0 if topics else code}


def _coordinator(body: Any, code: int) -> Fields:
    nobody = {"error_code": code, "node_id": -1, "host": "", "port": -1}
    keys = getattr(body, "coordinator_keys", ())
    return {**nobody, "coordinators": [{"key": key, **nobody} for key in keys]}


def _offsets(body: Any, code: int) -> Fields:
    groups = getattr(body, "groups", ())
    none = {"committed_offset": -1, "error_code": code}
    return {
        "error_code": code,
        "topics": [
            _named(topic)
            | {
                "partitions": [
                    {"partition_index": index, **none} for index in topic.partition_indexes
                ]
            }
            for topic in getattr(body, "topics", None) or ()
        ],
        "groups": [{"group_id": item.group_id, "error_code": code} for item in groups],
    }


def _topics(body: Any, code: int) -> Fields:
    return {"topics": [_named(topic) | {"error_code": code} for topic in body.topics]}


_BUILDERS: dict[str, Callable[[Any, int], Fields]] = {
    "Produce": _produce,
    "Fetch": _fetch,
    "OffsetCommit": _per_partition(),
    "TxnOffsetCommit": _per_partition(),
    "ListOffsets": _per_partition(offset=-1, timestamp=-1),
    "JoinGroup": _join,
    "Metadata": _metadata,
    "FindCoordinator": _coordinator,
    "OffsetFetch": _offsets,
    "CreateTopics": _topics,
    "SyncGroup": _top,
    "Heartbeat": _top,
    "LeaveGroup": _top,
    "InitProducerId": _top,
    "EndTxn": _top,
    "AddOffsetsToTxn": _top,
    "AddPartitionsToTxn": _added_partitions,
    "ConsumerGroupHeartbeat": _top,
}
REFUSABLE: frozenset[str] = frozenset(_BUILDERS)
