"""ListOffsets, OffsetForLeaderEpoch, DeleteRecords: where a log and its epochs start and end."""

from __future__ import annotations

from typing import Any

from kio.schema.errors import ErrorCode

from pytest_mqchaos.kafka_cluster.logs.epochs import NO_EPOCH, NO_OFFSET, EpochEnd
from pytest_mqchaos.kafka_cluster.logs.timestamps import Stamp, find, latest
from pytest_mqchaos.kafka_cluster.registry import Call
from pytest_mqchaos.kafka_cluster.replicas.leader import Leader
from pytest_mqchaos.kafka_cluster.schema import Values
from pytest_mqchaos.wire.kafka.compression import Unreadable

_LATEST, _EARLIEST, _MAX_TIMESTAMP, _EARLIEST_LOCAL = -1, -2, -3, -4
_READ_COMMITTED = 1
_NOT_AVAILABLE_FROM = 5


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
        up_to = partition.last_stable if committed else partition.high_watermark
        try:
            stamp = _stamp(partition, one.timestamp, up_to)
        except Unreadable:  # a producer's records that nobody can decompress
            code = ErrorCode.corrupt_message
        earliest = one.timestamp in {_EARLIEST, _EARLIEST_LOCAL}
        if up_to < partition.began_at and not (earliest or 0 <= stamp.offset < up_to):
            stamp, code = Stamp(-1, -1), _unsure(call)
        if stamp.offset >= 0:
            epoch = partition.replica.epochs.at(stamp.offset)
    return {
        "partition_index": one.partition_index,
        "error_code": code,
        "timestamp": stamp.timestamp,
        "offset": stamp.offset,
        "leader_epoch": epoch,
    }


def _unsure(call: Call) -> ErrorCode:
    """A new leader does not know yet how much of its log is everywhere (KIP-207)."""
    told = call.version >= _NOT_AVAILABLE_FROM
    return ErrorCode.offset_not_available if told else ErrorCode.leader_not_available


def _stamp(partition: Leader, timestamp: int, up_to: int) -> Stamp:
    if timestamp == _LATEST:
        return Stamp(-1, up_to)
    if timestamp in {_EARLIEST, _EARLIEST_LOCAL}:
        return Stamp(-1, partition.log.start)
    if timestamp == _MAX_TIMESTAMP:
        stamp = latest(partition.log)
        return stamp if stamp.offset < up_to else Stamp(-1, -1)
    return find(partition.log, timestamp, up_to)


def epoch_ends(call: Call) -> Values:
    """OffsetForLeaderEpoch: where an epoch ends in the leader's log (KIP-101, KIP-320)."""
    return {
        "topics": [
            {
                "topic": topic.topic,
                "partitions": [_epoch_end(call, topic.topic, one) for one in topic.partitions],
            }
            for topic in call.body.topics
        ]
    }


def _epoch_end(call: Call, topic: str, one: Any) -> dict[str, Any]:
    found, code = leader(call, topic, one.partition, one.current_leader_epoch)
    end = EpochEnd(NO_EPOCH, NO_OFFSET)
    if found is not None:
        end = found.replica.epochs.end_of(one.leader_epoch, found.log.end)
    return {
        "error_code": code,
        "partition": one.partition,
        "leader_epoch": end.epoch,
        "end_offset": end.offset,
    }


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
