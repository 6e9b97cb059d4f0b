"""The cells of the matrix, and how one is run: through links, with everything on record."""

from __future__ import annotations

from typing import NamedTuple

from tests.conformance.conversing import conversation
from tests.conformance.matrix import by_aiokafka, by_confluent, by_kafka_python
from tests.conformance.matrix.client import Client
from tests.conformance.matrix.features import FEATURES, Feature
from tests.conformance.matrix.limits import LIMITS, Limit

CLIENTS = (by_aiokafka.CLIENT, by_confluent.CLIENT, by_kafka_python.CLIENT)
BY_NAME = {client.name: client for client in CLIENTS}
BROKERS = ("embedded", "process")
SIZES = tuple(sorted({feature.nodes for feature in FEATURES}))  # of a cluster
PUBLISHER = "publisher"  # our own client: what it was told is asked where it matters


class Cell(NamedTuple):
    """One feature of one client on one kind of broker."""

    feature: Feature
    client: Client
    broker: str

    @property
    def limit(self) -> Limit | None:
        return LIMITS.get((self.feature.name, self.client.name, self.broker))

    def __str__(self):
        return f"{self.client.name}, {self.feature.name}, {self.broker}"


CELLS = tuple(
    Cell(feature, client, broker)
    for broker in BROKERS
    for client in CLIENTS
    for feature in FEATURES
)


def run(host, cell):
    """Raises AssertionError unless the cell is as the table says: the feature works, or its limit
    is what is documented. `host` is a broker of the cell's kind."""
    assert host.kind == cell.broker
    ask, feature = cell.limit.ask if cell.limit else cell.feature.ask, cell.feature
    given = {"partitions": feature.partitions, "nodes": feature.nodes, **feature.shape}
    with conversation(host, **given) as seen:  # no gap, all decoded
        ask(seen, cell.client)
        history = seen.chaos.history
        assert set(history.links.values()) - {PUBLISHER}, "it did not come through a link"
        sent = [row for row in history.attempts if row.owner != PUBLISHER]
        failed = [r for r in (*sent, *history.acks) if not (r.reached and r.outcome == "confirmed")]
        assert failed == [] or feature.nodes > 1
        assert seen.chaos.host.troubles == []
