"""The session's broker with its data plane: makes one `Chaos` per test or example.

ChaosBroker -- DataPlane (process)        one per session and xdist worker
            '- Broker (embedded, process) --> fresh or cleaned for each Chaos
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from pytest_mqchaos.brokers import base
from pytest_mqchaos.brokers.providers import provide
from pytest_mqchaos.chaos.address import Address
from pytest_mqchaos.chaos.config import MOST, SEVERAL, Config, size
from pytest_mqchaos.chaos.ground import Began
from pytest_mqchaos.chaos.pace import REAL
from pytest_mqchaos.chaos.side import side
from pytest_mqchaos.dataplane.controller import DataPlane
from pytest_mqchaos.errors import BrokerError, DataPlaneDied, MqchaosError, UsageError, unknown
from pytest_mqchaos.history.rows import TEST
from pytest_mqchaos.leash import hold
from pytest_mqchaos.plan.check import needed
from pytest_mqchaos.plan.rules import Plan
from pytest_mqchaos.plan.table import CLUSTERED
from pytest_mqchaos.workloads.supervisor import Supervisor

if TYPE_CHECKING:
    from pytest_mqchaos.chaos.session import Chaos

Arrange = Callable[[Plan, dict[str, Any]], tuple[Plan, dict[str, Any]]]
ABILITIES = (
    "Killable", "Pausable", "Restartable", "Healable", "PowerLosable", "LeaderMovable",
    "Partitionable", "ReplicationHoldable",
)  # fmt: skip


class ChaosBroker:
    """One broker behind links. `protocol` "kafka"; `kind` "embedded" or "process"; `arranged` has
    the last word on a run's plan and settings (--mqchaos-plan). Use it in `with`, or `start()`
    and `stop()`; one `Chaos` at a time."""

    pace = REAL
    hire = Supervisor

    def __init__(
        self, protocol: str = "kafka", kind: str = "embedded", *, config: Config | None = None,
        arranged: Arrange | None = None,
    ) -> None:  # fmt: skip
        self._arranged = arranged
        self.protocol = protocol
        self.kind = kind
        self.config = config or Config()
        self.plane = DataPlane()
        self.side = side(protocol)
        self.broker: base.Broker | None = None
        self.troubles: list[str] = []
        # Where histories and workers' output go while the session lasts.
        self.directory = hold.directory("mqchaos-")
        self._runs = 0
        self._current: Chaos | None = None
        self._nodes: list[int] = []
        self._count = self.config.nodes

    @property
    def abilities(self) -> tuple[str, ...]:
        """What rules may do to this broker, as it is for the run at hand or the next one."""
        found = [n for n in ABILITIES if isinstance(self.broker, getattr(base, n))]
        return (*found, *([CLUSTERED] if self._count > 1 else []))

    @property
    def version(self) -> str:
        """Kind and version for the report."""
        told = f"{self.protocol} {self.kind} {self.broker.version if self.broker else ''}".strip()
        return f"{told}, {self._count} nodes" if self._count > 1 else told

    def start(self) -> Self:
        """Start the data plane and the broker."""
        self.plane.on_trouble(self.troubles.append)
        self.plane.start()
        try:
            settings: dict[str, Any] = {"plane": self.plane} if self.kind == "embedded" else {}
            settings |= {"nodes": self._count} if self._count > 1 else {}
            self.broker = provide(self.protocol, self.kind, **settings)
            if self.kind != "embedded":
                self.broker.start()
                self._connect()
        except BaseException:
            self.stop()
            raise
        return self

    def _connect(self) -> None:
        assert self.broker is not None
        addresses = self.broker.addresses()
        self._nodes = sorted(addresses)
        if self.kind != "embedded":
            for node, (host, port) in addresses.items():
                self.plane.request("upstream", node=node, host=host, port=port)
        at = {node: (host, port) for node, (host, port) in addresses.items()}
        self.side.connect(at, self.alive)

    def stop(self) -> None:
        """Stop everything that was started. Safe to call twice."""
        try:
            if self._current is not None:  # the session ends under its feet
                try:
                    self._current.finish(body_failed=True)
                finally:
                    self._current.close()
        finally:
            try:
                self.side.close()
                if self.broker is not None:
                    self.broker.stop()
            finally:
                self.plane.stop()
                hold.discard(self.directory)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:  # fmt: skip
        self.stop()

    # ------------------------------------------------------------ one run

    def chaos(
        self, plan: Plan | None = None, *, nodes: int | None = None, **settings: Any
    ) -> Chaos:
        """A Chaos for one example: use it in `with` or `async with`. `nodes`: of the cluster, by
        default as configured, and 3 for a plan that cannot act on one. `settings` are the keyword
        arguments of `Chaos` (id, key, own_assertions, ...)."""
        from pytest_mqchaos.chaos.session import Chaos

        if self._current is not None:
            raise UsageError(
                "the Chaos before this one has not ended: leave its `with` block first (a broker "
                "serves one Chaos at a time; one that was made and never entered is in the way too)"
            )
        allowed = inspect.signature(Chaos).parameters
        for name in settings:
            if name not in allowed:
                raise unknown("setting of a Chaos", name, set(allowed) - {"host", "plan"})
        plan = plan or Plan()
        if self._arranged is not None:
            plan, settings = self._arranged(plan, settings)
        self._resize(self.nodes_for(nodes, plan))
        made = Chaos(self, plan, **settings)
        self._current = made
        return made

    @property
    def most_nodes(self) -> int:
        """How many nodes a run can have."""
        return MOST if self.kind == "embedded" else self._count

    def nodes_for(self, nodes: int | None, plan: Plan) -> int:
        """How many nodes a run has: as said, else as configured, but several for a plan that
        cannot act on one."""
        wanted = size(self.config.nodes if nodes is None else nodes)
        return SEVERAL if wanted == 1 and CLUSTERED in needed(plan, self.protocol) else wanted

    def _resize(self, wanted: int) -> None:
        """Every run on the embedded broker has a cluster of its own; a real one is as it is."""
        if wanted <= self.most_nodes:
            self._count = wanted if self.kind == "embedded" else self._count
        else:
            raise UsageError(
                f"this needs a cluster of {wanted} nodes; the {self.kind} broker of this session "
                f"has {self._count}: run with --mqchaos-nodes={wanted}"
            )

    def begin(self, settings: Mapping[str, object]) -> Began:
        """A run starts: its history, first node, address of the default links."""
        assert self.broker is not None
        self._runs += 1
        self.troubles.clear()  # those of the run before were its own
        history = self.directory / f"run-{self._runs}.history"
        if isinstance(self.broker, base.Resizable):
            self.broker.nodes = self._count
            self.broker.start()
            self._connect()
        elif isinstance(self.gone, BrokerError) and isinstance(self.broker, base.Healable):
            self.broker.heal()  # the test in which it died was told
        self.plane.request("begin", history=str(history), settings=dict(settings))
        first, *others = self._nodes
        places = [self.plane.address(TEST, first, self.config.port)]
        places += [self.plane.address(TEST, node) for node in others]
        return Began(
            nodes=tuple(self._nodes), address=Address.of(places), tape=partial(_read, history),
            directory=self.directory, effects=history.with_suffix(".effects"),
        )  # fmt: skip

    def end(self, owners: Iterable[str] = ()) -> None:
        """A run is over; the links of its `owners` end, and their late clients find nobody."""
        self._current = None
        if self.plane.died is None:  # else there is nobody to tell
            self.plane.request("end")
            for owner in owners:
                self.plane.request("unlisten", owner=owner)

    @property
    def gone(self) -> MqchaosError | None:
        """What is dead that should not be, if anything: the data plane, the broker."""
        if self.plane.died is not None:
            return DataPlaneDied(self.plane.died)
        why = self.broker.died() if isinstance(self.broker, base.Mortal) else None
        return BrokerError(why) if why is not None else None

    def alive(self) -> None:
        """Raise if nothing that is waited for can come any more: `DataPlaneDied`, `BrokerError`."""
        gone = self.gone
        if gone is not None:
            raise gone


def _read(path: Path, length: int) -> tuple[bytes, str]:
    """What is there of a history file, and where that is."""
    try:
        with path.open("rb") as file:
            return file.read(length), str(path)
    except FileNotFoundError:
        return b"", str(path)
