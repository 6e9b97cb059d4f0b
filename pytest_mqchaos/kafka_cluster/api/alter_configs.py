"""AlterConfigs and IncrementalAlterConfigs: a topic's own configs, while it runs (KIP-339).

What follows from a new value is housekeeping's and the partitions'.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from kio.schema.errors import ErrorCode

from pytest_mqchaos.kafka_cluster.registry import Call
from pytest_mqchaos.kafka_cluster.schema import Values
from pytest_mqchaos.kafka_cluster.topic_configs import LIST, TOPIC_CONFIGS, items
from pytest_mqchaos.kafka_cluster.topics import Refusal, sound

_TOPIC = 2
_SET, _DELETE, _APPEND, _SUBTRACT = range(4)


def alter_configs(call: Call) -> Values:
    """AlterConfigs: what is given is all that the topic has of its own."""
    return _altered(call, lambda _, one: {row.name: row.value for row in one.configs})


def incremental_alter_configs(call: Call) -> Values:
    """IncrementalAlterConfigs: set, delete, append to or subtract from a list."""
    return _altered(call, _changed)


def _altered(call: Call, wanted: Callable[[Mapping[str, str], Any], dict[str, str]]) -> Values:
    responses = []
    for one in call.body.resources:
        code, text = ErrorCode.none, None
        try:
            _alter(call, one, wanted)
        except Refusal as refusal:
            code, text = refusal.code, str(refusal)
        responses.append({
            "error_code": code,
            "error_message": text,
            "resource_type": one.resource_type,
            "resource_name": one.resource_name,
        })  # fmt: skip
    call.state.housekeeping.look(call.now)
    return {"responses": responses}


def _alter(
    call: Call, one: Any, wanted: Callable[[Mapping[str, str], Any], dict[str, str]]
) -> None:
    if one.resource_type != _TOPIC:
        text = f"Configs of resource type {one.resource_type} cannot be changed here, only topics'."
        raise Refusal(ErrorCode.invalid_request, text)
    if len({row.name for row in one.configs}) < len(one.configs):
        raise Refusal(ErrorCode.invalid_request, "A config is named more than once.")
    if any(row.value is None and _needs_value(row) for row in one.configs):
        raise Refusal(ErrorCode.invalid_request, "A config has no value (null).")
    topic = call.state.topics.get(one.resource_name)
    configs = wanted({} if topic is None else topic.configs, one)
    sound(configs)  # Kafka looks at the values before it looks for the topic
    if topic is None:
        text = f"There is no topic '{one.resource_name}'."
        raise Refusal(ErrorCode.unknown_topic_or_partition, text)
    call.state.topics.alter(topic, configs, only_check=call.body.validate_only, now=call.now)


def _needs_value(row: Any) -> bool:
    return getattr(row, "config_operation", _SET) != _DELETE


def _changed(before: Mapping[str, str], one: Any) -> dict[str, str]:
    configs = dict(before)
    for row in one.configs:
        if row.config_operation == _DELETE:
            configs.pop(row.name, None)
        elif row.config_operation == _SET:
            configs[row.name] = row.value
        else:
            configs[row.name] = _listed(configs, row)
    return configs


def _listed(configs: dict[str, str], row: Any) -> str:
    config = TOPIC_CONFIGS.get(row.name)
    if config is None or config.kind != LIST or row.config_operation not in {_APPEND, _SUBTRACT}:
        text = f"Operation {row.config_operation} is not possible for {row.name}: it is no list."
        raise Refusal(ErrorCode.invalid_config, text)
    before, given = items(configs.get(row.name, "delete")), items(row.value or "")
    if row.config_operation == _APPEND:
        return ",".join(dict.fromkeys([*before, *given]))
    return ",".join(item for item in before if item not in given)
