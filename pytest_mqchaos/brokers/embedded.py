"""The `embedded` broker for Kafka: a cluster inside the data plane, nothing to install.

It knows how to ask a data plane for a fresh cluster, no more: what the cluster can do is
kafka_cluster's, where its bytes go is the data plane's.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec

from pytest_mqchaos.brokers.base import Address
from pytest_mqchaos.dataplane.controller import DataPlane
from pytest_mqchaos.errors import missing_extra


def lacking() -> str | None:
    """What to install before this broker can be used here, or None."""
    if find_spec("kio") is None:
        return str(missing_extra("kio", "kafka", "the embedded Kafka cluster"))
    return None


class EmbeddedKafka:
    """A Broker. `plane` must be started and outlives it; `settings` are Kafka's names of broker
    settings (kafka_cluster/settings.py). Every `start` is a new, empty cluster at new addresses
    that takes the place of the one before. `seed`: same calls, same bytes."""

    kind = "embedded"

    def __init__(
        self,
        *,
        plane: DataPlane,
        nodes: int = 1,
        settings: Mapping[str, object] | None = None,
        seed: int = 0,
    ) -> None:
        self._plane = plane
        self._count = nodes
        self._settings = dict(settings or {})
        self._seed = seed
        self._addresses: dict[int, Address] = {}

    @property
    def version(self) -> str:
        """Of this package: the cluster is a part of it."""
        try:
            return version("pytest-mqchaos")
        except PackageNotFoundError:  # run from a source tree that was not installed
            return ""

    def start(self) -> None:
        """Have a fresh cluster made. UsageError for settings that cannot be."""
        answer = self._plane.request(
            "cluster", brokers=self._count, settings=self._settings, seed=self._seed
        )
        self._addresses = {
            int(node): Address(str(host), int(port))
            for node, (host, port) in answer["addresses"].items()
        }

    def stop(self) -> None:
        """Forget it. The cluster goes with the data plane, or when the next one takes its place."""
        self._addresses = {}

    def addresses(self) -> dict[int, Address]:
        return dict(self._addresses)
