"""What a Chaos stands on: the session's broker behind links, and what moves its bytes.

It knows roles, nobody who plays one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from pytest_mqchaos.brokers.base import Broker
    from pytest_mqchaos.chaos.address import Address
    from pytest_mqchaos.chaos.config import Config
    from pytest_mqchaos.chaos.keeper import Hire
    from pytest_mqchaos.chaos.pace import Pace
    from pytest_mqchaos.chaos.side import Side
    from pytest_mqchaos.errors import MqchaosError


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
