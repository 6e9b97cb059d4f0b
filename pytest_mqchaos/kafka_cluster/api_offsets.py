"""ListOffsets and DeleteRecords: where a log starts and ends."""

from __future__ import annotations

from typing import Any

from kio.schema.errors import ErrorCode

from pytest_mqchaos.kafka_cluster.leader import Leader
from pytest_mqchaos.kafka_cluster.registry import Call
from pytest_mqchaos.kafka_cluster.schema import Values
from pytest_mqchaos.kafka_cluster.timestamps import Stamp, find, latest
from pytest_mqchaos.wire.kafka.compression import Unreadable

_LATEST, _EARLIEST, _MAX_TIMESTAMP, _EARLIEST_LOCAL = -1, -2, -3, -4
_READ_COMMITTED = 1


def list_offsets(call: Call) -> Values:
    """ListOffsets: earliest -2, latest -1, largest timestamp -3, or first at or after a time."""
    return {
        "topics": [
            {
                "name": topic.name,
                "partitions": [_listed(call, topic.name, one) for one in topic.partitions],
            }
            for topic in call.body.topics
        ]
    }


def delete_records(call: Call) -> Values:
    """DeleteRecords: move log starts forward; -1 means to the high watermark."""
    return {
        "topics": [
            {
                "name": topic.name,
                "partitions": [
                    _deleted(call, topic.name, one.partition_index, one.offset)
                    for one in topic.partitions
                ],
            }
            for topic in call.body.topics
        ]
    }


def _listed(call: Call, topic: str, one: Any) -> dict[str, Any]:
    partition, code = leader(
        call, topic, one.partition_index, getattr(one, "current_leader_epoch", -1)
    )
    stamp, epoch = Stamp(-1, -1), -1
    if partition is not None:
        committed = getattr(call.body, "isolation_level", 0) == _READ_COMMITTED
        try:
            stamp = _stamp(partition, one.timestamp, committed=committed)
        except Unreadable:  # a producer's records that nobody can decompress
            code = ErrorCode.corrupt_message
        epoch = partition.epoch if stamp.offset >= 0 else -1
    return {
        "partition_index": one.partition_index,
        "error_code": code,
        "timestamp": stamp.timestamp,
        "offset": stamp.offset,
        "leader_epoch": epoch,
    }


def _stamp(partition: Leader, timestamp: int, *, committed: bool) -> Stamp:
    up_to = partition.last_stable if committed else partition.high_watermark
    if timestamp == _LATEST:
        return Stamp(-1, up_to)
    if timestamp in {_EARLIEST, _EARLIEST_LOCAL}:
        return Stamp(-1, partition.log.start)
    if timestamp == _MAX_TIMESTAMP:
        return latest(partition.log)
    return find(partition.log, timestamp, up_to)


def _deleted(call: Call, topic: str, index: int, offset: int) -> dict[str, Any]:
    partition, code = leader(call, topic, index, -1)
    if partition is not None:
        code = partition.delete_before(offset, call.now)
    low = -1 if partition is None or code is not ErrorCode.none else partition.log.start
    return {"partition_index": index, "error_code": code, "low_watermark": low}


def leader(call: Call, topic: str, index: int, epoch: int) -> tuple[Leader | None, ErrorCode]:
    """Give the partition's leader if this node is it and the client means this term of it (-1:
    any), else the error that says why not."""
    partition = call.state.topics.partition(topic, index)
    if partition is None:
        return None, ErrorCode.unknown_topic_or_partition
    code = partition.refuse(call.node, epoch)
    return (partition.led_by(call.node), code) if code is ErrorCode.none else (None, code)
