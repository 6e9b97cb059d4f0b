"""Which processes a Kafka cluster of a size is made of.

One broker is its own controller. Several have a controller apart from them, so that killing or
pausing brokers, all of them too, never takes the quorum away: what a test then sees is the failure
of brokers, as where controllers are machines of their own. It must never know what is done to them.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from typing import NamedTuple

from pytest_mqchaos.brokers.kafka_config import new_cluster_id
from pytest_mqchaos.brokers.kafka_node import KafkaNode, Software
from pytest_mqchaos.brokers.ports import Reservation
from pytest_mqchaos.errors import UsageError

MOST = 5
CONTROLLER = 100  # its node id, where it is no broker


class Nodes(NamedTuple):
    """All stopped. `brokers` by node id, from 1; `controllers` are those that are no brokers."""

    brokers: dict[int, KafkaNode]
    controllers: tuple[KafkaNode, ...]

    def every(self) -> tuple[KafkaNode, ...]:
        """Controllers first, as they are to be started."""
        return (*self.controllers, *self.brokers.values())


def count(nodes: object) -> int:
    """How many brokers there shall be. UsageError for what cannot be."""
    if not isinstance(nodes, int) or isinstance(nodes, bool) or not 1 <= nodes <= MOST:
        raise UsageError(
            f"the process broker of Kafka has 1 to {MOST} nodes, asked were {nodes!r}: 3 are "
            "enough for every fault (about 650 MB of memory)"
        )
    return nodes


def new_nodes(brokers: int, software: Software, settings: Mapping[str, str]) -> Nodes:
    """A new cluster of that many brokers; `settings` are broker properties that win over ours."""
    alone = brokers == 1
    with ExitStack() as undo:
        control = undo.enter_context(Reservation())
        voter = 1 if alone else CONTROLLER
        cluster = new_cluster_id()

        def made(node: int, port: Reservation | None) -> KafkaNode:
            held = [each for each in (port, control if node == voter else None) if each is not None]
            found = KafkaNode(
                node, cluster, port=port, held=held, voters={voter: control.port},
                brokers=brokers, software=software, extra=settings,
            )  # fmt: skip
            undo.callback(found.close)
            return found

        controllers = () if alone else (made(CONTROLLER, None),)
        found = {
            node: made(node, undo.enter_context(Reservation())) for node in range(1, brokers + 1)
        }
        undo.pop_all()
        return Nodes(found, controllers)
