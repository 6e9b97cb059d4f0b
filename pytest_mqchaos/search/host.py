"""The broker of a simulation, behind links in memory: one per run, gone with its loop.

It puts the virtual data plane, the embedded cluster and the reading back together, as `chaos.host`
does over sockets; it must never know a scenario.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import partial

from pytest_mqchaos.brokers import base
from pytest_mqchaos.brokers.embedded import EmbeddedKafka
from pytest_mqchaos.chaos.address import Address
from pytest_mqchaos.chaos.config import Config
from pytest_mqchaos.chaos.ground import Began
from pytest_mqchaos.chaos.host import ABILITIES
from pytest_mqchaos.chaos.kafka_post import KafkaPost
from pytest_mqchaos.chaos.keeper import Hire
from pytest_mqchaos.chaos.side import side
from pytest_mqchaos.errors import MqchaosError
from pytest_mqchaos.history.rows import TEST
from pytest_mqchaos.plan.table import CLUSTERED
from pytest_mqchaos.search.asking import direct
from pytest_mqchaos.search.pace import VirtualPace
from pytest_mqchaos.simulation.loop import VirtualLoop
from pytest_mqchaos.simulation.plane import VirtualPlane
from pytest_mqchaos.workloads.on_loop import LoopSupervisor


class VirtualHost:
    """See `chaos.ground.Ground`. `settings` are the cluster's, by Kafka's names."""

    kind = "embedded"

    def __init__(
        self, loop: VirtualLoop, protocol: str, *, nodes: int, settings: Mapping[str, object],
        seed: int, config: Config,
    ) -> None:  # fmt: skip
        self.protocol = protocol
        self.config = config
        self.troubles: list[str] = []
        self.plane = VirtualPlane(loop)
        self.plane.on_trouble(self.troubles.append)
        self.pace = VirtualPace(loop, self.plane.clock)
        self.side = side(
            protocol, direct=lambda nodes, _alive: direct(self.plane, loop.time, nodes),
            publisher=lambda address, _alive: KafkaPost(address),
        )  # fmt: skip
        self.broker: base.Broker | None = EmbeddedKafka(
            plane=self.plane, nodes=nodes, settings=settings, seed=seed
        )
        self._count = nodes

    @property
    def hire(self) -> Hire:
        """Workers live on the loop."""
        return partial(LoopSupervisor, clock=self.plane.clock)

    @property
    def abilities(self) -> tuple[str, ...]:
        """What rules may do to this broker."""
        found = [name for name in ABILITIES if isinstance(self.broker, getattr(base, name))]
        return (*found, *([CLUSTERED] if self._count > 1 else []))

    @property
    def version(self) -> str:
        """Kind and version for the report."""
        assert self.broker is not None
        return f"{self.protocol} {self.kind} {self.broker.version}, simulated"

    def begin(self, settings: Mapping[str, object]) -> Began:
        """The run starts: a fresh cluster, its history, the addresses of the default links."""
        assert self.broker is not None
        self.broker.start()
        addresses = self.broker.addresses()
        self.side.connect({n: (at.host, at.port) for n, at in addresses.items()}, self.alive)
        self.plane.request("begin", history="memory", settings=dict(settings))
        nodes = tuple(sorted(addresses))
        return Began(
            nodes=nodes,
            address=Address.of(self.plane.address(TEST, node) for node in nodes),
            tape=self.plane.recorder.read,
        )

    def end(self, owners: Iterable[str] = ()) -> None:
        """The run is over."""
        self.plane.request("end")
        for owner in owners:
            self.plane.request("unlisten", owner=owner)

    @property
    def gone(self) -> MqchaosError | None:
        """Nothing here can die but with this process."""
        return None

    def alive(self) -> None:
        """See `gone`."""
