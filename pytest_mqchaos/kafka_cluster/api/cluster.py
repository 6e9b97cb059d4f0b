"""Metadata, DescribeCluster, FindCoordinator: where everything is."""

from __future__ import annotations

from typing import Any

from kio.schema.errors import ErrorCode

from pytest_mqchaos.kafka_cluster.coordinators import GROUP, TRANSACTION
from pytest_mqchaos.kafka_cluster.registry import Call
from pytest_mqchaos.kafka_cluster.replicas.partition import Partition
from pytest_mqchaos.kafka_cluster.schema import Values
from pytest_mqchaos.kafka_cluster.topics import Refusal, Topic

_ALL_WHEN_EMPTY = 0  # Metadata v0 has no null list: an empty one means all
_BY_ID_FROM = 12  # Metadata (KIP-516)
_BATCHED_FROM = 4  # FindCoordinator with several keys (KIP-699)
_GROUP_KEY = 0
_KINDS = {_GROUP_KEY: GROUP, 1: TRANSACTION}
_BROKER_ENDPOINT = 1


def metadata(call: Call) -> Values:
    """Metadata: brokers and, for the topics asked (null: all), partitions and leaders."""
    state, wanted = call.state, call.body.topics
    known = brokers(call)
    everything = wanted is None or (call.version == _ALL_WHEN_EMPTY and not wanted)
    if everything:
        every = (topic for topic in state.topics.all() if topic.known_to(call.node))
        found = [_topic(call, topic) for topic in every]
    else:
        create = getattr(call.body, "allow_auto_topic_creation", True)
        found = [_asked(call, one, create=create) for one in wanted]
    return {
        "brokers": known,
        "cluster_id": state.cluster_id,
        "controller_id": known[0]["node_id"] if known else -1,
        "topics": found,
        "error_code": ErrorCode.none,  # since version 13 (KIP-1102)
    }


def describe_cluster(call: Call) -> Values:
    """DescribeCluster (KIP-700)."""
    kind = getattr(call.body, "endpoint_type", _BROKER_ENDPOINT)
    if kind != _BROKER_ENDPOINT:
        return {
            "error_code": ErrorCode.mismatched_endpoint_type,
            "error_message": "The request was sent to an endpoint of type BROKER.",
            "endpoint_type": _BROKER_ENDPOINT,
            "cluster_id": "",
            "controller_id": -1,
            "brokers": (),
        }
    known = brokers(call)
    return {
        "error_code": ErrorCode.none,
        "error_message": None,
        "cluster_id": call.state.cluster_id,
        "controller_id": known[0]["node_id"] if known else -1,
        "brokers": [
            {"broker_id": one["node_id"], "host": one["host"], "port": one["port"]} for one in known
        ],
    }


def find_coordinator(call: Call) -> Values:
    """FindCoordinator: the node of a group or of a transactional id."""
    kind = getattr(call.body, "key_type", _GROUP_KEY)
    if call.version >= _BATCHED_FROM:
        keys = call.body.coordinator_keys
        return {"coordinators": [_coordinator(call, kind, key) for key in keys]}
    return _coordinator(call, kind, call.body.key)


def brokers(call: Call) -> list[dict[str, Any]]:
    """Give every node that works, as the node that was asked knows it."""
    known, addresses = call.state.controller.unfenced_as_seen_by(call.node), call.state.addresses
    return [
        {"node_id": node, "host": host, "port": port}
        for node, (host, port) in addresses.items()
        if node in known
    ]


def _coordinator(call: Call, kind: int, key: str) -> dict[str, Any]:
    if kind not in _KINDS:
        why = f"There is no coordinator of kind {kind}, only of {list(_KINDS)}."
        return _no_coordinator(key, ErrorCode.invalid_request, why)
    state = call.state
    node = state.coordinators.seen_by(call.node, _KINDS[kind], key)
    if node is None or node not in state.controller.unfenced_as_seen_by(call.node):
        why = "The coordinator is not available."
        return _no_coordinator(key, ErrorCode.coordinator_not_available, why)
    host, port = state.addresses[node]
    return {
        "key": key,
        "error_code": ErrorCode.none,
        "error_message": None,
        "node_id": node,
        "host": host,
        "port": port,
    }


def _no_coordinator(key: str, code: ErrorCode, why: str) -> dict[str, Any]:
    where = {"node_id": -1, "host": "", "port": -1}
    return {"key": key, "error_code": code, "error_message": why, **where}


def _asked(call: Call, one: Any, *, create: bool) -> dict[str, Any]:
    state, topic_id = call.state, getattr(one, "topic_id", None)
    if call.version < _BY_ID_FROM and (one.name is None or topic_id is not None):
        return _missing(one.name or "", ErrorCode.invalid_request, topic_id)
    if one.name is None or topic_id is not None:
        topic = state.topics.by_id(topic_id)
        if topic is None:
            return _missing(None, ErrorCode.unknown_topic_id, topic_id)
        return _topic(call, topic)
    topic = state.topics.get(one.name)
    if topic is not None and not topic.known_to(call.node):
        return _missing(one.name, ErrorCode.unknown_topic_or_partition)
    if topic is None:
        able = state.settings.auto_create_topics_enable and state.broker_nodes.hears(call.node)
        if not (create and able):
            return _missing(one.name, ErrorCode.unknown_topic_or_partition)
        try:
            topic = state.topics.create(one.name, now=call.now)
        except Refusal as refusal:
            return _missing(one.name, refusal.code)
    return _topic(call, topic)


def _missing(name: str | None, code: ErrorCode, topic_id: object = None) -> dict[str, Any]:
    return {
        "error_code": code,
        "name": name,
        "topic_id": topic_id,
        "is_internal": False,
        "partitions": (),
    }


def _topic(call: Call, topic: Topic) -> dict[str, Any]:
    return {
        "error_code": ErrorCode.none,
        "name": topic.name,
        "topic_id": topic.id,
        "is_internal": False,
        "partitions": [_partition(call, one) for one in topic.partitions],
    }


def _partition(call: Call, one: Partition) -> dict[str, Any]:
    seen, known = one.seen_by(call.node), call.state.controller.unfenced_as_seen_by(call.node)
    led = seen.leader is not None and seen.leader in known
    return {
        "error_code": ErrorCode.none if led else ErrorCode.leader_not_available,
        "partition_index": one.index,
        "leader_id": seen.leader if led else -1,
        "leader_epoch": seen.epoch,
        "replica_nodes": one.replicas,
        "isr_nodes": seen.in_sync,
        "offline_replicas": tuple(node for node in one.replicas if node not in known),
    }
