"""What a test says about itself: destinations and their roles, what is accounted for."""

from __future__ import annotations

from collections.abc import Iterable

from pytest_mqchaos.chaos.ground import Ground
from pytest_mqchaos.chaos.scope import Scope
from pytest_mqchaos.chaos.side import Shape
from pytest_mqchaos.errors import UsageError
from pytest_mqchaos.history.identity import as_id

REPLICAS = 3  # copies of a partition where nobody said how many and there are nodes enough


class Declarations:
    """Mixed into `Chaos`, on whose broker and scope it works."""

    scope: Scope

    @property
    def host(self) -> Ground:
        """The broker that this Chaos is on."""
        raise NotImplementedError

    @property
    def nodes(self) -> int:
        """How many brokers the cluster has."""
        raise NotImplementedError

    def topic(
        self, name: str, *, partitions: int = 1, replication: int | None = None,
        min_insync: int | None = None, **settings: object,
    ) -> str:  # fmt: skip
        """An empty topic for this test, removed afterwards; judged as an input. `replication`:
        copies of each partition, by default one on every node, at most 3. `min_insync`: how many of
        them must be in sync for acks=all (default: the broker's, 1). `settings` are Kafka's topic
        settings with `_` for `.` (retention_ms=1000)."""
        nodes = self.nodes
        copies = min(nodes, REPLICAS) if replication is None else replication
        if not isinstance(copies, int) or not 1 <= copies <= nodes:
            raise UsageError(
                f"chaos.topic({name!r}, replication={replication!r}): must be 1 to {nodes}, the "
                f"number of nodes; more nodes: nodes=3 in the mark, or --mqchaos-nodes=3"
            )
        if min_insync is not None and not 1 <= min_insync <= copies:
            raise UsageError(
                f"chaos.topic({name!r}, min_insync={min_insync!r}): must be 1 to {copies}, the "
                "number of copies: with more nothing could ever be confirmed to acks=all"
            )
        named = {key.replace("_", "."): value for key, value in settings.items()}
        named |= {} if min_insync is None else {"min.insync.replicas": min_insync}
        shape = Shape(partitions=partitions, replication=copies, settings=named)
        self.host.side.create(name, shape)
        compacted = "compact" in str(named.get("cleanup.policy", ""))
        self.scope.made(name, compacted=compacted)
        return name

    def flow(
        self, *, inputs: Iterable[str] = (), retries: Iterable[str] = (),
        outputs: Iterable[str] = (), dead_letters: Iterable[str] = (),
    ) -> None:  # fmt: skip
        """Say what is judged as what. Without it every destination that `topic` or `publish` named
        is an input."""
        self.scope.declare(
            inputs=inputs, retries=retries, outputs=outputs, dead_letters=dead_letters
        )

    def accepted(self, id: str) -> None:
        """The service told its own caller that this message is safe."""
        self.scope.accepted(as_id(id))

    def expect(
        self, *, dead_lettered: Iterable[str] = (), expired: Iterable[str] = (),
        dropped: Iterable[str] = (), ignored: Iterable[str] = (),
    ) -> None:  # fmt: skip
        """Declare ids accounted for."""
        self.scope.expect(
            dead_lettered=dead_lettered, expired=expired, dropped=dropped, ignored=ignored
        )
