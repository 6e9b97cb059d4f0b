"""Topic configs: the names that exist, their defaults, and which of them the cluster acts on.

It knows names and values only. Kafka accepts many more; one that is not here is refused, so that no
test believes in a config that does nothing. Retention and compaction are acted on where a topic
sets them itself (housekeeping.py); `min.cleanable.dirty.ratio` is accepted and shown because
clients set it with compaction: the cleaner here does not wait for dirt.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from pytest_mqchaos.kafka_cluster.settings import Settings

BOOLEAN, STRING, INT, LONG, DOUBLE, LIST = (
    1,
    2,
    3,
    5,
    6,
    7,
)  # DescribeConfigs' type numbers (KIP-569)


class TopicConfig(NamedTuple):
    """`default` takes the broker's settings; `allowed` empty means any value of the type, of a
    list it is what its items may be; `least` is the smallest number."""

    kind: int
    default: Callable[[Settings], str]
    allowed: tuple[str, ...] = ()
    least: float = -1


def _fixed(value: str) -> Callable[[Settings], str]:
    return lambda _: value


TOPIC_CONFIGS: dict[str, TopicConfig] = {
    "cleanup.policy": TopicConfig(LIST, _fixed("delete"), ("delete", "compact")),
    "compression.type": TopicConfig(STRING, _fixed("producer"), ("producer",)),
    "delete.retention.ms": TopicConfig(LONG, _fixed("86400000"), least=0),
    "flush.messages": TopicConfig(LONG, lambda given: str(given.log_flush_interval_messages)),
    "flush.ms": TopicConfig(LONG, lambda given: str(given.log_flush_interval_ms)),
    "max.message.bytes": TopicConfig(INT, lambda given: str(given.message_max_bytes), least=0),
    "message.timestamp.type": TopicConfig(STRING, _fixed("CreateTime"), ("CreateTime",)),
    "min.cleanable.dirty.ratio": TopicConfig(DOUBLE, _fixed("0.5"), least=0),
    "min.insync.replicas": TopicConfig(
        INT, lambda settings: str(settings.min_insync_replicas), least=1
    ),
    "retention.bytes": TopicConfig(LONG, _fixed("-1")),
    "retention.ms": TopicConfig(LONG, _fixed("604800000")),
    "segment.bytes": TopicConfig(INT, _fixed("1073741824"), least=14),
    "segment.ms": TopicConfig(LONG, _fixed("604800000"), least=1),
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
    if config.allowed:
        return _not_allowed(name, value, config)
    return _no_number(name, value, config)


def items(value: str) -> list[str]:
    """Give what a list holds."""
    return [item.strip() for item in value.split(",") if item.strip()]


def _not_allowed(name: str, value: str, config: TopicConfig) -> str | None:
    given = items(value) if config.kind == LIST else [value]  # an empty list is one, too
    if all(one in config.allowed for one in given):
        return None
    allowed = " and ".join(config.allowed)
    return f"{name}={value} is not served by the embedded cluster, only {allowed}."


def _no_number(name: str, value: str, config: TopicConfig) -> str | None:
    whole = config.kind in {INT, LONG}
    try:
        number = int(value) if whole else float(value)
    except ValueError:
        return f"{name} must be a {'whole ' if whole else ''}number, not {value!r}."
    return None if number >= config.least else f"{name} must be at least {config.least}: {value}."
