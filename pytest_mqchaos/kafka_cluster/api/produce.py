"""Produce: batches in, offsets out."""

from __future__ import annotations

from kio.schema.errors import ErrorCode

from pytest_mqchaos.kafka_cluster.api.produced import Produced, Waiting, answer
from pytest_mqchaos.kafka_cluster.api.verifying import Support, verify
from pytest_mqchaos.kafka_cluster.logs import batches
from pytest_mqchaos.kafka_cluster.logs.batches import Batch, Unreadable
from pytest_mqchaos.kafka_cluster.logs.compaction import records
from pytest_mqchaos.kafka_cluster.registry import Call, Instead
from pytest_mqchaos.kafka_cluster.replicas.leader import Appended, Leader
from pytest_mqchaos.kafka_cluster.schema import Values, milliseconds
from pytest_mqchaos.kafka_cluster.transactions.transaction import Identity, Place
from pytest_mqchaos.wire.kafka.compression import Unreadable as Broken

_ALL_REPLICAS, _NO_ANSWER = -1, 0
_ACKS = (_ALL_REPLICAS, _NO_ANSWER, 1)
_COMPACT = "compact"
_ZSTD_FROM = 7  # KIP-110
_CODEC_AT, _CODEC = 22, 7  # where a batch names its codec, and the bits
_ADDS_FROM, _ABORTABLE_FROM = 12, 11  # KIP-890
_COME_AGAIN = (ErrorCode.concurrent_transactions, ErrorCode.coordinator_not_available)


def produce(call: Call) -> Values | Instead:
    """Produce: append each batch at its leader; acks=all is answered when the high watermark has
    passed it. acks=0 gets no answer; its errors end the connection, as in Kafka: the client has no
    other way to hear of them."""
    produced = [
        _append(call, topic.name, one.index, one.records)
        for topic in call.body.topic_data
        for one in topic.partition_data
    ]
    acks = call.body.acks
    if acks == _NO_ANSWER:
        failed = any(one.done.code is not ErrorCode.none for one in produced)
        return Instead.HANG_UP if failed else Instead.SILENCE
    if acks == _ALL_REPLICAS:
        produced = [one.judged() for one in produced]
        if not all(one.final for one in produced):
            Waiting(call, produced, milliseconds(call.body.timeout))
            return Instead.LATER
    return answer(call, produced)


def _append(call: Call, topic: str, index: int, records: bytes | None) -> Produced:
    partition = call.state.topics.partition(topic, index)
    leader = None if partition is None else partition.led_by(call.node)
    if partition is None:
        done = Appended(ErrorCode.unknown_topic_or_partition)
    else:
        done = _judge(call, (topic, index), leader, records or b"")
    return Produced(topic, index, leader, done)


def _judge(call: Call, place: Place, leader: Leader | None, records: bytes) -> Appended:
    """In Kafka's order: what is no batch, whose it is, acks, who leads, what is wrong inside."""
    wrong: Unreadable | None = None
    try:
        batch = batches.read(records)
    except Unreadable as error:
        if not error.corrupt:
            return Appended(ErrorCode.invalid_record, message=str(error))
        wrong = error
    if wrong is None and batch.transactional and call.body.transactional_id is None:
        return Appended(ErrorCode.transactional_id_authorization_failed)
    if call.version < _ZSTD_FROM and records[_CODEC_AT] & _CODEC == batches.ZSTD:
        return Appended(ErrorCode.unsupported_compression_type)
    if call.body.acks not in _ACKS:
        return Appended(ErrorCode.invalid_required_acks)
    if leader is None:
        return Appended(ErrorCode.not_leader_or_follower)
    if wrong is not None:
        return Appended(ErrorCode.corrupt_message, message=str(wrong))
    refused = _verify(call, place, leader, batch) if batch.transactional else None
    refused = refused or _refuse(call, place[0], leader, batch)
    return refused or leader.append(batch, call.now)._replace(in_log=True)


def _verify(call: Call, place: Place, leader: Leader, batch: Batch) -> Appended | None:
    """Refuse a batch that its transaction's coordinator does not know of (KIP-890)."""
    identity = Identity(batch.producer_id, batch.epoch)
    if leader.replica.producers.ongoing(*identity):
        return None
    support = Support.of(call.version, adds=_ADDS_FROM, abortable=_ABORTABLE_FROM)
    name = call.body.transactional_id
    leader.replica.producers.verifying(batch, adds=support is Support.ADDS)
    code = verify(call.state, name, identity, place, support, call.now)
    if code is ErrorCode.none:
        return None
    if code in _COME_AGAIN and not (
        code is ErrorCode.concurrent_transactions and support is Support.ADDS
    ):  # older clients would not come again
        code, why = ErrorCode.not_enough_replicas, code.name
        return Appended(code, message=f"The transaction could not be verified: {why}.")
    return Appended(code)


def _refuse(call: Call, topic: str, leader: Leader, batch: Batch) -> Appended | None:
    if batch.codec > batches.ZSTD:
        return Appended(ErrorCode.corrupt_message, message=f"unknown compression {batch.codec}")
    if batch.control:
        return Appended(ErrorCode.invalid_record, message="Clients may not write control records.")
    if batch.producer_id >= 0 and (batch.first_sequence < 0 or batch.epoch < 0):
        return Appended(ErrorCode.invalid_record, message="A producer id needs epoch and sequence.")
    if len(batch.raw) > int(call.state.topics.config(topic, "max.message.bytes")):
        return Appended(ErrorCode.message_too_large)
    if call.body.acks == _ALL_REPLICAS and not leader.enough:
        return Appended(ErrorCode.not_enough_replicas)
    return _refuse_keyless(call, topic, batch)


def _refuse_keyless(call: Call, topic: str, batch: Batch) -> Appended | None:
    """A compacted topic takes no record without a key: it could never be told from another."""
    if _COMPACT not in call.state.topics.config(topic, "cleanup.policy"):
        return None
    try:
        if all(row.key is not None for row in records(batch)):
            return None
    except Broken:
        return Appended(ErrorCode.corrupt_message)
    text = "Compacted topic cannot accept message without key."
    return Appended(ErrorCode.invalid_record, message=text)
