"""What all handlers share: the cluster's settings, nodes, topics, groups, timers, errands.

It knows where things are kept, not what is done with them.
"""

from __future__ import annotations

from base64 import urlsafe_b64encode
from collections import deque
from collections.abc import Callable, Mapping
from hashlib import sha256

from pytest_mqchaos.kafka_cluster.groups import Groups
from pytest_mqchaos.kafka_cluster.offsets import Offsets
from pytest_mqchaos.kafka_cluster.settings import Settings
from pytest_mqchaos.kafka_cluster.timers import Timers
from pytest_mqchaos.kafka_cluster.topics import Topics

OFFSETS_PARTITIONS = 50  # of __consumer_offsets: what decides which node coordinates a group
_CLUSTER_ID_BYTES = 16


class State:
    """One cluster's data. `addresses` are advertised, by node id."""

    def __init__(
        self, *, addresses: Mapping[int, tuple[str, int]], settings: Settings, seed: int
    ) -> None:
        self.addresses = dict(sorted(addresses.items()))
        self.nodes = tuple(self.addresses)
        self.settings = settings
        self.timers = Timers()
        self.topics = Topics(self.nodes, settings, seed)
        self.groups = Groups(settings, self.timers, seed)
        self.offsets = Offsets()
        digest = sha256(f"cluster/{seed}".encode()).digest()[:_CLUSTER_ID_BYTES]
        self.cluster_id = urlsafe_b64encode(digest).decode().rstrip("=")
        self.controller = self.nodes[0]
        self._next_producer_id = 0
        self._errands: deque[Callable[[int], None]] = deque()

    def coordinator(self, group: str) -> int:
        """Give the node that coordinates a group."""
        return self.nodes[_java_hash(group) % OFFSETS_PARTITIONS % len(self.nodes)]

    def new_producer_id(self) -> int:
        """Give a producer id that nobody has."""
        given = self._next_producer_id
        self._next_producer_id += 1
        return given

    def soon(self, act: Callable[[int], None]) -> None:
        """Have `act(now)` called when the request at hand is done: what one request causes in
        another must see all of it."""
        self._errands.append(act)

    def run_errands(self, now: int) -> None:
        """Do what `soon` collected, and what that adds."""
        while self._errands:
            self._errands.popleft()(now)


def _java_hash(text: str) -> int:
    """`String.hashCode`, made positive as Kafka does it, so that groups land as they do there."""
    value = 0
    units = text.encode("utf-16-be", "surrogatepass")
    for at in range(0, len(units), 2):
        value = (value * 31 + int.from_bytes(units[at : at + 2])) & 0xFFFFFFFF
    return value & 0x7FFFFFFF
