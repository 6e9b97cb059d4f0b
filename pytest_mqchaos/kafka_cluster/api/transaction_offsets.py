"""TxnOffsetCommit: positions that a group has once a transaction is committed (KIP-98, KIP-447).

It knows who may do so and what holds it back; the transaction itself is its coordinator's.
"""

from __future__ import annotations

from typing import Any

from kio.schema.errors import ErrorCode

from pytest_mqchaos.kafka_cluster.api.groups import check_coordinator
from pytest_mqchaos.kafka_cluster.api.verifying import Support, verify
from pytest_mqchaos.kafka_cluster.groups.offsets import Committed
from pytest_mqchaos.kafka_cluster.internal_topics import OFFSETS_TOPIC, slot
from pytest_mqchaos.kafka_cluster.registry import Call
from pytest_mqchaos.kafka_cluster.schema import Values
from pytest_mqchaos.kafka_cluster.transactions.transaction import Identity

_ADDS_FROM, _ABORTABLE_FROM = 5, 4  # KIP-890


def txn_offset_commit(call: Call) -> Values:
    """TxnOffsetCommit: nobody sees these positions before the transaction is committed."""
    refused: ErrorCode | None = None
    topics = []
    for topic in call.body.topics:
        answers = []
        for one in topic.partitions:
            code = ErrorCode.unknown_topic_or_partition
            if call.state.topics.partition(topic.name, one.partition_index) is not None:
                refused = _refuse(call) if refused is None else refused
                code = _hold(call, topic.name, one) if refused is ErrorCode.none else refused
            answers.append({"partition_index": one.partition_index, "error_code": code})
        topics.append({"name": topic.name, "partitions": answers})
    return {"topics": topics}


def _refuse(call: Call) -> ErrorCode:
    body = call.body
    code = check_coordinator(call, body.group_id)
    if code is ErrorCode.none:
        code = verify(
            call.state,
            body.transactional_id,
            Identity(body.producer_id, body.producer_epoch),
            (OFFSETS_TOPIC, slot(body.group_id)),
            Support.of(call.version, adds=_ADDS_FROM, abortable=_ABORTABLE_FROM),
            call.now,
        )
    return _may_commit(call) if code is ErrorCode.none else code


def _may_commit(call: Call) -> ErrorCode:
    body = call.body
    member, generation = getattr(body, "member_id", ""), getattr(body, "generation_id", -1)
    instance = getattr(body, "group_instance_id", None)
    group = call.state.groups.get(body.group_id)
    if group is None:
        if generation >= 0:
            return ErrorCode.illegal_generation
        return ErrorCode.none  # it comes into being with its first position
    return group.may_commit(member, instance, generation, call.now, transactional=True)


def _owns(call: Call, topic: str, index: int) -> bool:
    """A member of KIP-848's that is behind may commit only what it has had since (KIP-1251)."""
    body, group = call.body, call.state.groups.get(call.body.group_id)
    member, epoch = getattr(body, "member_id", ""), getattr(body, "generation_id", -1)
    found = call.state.topics.get(topic)
    return group is None or found is None or group.owns(member, epoch, (found.id, index))


def _hold(call: Call, topic: str, one: Any) -> ErrorCode:
    metadata = one.committed_metadata or ""
    if not _owns(call, topic, one.partition_index):
        return ErrorCode.illegal_generation
    if len(metadata.encode()) > call.state.settings.offset_metadata_max_bytes:
        return ErrorCode.offset_metadata_too_large
    leader_epoch = getattr(one, "committed_leader_epoch", -1)
    committed = Committed(one.committed_offset, leader_epoch, metadata)
    body, groups = call.body, call.state.groups
    place = topic, one.partition_index
    group, found = groups.get_or_create(body.group_id), call.state.topics.get(topic)
    member, epoch = getattr(body, "member_id", ""), getattr(body, "generation_id", -1)
    if found is not None and not group.owns(member, epoch, (found.id, one.partition_index)):
        return ErrorCode.illegal_generation  # of KIP-848, and behind
    call.state.offsets.hold(body.producer_id, body.group_id, *place, committed)
    return ErrorCode.none
