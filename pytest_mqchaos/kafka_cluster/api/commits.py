"""OffsetCommit and OffsetFetch: where groups stand."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from kio.schema.errors import ErrorCode

from pytest_mqchaos.kafka_cluster.api.groups import check_coordinator
from pytest_mqchaos.kafka_cluster.groups.offsets import Committed
from pytest_mqchaos.kafka_cluster.registry import Call
from pytest_mqchaos.kafka_cluster.schema import Values
from pytest_mqchaos.kafka_cluster.topics import Topic

_MANY_GROUPS_FROM = 8  # KIP-709
_MISSING_GROUP_FROM = 9  # KIP-848


def offset_commit(call: Call) -> Values:
    """OffsetCommit: by a member of the current generation, or by anybody while it is empty."""
    group_code = _may_commit(call)
    topics = []
    for topic in call.body.topics:
        answers = []
        for one in topic.partitions:
            code = _commit(call, topic.name, one, group_code)
            answers.append({"partition_index": one.partition_index, "error_code": code})
        topics.append({"name": topic.name, "partitions": answers})
    return {"topics": topics}


def offset_fetch(call: Call) -> Values:
    """OffsetFetch: positions of partitions, or (null) of all that were committed."""
    if call.version < _MANY_GROUPS_FROM:
        return _fetched(call, call.body.group_id, call.body.topics)
    return {
        "groups": [
            {"group_id": one.group_id, **_fetched(call, one.group_id, one.topics, asking=one)}
            for one in call.body.groups
        ]
    }


def _may_commit(call: Call) -> ErrorCode:
    body = call.body
    code = check_coordinator(call, body.group_id)
    if code is not ErrorCode.none:
        return code
    generation = body.generation_id_or_member_epoch
    group = call.state.groups.get(body.group_id)
    if group is None:
        if generation >= 0:
            missing = call.version >= _MISSING_GROUP_FROM
            return ErrorCode.group_id_not_found if missing else ErrorCode.illegal_generation
        return ErrorCode.none  # it comes into being with its first partition that there is
    instance = getattr(body, "group_instance_id", None)
    return group.may_commit(body.member_id, instance, generation, call.now, version=call.version)


def _owns(call: Call, topic: Topic, index: int) -> bool:
    body, group = call.body, call.state.groups.get(call.body.group_id)
    epoch = body.generation_id_or_member_epoch
    return group is None or group.owns(body.member_id, epoch, (topic.id, index))


def _commit(call: Call, topic: str, one: Any, group_code: ErrorCode) -> ErrorCode:
    metadata = one.committed_metadata or ""
    found = call.state.topics.get(topic)
    if found is None or call.state.topics.partition(topic, one.partition_index) is None:
        return ErrorCode.unknown_topic_or_partition  # Kafka looks at this before the group
    if group_code is not ErrorCode.none:
        return group_code
    call.state.groups.get_or_create(call.body.group_id)
    if len(metadata.encode()) > call.state.settings.offset_metadata_max_bytes:
        return ErrorCode.offset_metadata_too_large
    if not _owns(call, found, one.partition_index):
        return ErrorCode.stale_member_epoch
    committed = Committed(
        one.committed_offset, getattr(one, "committed_leader_epoch", -1), metadata
    )
    call.state.offsets.commit(call.body.group_id, topic, one.partition_index, committed)
    return ErrorCode.none


def _fetched(
    call: Call, group: str, topics: Iterable[Any] | None, asking: Any = None
) -> dict[str, Any]:
    code = check_coordinator(call, group)
    known = call.state.groups.get(group)
    if code is ErrorCode.none and known is not None:
        member_id = getattr(asking, "member_id", None)
        code = known.may_fetch(member_id, getattr(asking, "member_epoch", -1))
    if code is not ErrorCode.none:
        return {"error_code": code, "topics": ()}
    offsets = call.state.offsets
    stable = getattr(call.body, "require_stable", False)
    wanted: dict[str, list[int]] = {}
    if topics is None:
        for topic, partition in offsets.of(group):
            wanted.setdefault(topic, []).append(partition)
    else:
        for one in topics:
            wanted.setdefault(one.name, []).extend(one.partition_indexes)
    return {
        "error_code": ErrorCode.none,
        "topics": [
            {
                "name": topic,
                "partitions": [
                    _unstable(at)
                    if stable and offsets.unstable(group, topic, at)
                    else _position(at, offsets.get(group, topic, at))
                    for at in partitions
                ],
            }
            for topic, partitions in wanted.items()
        ],
    }


def _position(partition: int, committed: Committed) -> dict[str, Any]:
    return {
        "partition_index": partition,
        "committed_offset": committed.offset,
        "committed_leader_epoch": committed.leader_epoch,
        "metadata": committed.metadata,
        "error_code": ErrorCode.none,
    }


def _unstable(partition: int) -> dict[str, Any]:
    """A transaction that is still open may change the position (KIP-447)."""
    return {**_position(partition, Committed()), "error_code": ErrorCode.unstable_offset_commit}
