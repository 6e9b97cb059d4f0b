"""What all handlers share: settings, nodes, topics, groups, transactions, timers, errands.

It knows where things are kept, not what is done with them.
"""

from __future__ import annotations

from base64 import urlsafe_b64encode
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from hashlib import sha256

from pytest_mqchaos.kafka_cluster.coordinators import TRANSACTION, Coordinators
from pytest_mqchaos.kafka_cluster.groups.groups import Groups
from pytest_mqchaos.kafka_cluster.groups.offsets import Offsets
from pytest_mqchaos.kafka_cluster.housekeeping import Housekeeping
from pytest_mqchaos.kafka_cluster.replicas.controller import Controller
from pytest_mqchaos.kafka_cluster.replicas.nodes import Nodes
from pytest_mqchaos.kafka_cluster.replicas.partition import Partition
from pytest_mqchaos.kafka_cluster.replicas.replication import Replication
from pytest_mqchaos.kafka_cluster.settings import Settings
from pytest_mqchaos.kafka_cluster.timers import MILLISECOND, Timers
from pytest_mqchaos.kafka_cluster.topics import Topics
from pytest_mqchaos.kafka_cluster.transactions.transactions import Transactions

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
        self.broker_nodes = Nodes(self.nodes)
        lag = settings.replica_lag_time_max_ms * MILLISECOND
        self.replication = Replication(self.broker_nodes, self.timers, lag=lag)
        self.controller = Controller(
            self.broker_nodes,
            self.timers,
            session=settings.broker_session_timeout_ms * MILLISECOND,
            partitions=self.partitions,
            changed=self._decided,
        )
        self.replication.controller = self.controller
        self.errands: deque[Callable[[int], None]] = deque()
        self.topics = Topics(self.nodes, settings, seed, self._admitted)
        self.housekeeping = Housekeeping(self.topics, self.timers, settings)
        self.coordinators = Coordinators(self.nodes, self.controller.admit, settings)
        self.groups = Groups(settings, self.timers, seed)
        self.offsets = Offsets()
        digest = sha256(f"cluster/{seed}".encode()).digest()[:_CLUSTER_ID_BYTES]
        self.cluster_id = urlsafe_b64encode(digest).decode().rstrip("=")
        self._next_producer_id = 0
        self.transactions = Transactions(
            settings=settings,
            timers=self.timers,
            topics=self.topics,
            offsets=self.offsets,
            new_id=self.new_producer_id,
            soon=self.soon,
            term=partial(self.coordinators.term, TRANSACTION),
        )

    def partitions(self) -> Iterator[Partition]:
        """Walk every partition there is, the internal ones last."""
        yield from self.topics.partitions()
        yield from self.coordinators.all()

    def _admitted(self, partition: Partition, now: int) -> None:
        self.controller.admit(partition, now)
        self.soon(self.housekeeping.look)  # the topic is in its place only when this is done

    def _decided(self, partition: Partition, now: int) -> None:
        self.replication.connect(partition, now)
        if self.coordinators.moved(partition):
            names = [group.name for group in self.groups.all()]
            self.groups.moved(self.coordinators.of(partition, names), now)

    def new_producer_id(self) -> int:
        """Give a producer id that nobody has."""
        given = self._next_producer_id
        self._next_producer_id += 1
        return given

    def soon(self, act: Callable[[int], None]) -> None:
        """Have `act(now)` called when the request at hand is done: what one request causes in
        another must see all of it."""
        self.errands.append(act)

    def run_errands(self, now: int) -> None:
        """Do what `soon` collected, and what that adds."""
        while self.errands:
            self.errands.popleft()(now)
