"""What a test says about itself: destinations and their roles, what is accounted for."""

from __future__ import annotations

from collections.abc import Iterable

from pytest_mqchaos.chaos.roles import Ground
from pytest_mqchaos.chaos.scope import Scope
from pytest_mqchaos.chaos.side import Shape


class Declarations:
    """Mixed into `Chaos`, on whose broker and scope it works."""

    scope: Scope

    @property
    def host(self) -> Ground:
        """The broker that this Chaos is on."""
        raise NotImplementedError

    def topic(
        self, name: str, *, partitions: int = 1, replication: int = 1, **settings: object
    ) -> str:
        """An empty topic for this test, removed afterwards; judged as an input. `settings` are
        Kafka's topic settings with `_` for `.` (retention_ms=1000)."""
        named = {key.replace("_", "."): value for key, value in settings.items()}
        shape = Shape(partitions=partitions, replication=replication, settings=named)
        self.host.side.create(name, shape)
        self.scope.made(name)
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
        self.scope.accepted(str(id))

    def expect(
        self, *, dead_lettered: Iterable[str] = (), expired: Iterable[str] = (),
        dropped: Iterable[str] = (), ignored: Iterable[str] = (),
    ) -> None:  # fmt: skip
        """Declare ids accounted for."""
        self.scope.expect(
            dead_lettered=dead_lettered, expired=expired, dropped=dropped, ignored=ignored
        )
