"""CreateTopics, DeleteTopics, CreatePartitions: on whichever node is asked, as with KRaft."""

from __future__ import annotations

from collections import Counter
from typing import Any
from uuid import UUID

from kio.schema.errors import ErrorCode

from pytest_mqchaos.kafka_cluster.api.config_view import topic_configs
from pytest_mqchaos.kafka_cluster.registry import Call
from pytest_mqchaos.kafka_cluster.schema import Values
from pytest_mqchaos.kafka_cluster.topics import Refusal, Topic

_MOST_PARTITIONS = 10_000  # that one request may make, as in Kafka
_STATES_FROM = 6  # DeleteTopics by id (KIP-516)


def create_topics(call: Call) -> Values:
    """CreateTopics; each topic is granted or refused on its own."""
    times = Counter(one.name for one in call.body.topics)
    check = getattr(call.body, "validate_only", False)
    first = {one.name: one for one in call.body.topics}
    if sum(max(one.num_partitions, len(one.assignments)) for one in call.body.topics) > (
        _MOST_PARTITIONS
    ):
        return {"topics": [_not_created(name, _too_many()) for name in first]}
    return {
        "topics": [
            _created(call, one, check=check, twice=times[name] > 1) for name, one in first.items()
        ]
    }


def delete_topics(call: Call) -> Values:
    """DeleteTopics by name or by id, with what was committed for them."""
    if call.version < _STATES_FROM:
        asked: list[tuple[str | None, UUID | None]] = [
            (name, None) for name in call.body.topic_names
        ]
    else:
        asked = [(one.name, one.topic_id) for one in call.body.topics]
    return {"responses": [_deleted(call, name, topic_id) for name, topic_id in asked]}


def create_partitions(call: Call) -> Values:
    """CreatePartitions; each topic is granted or refused on its own."""
    return {"results": [_grown(call, one) for one in call.body.topics]}


def _check_controller(call: Call) -> None:
    if not call.state.broker_nodes.hears(call.node):
        raise Refusal(ErrorCode.request_timed_out, "The controller could not be reached.")


def _too_many() -> Refusal:
    text = "Excessively large number of partitions per request."
    return Refusal(ErrorCode.policy_violation, text)


def _created(call: Call, one: Any, *, check: bool, twice: bool) -> dict[str, Any]:
    if twice:
        text = f"Topic '{one.name}' is named twice."
        return _not_created(one.name, Refusal(ErrorCode.invalid_request, text))
    try:
        _check_controller(call)
        topic = call.state.topics.create(
            one.name,
            partitions=one.num_partitions,
            replication=one.replication_factor,
            assignments={each.partition_index: each.broker_ids for each in one.assignments},
            configs={each.name: each.value for each in one.configs},
            only_check=check,
            now=call.now,
        )
    except Refusal as refusal:
        return _not_created(one.name, refusal)
    return {
        "name": topic.name,
        "topic_id": topic.id,
        "error_code": ErrorCode.none,
        "error_message": None,
        "num_partitions": len(topic.spread),
        "replication_factor": len(topic.spread[0]),
        "configs": topic_configs(call.state.settings, topic.configs),
    }


def _not_created(name: str, refusal: Refusal) -> dict[str, Any]:
    return {
        "name": name,
        "topic_id": None,
        "error_code": refusal.code,
        "error_message": str(refusal),
        "configs": (),
    }


def _deleted(call: Call, name: str | None, topic_id: UUID | None) -> dict[str, Any]:
    topics = call.state.topics
    topic: Topic | None
    if name is not None:
        topic, missing = topics.get(name), ErrorCode.unknown_topic_or_partition
    else:
        topic, missing = topics.by_id(topic_id), ErrorCode.unknown_topic_id
    if not call.state.broker_nodes.hears(call.node):
        topic, missing = None, ErrorCode.request_timed_out
    if topic is not None and not call.state.settings.delete_topic_enable:
        topic, missing = None, ErrorCode.topic_deletion_disabled
    if topic is None:
        return {"name": name, "topic_id": topic_id, "error_code": missing}
    topics.delete(topic, call.now)
    call.state.offsets.forget_topic(topic.name)
    return {"name": topic.name, "topic_id": topic.id, "error_code": ErrorCode.none}


def _grown(call: Call, one: Any) -> dict[str, Any]:
    spread = None if one.assignments is None else [each.broker_ids for each in one.assignments]
    try:
        _check_controller(call)
        if one.count > _MOST_PARTITIONS:
            raise _too_many()
        call.state.topics.grow(
            one.name, one.count, spread, only_check=call.body.validate_only, now=call.now
        )
    except Refusal as refusal:
        return {"name": one.name, "error_code": refusal.code, "error_message": str(refusal)}
    return {"name": one.name, "error_code": ErrorCode.none, "error_message": None}
