"""What a broker is to the rest: something with addresses that can be started and stopped.

It knows no protocol and no provider; providers register themselves in `providers.py` by name. What
a provider can do beyond starting is said by small abilities that callers ask for with
`isinstance(broker, Killable)`. Nodes are numbered by the broker's own node ids, from 1 or 0 as the
protocol has it; `addresses` has them all. What befalls a node raises `Impossible` where it is not
in the state for that.

    Broker.start() -> addresses -> kill / pause / resume / restart -> heal() -> Broker.stop()
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple, Protocol, runtime_checkable


class Address(NamedTuple):
    """Where a node listens. `str()` gives `host:port`."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"


@runtime_checkable
class Broker(Protocol):
    """One broker or cluster of a kind ("embedded", "process", ...), addressed directly: no link of
    ours is in between. `version` is what the report prints, "" until it is known."""

    @property
    def kind(self) -> str: ...

    @property
    def version(self) -> str: ...

    def start(self) -> None:
        """Return when it answers its protocol. BrokerError if it does not come up, UsageError if
        this machine lacks something (the text says what to install)."""

    def stop(self) -> None:
        """End it and remove what it stored. May be called twice and at any time."""

    def addresses(self) -> Mapping[int, Address]:
        """Node id -> direct address; the same for the whole life of the broker."""


@runtime_checkable
class Killable(Protocol):
    """Its nodes can be ended as by a power cut of the process: no word of goodbye."""

    def kill(self, node: int) -> None:
        """Return when the process is gone for certain. A dead node stays dead: no error."""


@runtime_checkable
class Pausable(Protocol):
    """Its nodes can be made to stand still with their connections open."""

    def pause(self, node: int) -> None:
        """Impossible for one that is down."""

    def resume(self, node: int) -> None: ...


@runtime_checkable
class Restartable(Protocol):
    """A node that ended can come back as itself: same identity, address and data."""

    def restart(self, node: int) -> None:
        """End the node if it runs, in an orderly way, start it again, return when it answers."""


@runtime_checkable
class Healable(Protocol):
    """Whatever was broken can be mended in one go."""

    def heal(self) -> None:
        """Resume what is paused, start what is dead, return when every node answers."""


@runtime_checkable
class Mortal(Protocol):
    """Its nodes are processes, which may end without having been asked to."""

    def died(self) -> str | None:
        """Which node did, with its last words; None if every node is as it was left."""


@runtime_checkable
class Placed(Protocol):
    """It can say which node is which for a destination or a group, as things are now."""

    def leader(self, topic: str, partition: int) -> int | None:
        """The node that leads a partition; None while nobody does."""

    def followers(self, topic: str, partition: int) -> tuple[int, ...]:
        """The nodes that hold a copy of it and do not lead it."""

    def coordinator(self, kind: str, key: str) -> int | None:
        """The node that coordinates the "group" or "transaction" of this id; None while nobody
        does."""


@runtime_checkable
class LeaderMovable(Protocol):
    """Leadership can be moved without harm to any node."""

    def move_leader(self, topic: str, partition: int, to: int | None = None) -> int:
        """Hand a partition to `to`, an in-sync copy (None: the next in sync). Returns who leads
        when it has happened. Impossible while it cannot lead, UsageError for a node that never
        could."""

    def move_coordinator(self, kind: str, key: str, to: int | None = None) -> int:
        """The same for whoever coordinates the "group" or "transaction" of this id."""


@runtime_checkable
class ReplicationHoldable(Protocol):
    """Followers can be kept from copying what their leader takes."""

    def hold_replication(
        self, topic: str | None = None, partition: int | None = None, follower: int | None = None
    ) -> None:
        """Return when nothing that is stored from now on reaches the followers (None: all there
        are), until it is released or they leave the in-sync set, as the broker has it."""

    def release_replication(self) -> None:
        """Let them copy again."""


@runtime_checkable
class PowerLosable(Protocol):
    """Its nodes can lose what was not flushed to the disk."""

    def power_loss(self, node: int) -> None: ...


@runtime_checkable
class Partitionable(Protocol):
    """Its nodes can be kept from hearing each other while clients reach all."""

    def isolate(self, groups: Sequence[Collection[int]]) -> None: ...

    def reunite(self) -> None: ...


@runtime_checkable
class Resizable(Protocol):
    """Every `start` makes a new cluster, of as many nodes as `nodes` says then."""

    nodes: int
