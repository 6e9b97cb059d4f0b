"""The `embedded` broker for Kafka: a cluster inside the data plane, nothing to install.

It knows how to ask a data plane for a fresh cluster, no more: what the cluster can do is
kafka_cluster's, where its bytes go is the data plane's.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from typing import Any, Protocol

from pytest_mqchaos.brokers.base import Address
from pytest_mqchaos.errors import missing_extra


def lacking() -> str | None:
    """What to install before this broker can be used here, or None."""
    if find_spec("kio") is None:
        return str(missing_extra("kio", "kafka", "the embedded Kafka cluster"))
    return None


REPLICAS = 3  # of a topic that nobody gave a number: as many as there are nodes, up to this


class Plane(Protocol):
    """Where the cluster lives: see `dataplane.controller.DataPlane`."""

    def request(self, do: str, *, timeout: float = 10.0, **args: Any) -> Any: ...


class EmbeddedKafka:
    """A Broker. `plane` must be started and outlives it; `settings` are Kafka's names of broker
    settings (kafka_cluster/settings.py). Every `start` is a new, empty cluster of `nodes` nodes
    (may be changed between two starts) at new addresses that takes the place of the one before.
    `seed`: same calls, same bytes. It has every ability of `base`; a deed is done when its call
    returns, but a node that was started again is back when its last session is over
    (`broker.session.timeout.ms`, 500)."""

    kind = "embedded"

    def __init__(
        self,
        *,
        plane: Plane,
        nodes: int = 1,
        settings: Mapping[str, object] | None = None,
        seed: int = 0,
    ) -> None:
        self._plane = plane
        self.nodes = nodes
        self._settings = dict(settings or {})
        self._seed = seed
        self._addresses: dict[int, Address] = {}

    @property
    def version(self) -> str:
        """Of this package: the cluster is a part of it."""
        return _version()

    def start(self) -> None:
        """Have a fresh cluster made. UsageError for settings that cannot be."""
        settings = {"default.replication.factor": min(self.nodes, REPLICAS), **self._settings}
        answer = self._plane.request(
            "cluster", brokers=self.nodes, settings=settings, seed=self._seed
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

    # ------------------------------------------------------------ who is who

    def leader(self, topic: str, partition: int) -> int | None:
        return self._node(self._fault("leader", topic=topic, partition=partition))

    def followers(self, topic: str, partition: int) -> tuple[int, ...]:
        return tuple(self._fault("followers", topic=topic, partition=partition)["nodes"])

    def coordinator(self, kind: str, key: str) -> int | None:
        return self._node(self._fault("coordinator", kind=kind, key=key))

    # ------------------------------------------------------------ deeds

    def kill(self, node: int) -> None:
        self._fault("kill", node=node)

    def power_loss(self, node: int) -> None:
        self._fault("power_loss", node=node)

    def restart(self, node: int) -> None:
        self._fault("restart", node=node)

    def pause(self, node: int) -> None:
        self._fault("pause", node=node)

    def resume(self, node: int) -> None:
        self._fault("resume", node=node)

    def isolate(self, groups: Sequence[Collection[int]]) -> None:
        self._fault("isolate", groups=[sorted(group) for group in groups])

    def reunite(self) -> None:
        self._fault("reunite")

    def move_leader(self, topic: str, partition: int, to: int | None = None) -> int:
        return int(self._fault("move_leader", topic=topic, partition=partition, to=to)["node"])

    def move_coordinator(self, kind: str, key: str, to: int | None = None) -> int:
        return int(self._fault("move_coordinator", kind=kind, key=key, to=to)["node"])

    def hold_replication(
        self, topic: str | None = None, partition: int | None = None, follower: int | None = None
    ) -> None:
        self._fault("hold_replication", topic=topic, partition=partition, follower=follower)

    def release_replication(self) -> None:
        self._fault("release_replication")

    def heal(self) -> None:
        self._fault("heal")

    def _fault(self, deed: str, **arguments: Any) -> dict[str, Any]:
        answer: dict[str, Any] = self._plane.request("fault", deed=deed, **arguments)
        return answer

    @staticmethod
    def _node(answer: Mapping[str, Any]) -> int | None:
        found: int | None = answer["node"]
        return found


@cache
def _version() -> str:
    try:
        return version("pytest-mqchaos")
    except PackageNotFoundError:  # run from a source tree that was not installed
        return ""
