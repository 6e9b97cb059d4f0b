"""Topic configs: the names that exist, their defaults, and which of them the cluster acts on.

It knows names and values only. Kafka accepts many more; one that is not here is refused, so that no
test believes in a config that does nothing. `retention.*` and `segment.*` are accepted and shown
because clients set them routinely; nothing expires in this storey.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from pytest_mqchaos.kafka_cluster.settings import Settings

BOOLEAN, STRING, INT, LONG, LIST = 1, 2, 3, 5, 7  # DescribeConfigs' type numbers (KIP-569)


class TopicConfig(NamedTuple):
    """`default` takes the broker's settings; `allowed` empty means any value of the type."""

    kind: int
    default: Callable[[Settings], str]
    allowed: tuple[str, ...] = ()


def _fixed(value: str) -> Callable[[Settings], str]:
    return lambda _: value


TOPIC_CONFIGS: dict[str, TopicConfig] = {
    "cleanup.policy": TopicConfig(LIST, _fixed("delete"), ("delete",)),
    "compression.type": TopicConfig(STRING, _fixed("producer"), ("producer",)),
    "flush.messages": TopicConfig(LONG, lambda given: str(given.log_flush_interval_messages)),
    "flush.ms": TopicConfig(LONG, lambda given: str(given.log_flush_interval_ms)),
    "max.message.bytes": TopicConfig(INT, lambda settings: str(settings.message_max_bytes)),
    "message.timestamp.type": TopicConfig(STRING, _fixed("CreateTime"), ("CreateTime",)),
    "min.insync.replicas": TopicConfig(INT, lambda settings: str(settings.min_insync_replicas)),
    "retention.bytes": TopicConfig(LONG, _fixed("-1")),
    "retention.ms": TopicConfig(LONG, _fixed("604800000")),
    "segment.bytes": TopicConfig(INT, _fixed("1073741824")),
    "segment.ms": TopicConfig(LONG, _fixed("604800000")),
    "unclean.leader.election.enable": TopicConfig(
        BOOLEAN,
        lambda settings: str(settings.unclean_leader_election_enable).lower(),
        ("true", "false"),
    ),
}


def problem_with(name: str, value: str | None) -> str | None:
    """Say in a sentence what is wrong with a config of a topic, None if nothing is."""
    config = TOPIC_CONFIGS.get(name)
    if config is None:
        return (
            f"The embedded cluster has no topic config {name}; it has {', '.join(TOPIC_CONFIGS)}."
        )
    if value is None:
        return f"Null value not supported for topic config {name}."
    if config.allowed and value not in config.allowed:
        return f"{name}={value} is not served by the embedded cluster, only {config.allowed[0]}."
    if config.kind in {INT, LONG} and not value.removeprefix("-").isdigit():
        return f"{name} must be a whole number, not {value!r}."
    return None
