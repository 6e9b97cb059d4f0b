"""Where a broker node really is: a socket address, or the embedded cluster in this process.

It knows addresses and how to get an end to one; it must never know who asks or why.
"""

from __future__ import annotations

import socket

from pytest_mqchaos.dataplane.ends import ClusterEnd, End, SocketEnd, connect
from pytest_mqchaos.dataplane.loop import Loop, Ready
from pytest_mqchaos.dataplane.parts import Cluster
from pytest_mqchaos.errors import UsageError


class Upstreams:
    """Node -> address. With an embedded cluster its nodes need none."""

    def __init__(self, loop: Loop) -> None:
        self._loop = loop
        self._addresses: dict[int, tuple[int, tuple[str, int]]] = {}
        self.cluster: Cluster | None = None
        self.embedded: frozenset[int] = frozenset()

    def embed(self, cluster: Cluster, nodes: frozenset[int]) -> None:
        """Serve these nodes from `cluster` from now on; all addresses are forgotten."""
        self._addresses.clear()
        self.cluster = cluster
        self.embedded = nodes

    def put(self, node: int, host: str, port: int) -> None:
        """A node's socket address. Raises `UsageError` for a host that does not resolve."""
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except OSError as error:
            raise UsageError(
                f"broker node {node} is at {host}:{port}, which does not resolve: {error}"
            ) from error
        # A name with both kinds ("localhost") is served on IPv4 by nearly every local broker.
        found.sort(key=lambda entry: entry[0] != socket.AF_INET)
        family, _, _, _, address = found[0]
        self._addresses[node] = (family, (str(address[0]), int(address[1])))

    def learn(self, node: int, host: str, port: int) -> None:
        """A broker named itself in an answer; what the controller said about it is worth more."""
        if node not in self._addresses and node not in self.embedded:
            self.put(node, host, port)

    def end(self, node: int, ready: Ready) -> End:
        """A new end at a node. Raises `OSError` where nothing is known or nobody listens."""
        if self.cluster is not None and node in self.embedded:
            return ClusterEnd(self.cluster, node, self._loop.clock)
        try:
            family, address = self._addresses[node]
        except KeyError:
            known = sorted({*self._addresses, *self.embedded})
            raise ConnectionRefusedError(f"node {node} is unknown; known are {known}") from None
        sock, connecting = connect(family, address)
        return SocketEnd(sock, self._loop, ready, connecting=connecting)

    def where(self, node: int) -> str:
        """A node's place in words."""
        if node in self.embedded:
            return f"embedded node {node}"
        host, port = self._addresses.get(node, (0, ("nowhere", 0)))[1]
        return f"node {node} at {host}:{port}"
