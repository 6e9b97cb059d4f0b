"""DescribeConfigs of topics and brokers: exactly what the cluster acts on or accepts."""

from __future__ import annotations

from typing import Any

from kio.schema.errors import ErrorCode

from pytest_mqchaos.kafka_cluster.api.config_view import broker_configs, topic_configs
from pytest_mqchaos.kafka_cluster.registry import Call
from pytest_mqchaos.kafka_cluster.schema import Values

_TOPIC, _BROKER = 2, 4


def describe_configs(call: Call) -> Values:
    """DescribeConfigs; null or no names means every config."""
    return {"results": [_described(call, one) for one in call.body.resources]}


def _described(call: Call, one: Any) -> dict[str, Any]:
    code, text, rows = _rows(call, one.resource_type, one.resource_name)
    wanted = one.configuration_keys
    return {
        "error_code": code,
        "error_message": text,
        "resource_type": one.resource_type,
        "resource_name": one.resource_name,
        "configs": [row for row in rows if not wanted or row["name"] in wanted],
    }


def _rows(call: Call, kind: int, name: str) -> tuple[ErrorCode, str | None, list[dict[str, Any]]]:
    settings = call.state.settings
    if kind == _TOPIC:
        topic = call.state.topics.get(name)
        if topic is None:
            return ErrorCode.unknown_topic_or_partition, f"There is no topic '{name}'.", []
        return ErrorCode.none, None, topic_configs(settings, topic.configs)
    if kind == _BROKER:
        if not name:
            return ErrorCode.none, None, []  # the cluster-wide dynamic defaults: none are set
        if name != str(call.node):
            text = f"Broker {call.node} shows its own configs only, not those of {name!r}."
            return ErrorCode.invalid_request, text, []
        return ErrorCode.none, None, broker_configs(settings, call.node)
    return ErrorCode.invalid_request, f"Configs of resource type {kind} are not served.", []
