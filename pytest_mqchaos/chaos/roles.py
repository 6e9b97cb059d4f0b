"""What the parts of a Chaos know of it and of its broker, so that arrows between them point one
way.

    host --> session --> view, telling, ending --> (Run, Ground)
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from pytest_mqchaos.brokers.base import Broker
    from pytest_mqchaos.chaos.address import Address
    from pytest_mqchaos.chaos.config import Config
    from pytest_mqchaos.chaos.effects import Effects
    from pytest_mqchaos.chaos.keeper import Hire
    from pytest_mqchaos.chaos.pace import Pace
    from pytest_mqchaos.chaos.rules import ArmedRule, RuleBook
    from pytest_mqchaos.chaos.running import Crew
    from pytest_mqchaos.chaos.scope import Scope
    from pytest_mqchaos.chaos.side import Side
    from pytest_mqchaos.checkers.verdict import Verdict
    from pytest_mqchaos.errors import MqchaosError
    from pytest_mqchaos.history.history import History
    from pytest_mqchaos.history.identity import Identity
    from pytest_mqchaos.plan.rules import Plan


class Plane(Protocol):
    """What moves the bytes, in a process of its own or in virtual time: see
    `dataplane.controller.DataPlane`."""

    def request(self, do: str, *, timeout: float = 10.0, **args: Any) -> Any: ...

    def address(self, owner: str, node: int, port: int = 0) -> tuple[str, int]: ...

    def flush(self) -> int: ...

    def on_ask(self, callback: Callable[[str, dict[str, Any]], object]) -> None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Began:
    """A run that has begun. `address` has a part for each of `nodes`. `tape` gives the first so
    many bytes of its history and their place; `directory` is for what processes write (None: there
    are none), `effects` the file where they tell of effects."""

    nodes: tuple[int, ...]
    address: Address
    tape: Callable[[int], tuple[bytes, str]]
    directory: Path | None = None
    effects: Path | None = None


class Ground(Protocol):
    """The session's broker behind links, as a Chaos stands on it."""

    protocol: str
    kind: str
    config: Config
    side: Side
    broker: Broker | None
    troubles: list[str]

    @property
    def plane(self) -> Plane: ...

    @property
    def pace(self) -> Pace: ...

    @property
    def hire(self) -> Hire: ...

    @property
    def abilities(self) -> tuple[str, ...]: ...

    @property
    def version(self) -> str: ...

    def begin(self, settings: Mapping[str, object]) -> Began: ...

    def end(self, owners: Iterable[str] = ()) -> None: ...

    @property
    def gone(self) -> MqchaosError | None: ...

    def alive(self) -> None: ...


class Clients(Protocol):
    """Whoever knows what the clients call themselves."""

    def clients(self) -> tuple[str, ...]: ...


class Run(Protocol):
    """A Chaos, as what looks at it and tells of it sees it."""

    plan: Plan
    identity: Identity
    own_assertions: bool
    drawn: bool
    verdicts: list[Verdict]
    last_history: History
    rules: RuleBook
    scope: Scope
    ledger: Effects

    @property
    def view(self) -> Clients: ...

    @property
    def host(self) -> Ground: ...

    @property
    def crew(self) -> Crew: ...

    @property
    def armed(self) -> Sequence[ArmedRule]: ...

    @property
    def history(self) -> History: ...

    @property
    def bootstrap_servers(self) -> str: ...

    @property
    def nodes(self) -> int: ...
