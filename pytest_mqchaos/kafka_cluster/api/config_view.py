"""How configs are shown in answers: value, where it comes from, what kind it is (KIP-226)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pytest_mqchaos.kafka_cluster.settings import Settings, shown
from pytest_mqchaos.kafka_cluster.topic_configs import BOOLEAN, LONG, TOPIC_CONFIGS

_FROM_TOPIC, _FROM_BROKER, _FROM_DEFAULT = 1, 4, 5
_DEFAULTS = shown(Settings())


def topic_configs(settings: Settings, own: Mapping[str, str]) -> list[dict[str, Any]]:
    """Show every config of a topic that has set `own`."""
    rows = []
    for name, config in TOPIC_CONFIGS.items():
        value = own.get(name, config.default(settings))
        from_broker = value != config.default(Settings())
        source = _FROM_BROKER if from_broker else _FROM_DEFAULT
        source = _FROM_TOPIC if name in own else source
        rows.append(_row(name, value, source, config.kind, read_only=False))
    return rows


def broker_configs(settings: Settings, node: int) -> list[dict[str, Any]]:
    """Show every setting of a broker."""
    rows = [_row("broker.id", str(node), _FROM_BROKER, LONG, read_only=True)]
    for name, value in shown(settings).items():
        source = _FROM_DEFAULT if value == _DEFAULTS[name] else _FROM_BROKER
        kind = BOOLEAN if value in {"true", "false"} else LONG
        rows.append(_row(name, value, source, kind, read_only=True))
    return rows


def _row(name: str, value: str, source: int, kind: int, *, read_only: bool) -> dict[str, Any]:
    return {
        "name": name,
        "value": value,
        "read_only": read_only,
        "is_default": source == _FROM_DEFAULT,
        "config_source": source,
        "is_sensitive": False,
        "synonyms": (),
        "config_type": kind,
        "documentation": None,
    }
