"""ConsumerGroupHeartbeat and ConsumerGroupDescribe: the KIP-848 protocol on the wire."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from kio.schema.errors import ErrorCode

from pytest_mqchaos.kafka_cluster.api.groups import check_coordinator
from pytest_mqchaos.kafka_cluster.groups.consumer_group import ConsumerGroup, Heard
from pytest_mqchaos.kafka_cluster.groups.consumer_members import (
    AWAY,
    JOINING,
    LEAVING,
    Beat,
    unsound,
)
from pytest_mqchaos.kafka_cluster.groups.target_assignment import ASSIGNORS, Place
from pytest_mqchaos.kafka_cluster.registry import Call
from pytest_mqchaos.kafka_cluster.schema import Values, milliseconds

_OWN_IDS_FROM = 1  # KIP-1082
_CONSUMER_MEMBER = 1  # KIP-1099: a member that speaks this protocol
_HOST = "/127.0.0.1"


def consumer_group_heartbeat(call: Call) -> Values:
    """ConsumerGroupHeartbeat: join (epoch 0), stay, leave (-1) or leave to come back (-2)."""
    body = call.body
    code = check_coordinator(call, body.group_id)
    text = None if code is ErrorCode.none else "This is not the correct coordinator."
    if body.group_id == "":
        code, text = ErrorCode.invalid_request, "GroupId can't be empty."
    if code is ErrorCode.none:
        code, text = _invalid(call)
    if code is not ErrorCode.none:
        return _heard(call, Heard(code, text))
    group = call.state.groups.consumer(body.group_id, create=body.member_epoch == JOINING)
    if group is None:
        text = f"Group {body.group_id} is not a consumer group."
        return _heard(call, Heard(ErrorCode.group_id_not_found, text))
    if body.member_epoch in {LEAVING, AWAY}:
        heard = group.depart(body.member_id, body.instance_id, body.member_epoch)
    else:
        heard = group.beat(_beat(call), call.state.topics, call.now)
    return _heard(call, heard)


def consumer_group_describe(call: Call) -> Values:
    """ConsumerGroupDescribe: epochs, members, what they have and what they should have."""
    return {"groups": [_described(call, name) for name in call.body.group_ids]}


def _beat(call: Call) -> Beat:
    body = call.body
    patience = milliseconds(body.rebalance_timeout)
    names, owned = body.subscribed_topic_names, body.topic_partitions
    return Beat(
        member_id=body.member_id or call.state.groups.new_member_id(body.group_id),
        epoch=body.member_epoch,
        client=call.client or "",
        instance=body.instance_id,
        rack=body.rack_id,
        rebalance=None if patience < 0 else patience,
        topics=None if names is None else frozenset(names),
        regex=getattr(body, "subscribed_topic_regex", None),
        assignor=body.server_assignor,
        owned=None if owned is None else _places(owned),
    )


def _places(owned: Iterable[Any]) -> frozenset[Place]:
    return frozenset((one.topic_id, at) for one in owned for at in one.partitions)


def _invalid(call: Call) -> tuple[ErrorCode, str | None]:
    """Say what is wrong with a request in itself, in Kafka's order."""
    body, text = call.body, None
    if body.instance_id == "":
        text = "InstanceId can't be empty."
    elif body.rack_id == "":
        text = "RackId can't be empty."
    elif not body.member_id and (call.version >= _OWN_IDS_FROM or body.member_epoch != JOINING):
        text = "MemberId can't be empty."
    elif body.member_epoch == JOINING:
        text = _invalid_joining(body)
    elif body.member_epoch == AWAY and body.instance_id is None:
        text = "InstanceId can't be null."
    elif body.member_epoch < AWAY:
        text = "MemberEpoch is invalid."
    if text is not None:
        return ErrorCode.invalid_request, text
    if body.server_assignor is not None and body.server_assignor not in ASSIGNORS:
        text = (
            f"ServerAssignor {body.server_assignor} is not supported. Supported assignors: "
            f"{', '.join(ASSIGNORS)}."
        )
        return ErrorCode.unsupported_assignor, text
    if body.member_epoch == JOINING:  # of a member it is looked at later
        text = unsound(getattr(body, "subscribed_topic_regex", None))
    return (ErrorCode.none if text is None else ErrorCode.invalid_regular_expression), text


def _invalid_joining(body: Any) -> str | None:
    if milliseconds(body.rebalance_timeout) == -1:
        return "RebalanceTimeoutMs must be provided in first request."
    if body.topic_partitions is None or body.topic_partitions:
        return "TopicPartitions must be empty when (re-)joining."
    regex = getattr(body, "subscribed_topic_regex", None)
    if body.subscribed_topic_names is None and regex is None:
        return "Either SubscribedTopicNames or SubscribedTopicRegex must be non-null."
    return None


def _heard(call: Call, heard: Heard) -> dict[str, Any]:
    interval = call.state.settings.group_consumer_heartbeat_interval_ms
    fine = heard.code is ErrorCode.none
    values: dict[str, Any] = {
        "error_code": heard.code,
        "error_message": heard.message,
        "member_id": heard.member_id,
        "member_epoch": heard.epoch,
        "heartbeat_interval": interval if fine and heard.epoch >= 0 else 0,
    }
    if heard.assigned is not None:
        values["assignment"] = {"topic_partitions": _by_topic(heard.assigned)}
    return values


def _by_topic(places: Iterable[Place]) -> list[dict[str, Any]]:
    topics: dict[UUID, list[int]] = {}
    for topic, at in sorted(places):
        topics.setdefault(topic, []).append(at)
    return [{"topic_id": topic, "partitions": at} for topic, at in topics.items()]


def _described(call: Call, name: str) -> dict[str, Any]:
    code = check_coordinator(call, name)
    group = call.state.groups.consumer(name) if code is ErrorCode.none else None
    if group is None:
        missing = code is ErrorCode.none
        known = missing and call.state.groups.get(name) is not None
        text = f"Group {name} is not a consumer group." if known else f"Group {name} not found."
        return {
            "error_code": ErrorCode.group_id_not_found if missing else code,
            "error_message": text if missing else None,
            "group_id": name,
            "group_state": "",
            "group_epoch": 0,
            "assignment_epoch": 0,
            "assignor_name": "",
            "members": (),
        }
    return {
        "error_code": ErrorCode.none,
        "group_id": name,
        "group_state": group.state,
        "group_epoch": group.epoch,
        "assignment_epoch": group.target_epoch,
        "assignor_name": group.assignor(),
        "members": [_member(call, group, member) for member in group.members],
    }


def _member(call: Call, group: ConsumerGroup, name: str) -> dict[str, Any]:
    member = group.members[name]
    return {
        "member_id": member.id,
        "instance_id": member.instance,
        "rack_id": member.rack,
        "member_epoch": member.epoch,
        "client_id": member.client,
        "client_host": _HOST,
        "subscribed_topic_names": sorted(member.topics),
        "subscribed_topic_regex": member.regex,
        # What it has been told to give up is still its own (KAFKA-20431).
        "assignment": _named(call, (*member.assigned, *member.revoking)),
        "target_assignment": _named(call, group.target.get(name, ())),
        "member_type": _CONSUMER_MEMBER,
    }


def _named(call: Call, places: Iterable[Place]) -> dict[str, Any]:
    rows = _by_topic(places)
    for row in rows:
        topic = call.state.topics.by_id(row["topic_id"])
        row["topic_name"] = "" if topic is None else topic.name
    return {"topic_partitions": rows}
