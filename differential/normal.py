"""An answer without what may differ between two brokers that are both right.

Ids become marks, names lose their prefix, texts of errors, throttle times, addresses and the
cluster's own id are left out, what comes in no order is sorted. Everything else has to be equal.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
import uuid
from collections.abc import Iterator
from enum import Enum
from typing import Any

from differential.marks import OWN, STAMP, Marks
from pytest_mqchaos.wire.kafka.records import batches, read_batch

# By name of the field, in every answer.
_LEFT_OUT = frozenset({
    "throttle_time", "error_message", "batch_index_error_message", "cluster_id", "controller_id",
    "host", "port", "rack", "session_id", "node_endpoints", "topic_config_error_code",
})  # fmt: skip
_UNORDERED = frozenset({
    "members", "groups", "topics", "coordinators", "responses", "configs", "topic_partitions",
    "subscribed_topic_names", "transaction_states", "brokers",
})  # fmt: skip
_IDENTITIES = ("group_id", "member_id", "name", "topic", "topic_id", "resource_name")
_MEMBERS = frozenset({"member_id", "leader"})
# Which node it is differs; whether there is one, and how many copies, does not.
_NODES = frozenset({"leader_id", "node_id", "replica_nodes", "isr_nodes", "offline_replicas"})
_MILLISECOND = dt.timedelta(milliseconds=1)


def normal(body: Any, marks: Marks) -> Any:
    """Plain data that fits into JSON."""
    # A new topic comes with all its configs: hundreds in Kafka, those that are acted on here.
    left_out = _LEFT_OUT | ({"configs"} if hasattr(body, "topic_config_error_code") else set())
    return {
        field.name: _field(field.name, getattr(body, field.name), marks)
        for field in dataclasses.fields(body)
        if field.name not in left_out
    }


def _field(name: str, value: Any, marks: Marks) -> Any:
    if name in _MEMBERS and isinstance(value, str):
        return marks.member(value)
    if name == "producer_id":
        return marks.producer(int(value))
    if name in _NODES:
        return _nodes(value)
    if name == "records":
        return list(_batches(bytes(value or b""), marks))
    found = _plain(value, marks)
    if name in _UNORDERED and isinstance(found, list):
        found = [each for each in found if not _foreign(each)]
        found.sort(key=_place)
    if name == "partitions" and isinstance(found, list):  # bare numbers: an assignment
        return found if any(isinstance(each, dict) for each in found) else sorted(found)
    return found


def _plain(value: Any, marks: Marks) -> Any:
    match value:
        case Enum():
            return value.name
        case str():
            return marks.name(str(value))
        case bytes():
            return value.hex()
        case uuid.UUID():
            return marks.topic(value)
        case tuple() | list():
            return [_plain(each, marks) for each in value]
    return normal(value, marks) if dataclasses.is_dataclass(value) else _number(value)


def _nodes(value: Any) -> object:
    if isinstance(value, tuple | list):
        return len(value)
    return "a node" if value >= 0 else int(value)


def _number(value: Any) -> Any:
    match value:
        case dt.timedelta():
            return value // _MILLISECOND
        case dt.datetime():
            return round(value.timestamp() * 1000) - STAMP
    return value


def _place(row: Any) -> tuple[str, str]:
    """By what it is about, so that two lists with one difference do not differ in all rows."""
    names = [str(row[name]) for name in _IDENTITIES if name in row] if isinstance(row, dict) else []
    return " ".join(names), json.dumps(row, sort_keys=True)


def _foreign(row: Any) -> bool:
    """A group or a transaction of another conversation, in a list of all."""
    names = ("group_id", "transactional_id")
    return isinstance(row, dict) and not all(str(row.get(n, OWN)).startswith(OWN) for n in names)


def _batches(blob: bytes, marks: Marks) -> Iterator[dict[str, Any]]:
    for batch in batches(blob):
        rows = [] if batch.control else read_batch(blob, batch, "", 0)
        yield {
            "offsets": [batch.base_offset, batch.last_offset],
            "producer": marks.producer(batch.producer_id),
            "epoch": batch.producer_epoch,
            "sequence": batch.base_sequence,
            "transactional": batch.transactional,
            "control": batch.control,
            "records": [
                [row.offset, (row.value or b"").decode(), row.timestamp - STAMP] for row in rows
            ],
        }
