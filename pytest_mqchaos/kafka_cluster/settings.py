"""The broker settings that the cluster honours, under Kafka's own names and defaults.

It knows values, not what they do. A name that is not here is refused: a setting that would be
silently ignored makes a test lie.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from pytest_mqchaos.errors import UsageError, unknown

_TRUE, _FALSE = ("true",), ("false",)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Dots of Kafka's names are underscores here. Times in milliseconds, sizes in bytes."""

    auto_create_topics_enable: bool = True
    delete_topic_enable: bool = True
    num_partitions: int = 1
    default_replication_factor: int = 1
    min_insync_replicas: int = 1
    unclean_leader_election_enable: bool = False
    broker_session_timeout_ms: int = 500  # Kafka's is 9000: that long is nobody elected
    replica_lag_time_max_ms: int = 1_500  # Kafka's is 30,000: that long is a laggard waited for
    log_retention_check_interval_ms: int = 1_000  # Kafka's is 300,000
    log_cleaner_backoff_ms: int = 1_000  # Kafka's is 15,000
    log_flush_interval_messages: int = 9_223_372_036_854_775_807
    log_flush_interval_ms: int = 9_223_372_036_854_775_807  # Kafka's default is none: the same
    message_max_bytes: int = 1_048_588
    fetch_max_bytes: int = 57_671_680
    offset_metadata_max_bytes: int = 4_096
    group_initial_rebalance_delay_ms: int = 0  # Kafka's default is 3000; a test wants no wait
    group_min_session_timeout_ms: int = 6_000
    group_max_session_timeout_ms: int = 1_800_000
    group_max_size: int = 2_147_483_647
    transaction_max_timeout_ms: int = 900_000
    # Kafka's default is 10,000, counted from the start of the broker; here from the transaction's.
    transaction_abort_timed_out_transaction_cleanup_interval_ms: int = 1_000
    group_consumer_max_size: int = 2_147_483_647
    group_consumer_session_timeout_ms: int = 45_000
    group_consumer_heartbeat_interval_ms: int = 500  # Kafka's default is 5000: two a rebalance
    socket_request_max_bytes: int = 104_857_600


def read(given: Mapping[str, object]) -> Settings:
    """Build settings from Kafka's names (`{"num.partitions": 3}`), values as int, bool or str.

    Raises `UsageError` for a name or value that cannot be.
    """
    kinds = {field.name.replace("_", "."): (field.name, field.type) for field in fields(Settings)}
    values: dict[str, Any] = {}
    for name, value in given.items():
        if name not in kinds:
            raise unknown("setting of the embedded Kafka cluster", name, kinds)
        attribute, kind = kinds[name]
        values[attribute] = _flag(name, value) if kind == "bool" else _number(name, value)
    return Settings(**values)


def shown(settings: Settings) -> dict[str, str]:
    """Give every setting under its Kafka name, as DescribeConfigs shows it."""
    pairs = ((field.name, getattr(settings, field.name)) for field in fields(settings))
    return {name.replace("_", "."): str(value).lower() for name, value in pairs}


def _flag(name: str, value: object) -> bool:
    text = str(value).lower()
    if text not in _TRUE + _FALSE:
        raise UsageError(f"{name} must be true or false, not {value!r}.")
    return text in _TRUE


def _number(name: str, value: object) -> int:
    try:
        number = int(str(value))
    except ValueError:
        raise UsageError(f"{name} must be a whole number, not {value!r}.") from None
    if number < 0:
        raise UsageError(f"{name} must not be negative, it is {number}.")
    return number
