"""Metadata, DescribeCluster, FindCoordinator: where everything is."""

from __future__ import annotations

from typing import Any

from kio.schema.errors import ErrorCode

from pytest_mqchaos.kafka_cluster.registry import Call
from pytest_mqchaos.kafka_cluster.schema import Values
from pytest_mqchaos.kafka_cluster.state import State
from pytest_mqchaos.kafka_cluster.topics import Refusal, Topic

_ALL_WHEN_EMPTY = 0  # Metadata v0 has no null list: an empty one means all
_BY_ID_FROM = 12  # Metadata (KIP-516)
_BATCHED_FROM = 4  # FindCoordinator with several keys (KIP-699)
_GROUP_KEY = 0
_BROKER_ENDPOINT = 1


def metadata(call: Call) -> Values:
    """Metadata: brokers and, for the topics asked (null: all), partitions and leaders."""
    state, wanted = call.state, call.body.topics
    everything = wanted is None or (call.version == _ALL_WHEN_EMPTY and not wanted)
    if everything:
        found = [_topic(topic) for topic in state.topics.all()]
    else:
        create = getattr(call.body, "allow_auto_topic_creation", True)
        found = [_asked(call, one, create=create) for one in wanted]
    return {
        "brokers": brokers(state),
        "cluster_id": state.cluster_id,
        "controller_id": state.controller,
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
    return {
        "error_code": ErrorCode.none,
        "error_message": None,
        "cluster_id": call.state.cluster_id,
        "controller_id": call.state.controller,
        "brokers": [
            {"broker_id": one["node_id"], "host": one["host"], "port": one["port"]}
            for one in brokers(call.state)
        ],
    }


def find_coordinator(call: Call) -> Values:
    """FindCoordinator: the node of a group. There is no coordinator of transactions: asking for
    one is refused with the one error that no client retries (53)."""
    kind = getattr(call.body, "key_type", _GROUP_KEY)
    if call.version >= _BATCHED_FROM:
        keys = call.body.coordinator_keys
        return {"coordinators": [_coordinator(call.state, kind, key) for key in keys]}
    return _coordinator(call.state, kind, call.body.key)


def brokers(state: State) -> list[dict[str, Any]]:
    """Give every node as Metadata shows it."""
    return [
        {"node_id": node, "host": host, "port": port}
        for node, (host, port) in state.addresses.items()
    ]


def _coordinator(state: State, kind: int, key: str) -> dict[str, Any]:
    if kind != _GROUP_KEY:
        return {
            "key": key,
            "error_code": ErrorCode.transactional_id_authorization_failed,
            "error_message": "The embedded cluster coordinates consumer groups only.",
            "node_id": -1,
            "host": "",
            "port": -1,
        }
    node = state.coordinator(key)
    host, port = state.addresses[node]
    return {
        "key": key,
        "error_code": ErrorCode.none,
        "error_message": None,
        "node_id": node,
        "host": host,
        "port": port,
    }


def _asked(call: Call, one: Any, *, create: bool) -> dict[str, Any]:
    state, topic_id = call.state, getattr(one, "topic_id", None)
    if call.version < _BY_ID_FROM and (one.name is None or topic_id is not None):
        return _missing(one.name or "", ErrorCode.invalid_request, topic_id)
    if one.name is None or topic_id is not None:
        topic = state.topics.by_id(topic_id)
        if topic is None:
            return _missing(None, ErrorCode.unknown_topic_id, topic_id)
        return _topic(topic)
    topic = state.topics.get(one.name)
    if topic is None:
        if not (create and state.settings.auto_create_topics_enable):
            return _missing(one.name, ErrorCode.unknown_topic_or_partition)
        try:
            topic = state.topics.create(one.name)
        except Refusal as refusal:
            return _missing(one.name, refusal.code)
    return _topic(topic)


def _missing(name: str | None, code: ErrorCode, topic_id: object = None) -> dict[str, Any]:
    return {
        "error_code": code,
        "name": name,
        "topic_id": topic_id,
        "is_internal": False,
        "partitions": (),
    }


def _topic(topic: Topic) -> dict[str, Any]:
    return {
        "error_code": ErrorCode.none,
        "name": topic.name,
        "topic_id": topic.id,
        "is_internal": False,
        "partitions": [
            {
                "error_code": ErrorCode.none,
                "partition_index": one.index,
                "leader_id": one.leader,
                "leader_epoch": one.leader_epoch,
                "replica_nodes": one.replicas,
                "isr_nodes": one.in_sync,
                "offline_replicas": (),
            }
            for one in topic.partitions
        ],
    }
