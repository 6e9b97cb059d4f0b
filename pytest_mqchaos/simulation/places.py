"""Who listens where in a simulation, and the way from there to the embedded brokers.

It knows owners, nodes and ports; it must never know what is said on them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, cast

from pytest_mqchaos.dataplane.upstreams import Upstreams
from pytest_mqchaos.errors import UsageError
from pytest_mqchaos.simulation.links import WireEnd
from pytest_mqchaos.simulation.network import LOOPBACK, Network

if TYPE_CHECKING:
    from pytest_mqchaos.dataplane.loop import Loop, Timing
    from pytest_mqchaos.simulation.wire import Wire

Arrived = Callable[["Wire", str, int], WireEnd]


class VirtualListeners:
    """The face of `dataplane.listeners.Listeners`, on a simulation's network."""

    host = LOOPBACK

    def __init__(self, network: Network, arrived: Arrived) -> None:
        self._network = network
        self._arrived = arrived
        self._open: dict[tuple[str, int], int] = {}

    def address(self, owner: str, node: int, port: int = 0) -> tuple[str, int]:
        """Where `owner` finds broker `node`; bound on demand."""
        found = self._open.get((owner, node))
        if found is None:
            found = self._network.listen(lambda wire: self._arrived(wire, owner, node), port=port)
            self._open[owner, node] = found
        return self.host, found

    def nodes_at(self, port: int) -> int | None:
        """The node that somebody finds on this port."""
        return next((node for (_, node), at in self._open.items() if at == port), None)

    def close(self, owner: str | None = None) -> None:
        """Close those of one owner, or all."""
        for key in [key for key in self._open if owner is None or key[0] == owner]:
            self._network.unlisten(self._open.pop(key))


class VirtualNodes(Upstreams):
    """Embedded nodes only: no socket is ever made."""

    def __init__(self, timing: Timing) -> None:
        super().__init__(cast("Loop", timing))

    def put(self, node: int, host: str, port: int) -> None:
        raise UsageError(
            f"a simulation has its brokers within; node {node} at {host}:{port} is none of them"
        )
