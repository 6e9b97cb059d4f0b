"""What a protocol has to bring so that a Chaos can work with it. One module per protocol, chosen by
name; the rest of the room knows only this.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any, Literal, NamedTuple, Protocol

from pytest_mqchaos.chaos.pace import Maybe
from pytest_mqchaos.errors import unknown
from pytest_mqchaos.frames import Message, Record
from pytest_mqchaos.wire.base import Codec

_SIDES = {"kafka": "pytest_mqchaos.chaos.kafka:KafkaSide"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """What became of one published message: `outcome` confirmed, refused (the client said the
    broker refused it) or unknown (a time-out: it may be stored), after `attempts` sends."""

    id: str | None
    destination: str
    outcome: Literal["confirmed", "refused", "unknown"]
    attempts: int
    partition: int = -1
    offset: int = -1
    error: str | None = None


class Standing(NamedTuple):
    """Where one group is on one partition; `active` = its live members, None if not known."""

    group: str
    topic: str
    partition: int
    committed: int
    start: int
    end: int
    active: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """How a destination is to be made."""

    partitions: int = 1
    replication: int = 1
    settings: Mapping[str, object] = field(default_factory=dict)


class Publisher(Protocol):
    """Our own plain client, on links of its own. Not safe to use from two threads at once."""

    def send(
        self, destination: str, messages: Sequence[Message], *, attempts: int, idempotent: bool
    ) -> Maybe[list[Receipt]]: ...

    def close(self) -> Maybe[None]: ...


class Side(Protocol):
    """One protocol against one broker, asked on direct addresses (no link in between)."""

    protocol: str
    word: str  # what a destination is called: "topic"

    def codec(self) -> Codec: ...

    def error_name(self, code: int) -> str:
        """The protocol's name of an error code."""

    def connect(self, addresses: Mapping[int, tuple[str, int]], alive: Callable[[], None]) -> None:
        """Answer from these nodes from now on; `alive()` raises when none can answer any more."""

    def create(self, name: str, shape: Shape) -> None:
        """An empty destination of this name, whatever was there before."""

    def remove(self, names: Iterable[str]) -> None: ...

    def ends(self, names: Iterable[str]) -> dict[tuple[str, int], tuple[int, int]]:
        """(start, end) of every partition; destinations that do not exist are left out."""

    def read(self, names: Iterable[str], since: Mapping[tuple[str, int], int]) -> list[Record]:
        """Everything stored from `since` on, committed view."""

    def blocked(self, names: Iterable[str]) -> list[Record]:
        """What is stored behind the begin of a transaction that is still open."""

    def standings(self, groups: Iterable[str], names: Iterable[str]) -> list[Standing]: ...

    def empty(self, topic: str, partition: int, start: int, end: int) -> bool:
        """Whether between two offsets stands no message that anybody could be owed: markers that
        end transactions take offsets too, and so does what was aborted."""

    def positions(self) -> dict[tuple[str, str, int], int]:
        """(group, destination, partition) -> position, of every group that there is."""

    def epochs(self) -> dict[tuple[str, int], int]:
        """How often each partition has been led anew: 0 or left out for never."""

    def lone(self) -> frozenset[tuple[str, int]]:
        """The partitions of which there is one copy."""

    def bury(self, members: Iterable[tuple[str, str]]) -> None:
        """(group, member) of a dead worker leave their groups, as after their session time-out."""

    def publisher(self, address: str, alive: Callable[[], None]) -> Publisher:
        """A client of `address`; `alive()` raises when no answer can come any more."""

    def close(self) -> None: ...


def side(protocol: str, **ways: Any) -> Side:
    """The side of a protocol; `UsageError` names those that there are. `ways`: how it reaches its
    broker where that is not by sockets."""
    if protocol not in _SIDES:
        raise unknown("protocol", protocol, _SIDES)
    module, _, name = _SIDES[protocol].partition(":")
    made: Side = getattr(import_module(module), name)(**ways)
    return made
