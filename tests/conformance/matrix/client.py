"""What a client brings to stand in the matrix, in words that are no client's own.

How a client does it stands in its by_*.py, what it is asked in features.py.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
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


class Reader(Protocol):
    """A consumer in a group, subscribed to one topic, from the earliest message on. Its own polls
    are short: whoever waits asks again."""

    def look(self, most: int) -> list[Got]: ...
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
    batch of a codec; `reader(servers, topic, group, auto_commit=, committed=)`: `committed` reads
    no aborted messages; `transact(servers, topic, id, transactions)` does one after the other."""

    name: str
    package: str
    member: Callable[..., object]
    codec: Callable[[str], dict[str, object]]
    reader: Callable[..., Reader]
    admin: Callable[[str], Admin]
    transact: Callable[[str, str, str, Transactions], None]
