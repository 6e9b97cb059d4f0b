"""Produce and InitProducerId: batches in, offsets out."""

from __future__ import annotations

from typing import Any

from kio.schema.errors import ErrorCode

from pytest_mqchaos.kafka_cluster import batches
from pytest_mqchaos.kafka_cluster.batches import Batch, Unreadable
from pytest_mqchaos.kafka_cluster.partition import Appended, Partition
from pytest_mqchaos.kafka_cluster.registry import Call, Instead
from pytest_mqchaos.kafka_cluster.schema import Values

_ALL_REPLICAS, _NO_ANSWER = -1, 0
_ACKS = (_ALL_REPLICAS, _NO_ANSWER, 1)
_ZSTD_FROM = 7  # KIP-110


def produce(call: Call) -> Values | Instead:
    """Produce: append each batch at its leader. acks=0 gets no answer; its errors end the
    connection, as in Kafka: the client has no other way to hear of them."""
    failed = False
    responses = []
    for topic in call.body.topic_data:
        answers = []
        for one in topic.partition_data:
            done = _append(call, topic.name, one.index, one.records)
            failed |= done.code is not ErrorCode.none
            answers.append(_answer(call, topic.name, one.index, done))
        responses.append({"name": topic.name, "partition_responses": answers})
    if call.body.acks == _NO_ANSWER:
        return Instead.HANG_UP if failed else Instead.SILENCE
    return {"responses": responses}


def init_producer_id(call: Call) -> Values:
    """InitProducerId for idempotent producers; transactional ids are refused (no coordinator)."""
    if call.body.transactional_id is not None:
        return _producer(ErrorCode.transactional_id_authorization_failed, -1, -1)
    return _producer(ErrorCode.none, call.state.new_producer_id(), 0)


def _producer(code: ErrorCode, producer_id: int, epoch: int) -> Values:
    return {"error_code": code, "producer_id": producer_id, "producer_epoch": epoch}


def _append(call: Call, topic: str, index: int, records: bytes | None) -> Appended:
    if call.body.acks not in _ACKS:
        return Appended(ErrorCode.invalid_required_acks)
    partition = call.state.topics.partition(topic, index)
    if partition is None:
        return Appended(ErrorCode.unknown_topic_or_partition)
    if partition.leader != call.node:
        return Appended(ErrorCode.not_leader_or_follower)
    try:
        batch = batches.read(records or b"")
    except Unreadable as error:
        code = ErrorCode.corrupt_message if error.corrupt else ErrorCode.invalid_record
        return Appended(code, message=str(error))
    refused = _refuse(call, partition, batch)
    return refused or partition.append(batch, call.now)


def _refuse(call: Call, partition: Partition, batch: Batch) -> Appended | None:
    config, name = call.state.topics.config, partition.topic
    if batch.codec == batches.ZSTD and call.version < _ZSTD_FROM:
        return Appended(ErrorCode.unsupported_compression_type)
    if batch.codec > batches.ZSTD:
        return Appended(ErrorCode.corrupt_message, message=f"unknown compression {batch.codec}")
    if batch.control:
        return Appended(ErrorCode.invalid_record, message="Clients may not write control records.")
    if batch.transactional:
        return Appended(ErrorCode.invalid_txn_state, message="There are no transactions here.")
    if batch.producer_id >= 0 and (batch.first_sequence < 0 or batch.epoch < 0):
        return Appended(ErrorCode.invalid_record, message="A producer id needs epoch and sequence.")
    if len(batch.raw) > int(config(name, "max.message.bytes")):
        return Appended(ErrorCode.message_too_large)
    wanted = int(config(name, "min.insync.replicas"))
    if call.body.acks == _ALL_REPLICAS and len(partition.in_sync) < wanted:
        return Appended(ErrorCode.not_enough_replicas)
    return None


def _answer(call: Call, topic: str, index: int, done: Appended) -> dict[str, Any]:
    values: dict[str, Any] = {
        "index": index,
        "error_code": done.code,
        "base_offset": done.offset,
        "log_append_time": done.timestamp,
        "log_start_offset": -1,
        "record_errors": (),
        "error_message": done.message,
    }
    partition = call.state.topics.partition(topic, index)
    if partition is not None and done.code is ErrorCode.none:
        values["log_start_offset"] = partition.log.start
    return values
