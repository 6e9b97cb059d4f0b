"""What a client brings to stand in the matrix, in words that are no client's own.

How a client does it stands in its by_*.py, what it is asked in features.py.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple, Protocol


class Got(NamedTuple):
    """One message as the application was given it."""

    partition: int
    offset: int
    key: bytes | None
    value: bytes
    headers: tuple[tuple[str, bytes | None], ...]

    @property
    def id(self):
        return self.value.decode()


class Standing(NamedTuple):
    """A group as the client's admin API describes it; `state` in lower case."""

    state: str
    members: frozenset[str]


class Heard:
    """What a consumer's rebalance listener was told, in its order: (taken or lost, partitions)."""

    def __init__(self):
        self.told = []

    def taken(self, partitions):
        self._add("taken", frozenset(partitions))

    def lost(self, partitions):
        self._add("lost", frozenset(partitions))

    def _add(self, what, partitions):
        if partitions:  # some clients tell of nothing, too
            self.told.append((what, partitions))


class Reader(Protocol):
    """A consumer in a group, subscribed to one topic, from the earliest message on. Its own polls
    are short: whoever waits asks again. `heard` is what its listener was told."""

    heard: Heard

    def look(self, most: int) -> list[Got]: ...
    def holds(self) -> frozenset[int]: ...
    def seek(self, partition: int, offset: int) -> None: ...
    def pause(self, partition: int) -> None: ...
    def resume(self, partition: int) -> None: ...
    def close(self) -> None: ...


class Admin(Protocol):
    """The client's admin API."""

    def create(self, topic: str, partitions: int, settings: dict[str, str]) -> None: ...
    def delete(self, topic: str) -> None: ...
    def topics(self) -> set[str]: ...
    def groups(self) -> set[str]: ...
    def describe(self, group: str) -> Standing: ...
    def close(self) -> None: ...


Ending = Literal["commit", "abort"]
Transactions = Sequence[tuple[Ending, Sequence[str]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    """`package` is its distribution; `member` a target of `chaos.worker` that records the id of
    each message as an effect and then commits it; `codec` gives the producer's settings for one
    batch of a codec; `reader(servers, topic, group, auto_commit=, committed=, **settings)`:
    `committed` reads no aborted messages; `transact(servers, topic, id, transactions)` does one
    after the other. Settings of a reader: `static` names a member (KIP-345), `cooperative` takes
    nothing away that stays (KIP-429), `newer` is the newer protocol (KIP-848); where a client has
    no such thing, what comes nearest or what one would try (limits.py)."""

    name: str
    package: str
    member: Callable[..., object]
    codec: Callable[[str], dict[str, object]]
    reader: Callable[..., Reader]
    admin: Callable[[str], Admin]
    transact: Callable[[str, str, str, Transactions], None]
    static: Callable[[str], Mapping[str, object]]
    cooperative: Mapping[str, object]
    newer: Mapping[str, object]
