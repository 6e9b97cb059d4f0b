"""Bringing a fresh Kafka to the feature levels of its release (KIP-584).

A node whose folder was made by hand starts without what the format tool would have written: no
consumer groups of KIP-848, transactions of the old kind. One UpdateFeatures request makes up for it
and needs no second JVM. It must never know processes.
"""

from __future__ import annotations

from typing import Any

from pytest_mqchaos.brokers.kafka_ask import LEADER_NOT_AVAILABLE, Asker, milliseconds
from pytest_mqchaos.brokers.kafka_request import refuse
from pytest_mqchaos.errors import BrokerRefused

# The quorum's own level: it stays with the static voters that the properties name.
_LEFT_ALONE = frozenset({"kraft.version"})
_UPGRADE = 1


def finalize(ask: Asker) -> None:
    """Raise every feature to the newest level that the cluster supports; return when it shows."""
    ask.persist("raise the features of the cluster", lambda left: _raise(ask, left))
    ask.persist("see the features of the cluster raised", lambda left: _raised(ask, left))


def _raise(ask: Asker, left: float) -> None:
    low = _low(ask, left)
    if not low:
        return
    updates = [
        {"feature": name, "max_version_level": level, "upgrade_type": _UPGRADE}
        for name, level in low.items()
    ]
    values = {"timeout": milliseconds(left), "feature_updates": updates, "validate_only": False}
    reply = ask.seed(lambda c, left: c.call("UpdateFeatures", values, left), left)
    refuse(f"raising the features {low}", reply.error_code, reply.error_message)
    for each in getattr(reply, "results", ()):
        refuse(f"raising {each.feature}", each.error_code, each.error_message)


def _raised(ask: Asker, left: float) -> None:
    low = _low(ask, left)
    if low:
        raise BrokerRefused(f"features still below {low}", LEADER_NOT_AVAILABLE)


def _low(ask: Asker, left: float) -> dict[str, int]:
    """The features whose level can be raised, and to what. The metadata version comes first, as
    others depend on it."""
    values = {"client_software_name": "pytest-mqchaos", "client_software_version": "0"}
    told: Any = ask.seed(lambda c, left: c.call("ApiVersions", values, left), left)
    levels = {str(each.name): int(each.max_version_level) for each in told.finalized_features}
    wanted = {
        str(each.name): int(each.max_version)
        for each in told.supported_features
        if each.name not in _LEFT_ALONE and levels.get(str(each.name), 0) < each.max_version
    }
    return dict(sorted(wanted.items(), key=lambda item: item[0] != "metadata.version"))
