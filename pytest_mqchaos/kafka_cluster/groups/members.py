"""A member of a consumer group, a group's phases, what joining and syncing ask and answer: data."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple, TypeAlias

from kio.schema.errors import ErrorCode

from pytest_mqchaos.kafka_cluster.timers import Timer

Protocols: TypeAlias = tuple[tuple[str, bytes], ...]


class Phase(StrEnum):
    """A group's state, in Kafka's words."""

    EMPTY = "Empty"
    PREPARING = "PreparingRebalance"
    COMPLETING = "CompletingRebalance"
    STABLE = "Stable"
    DEAD = "Dead"


@dataclass(frozen=True, slots=True, kw_only=True)
class Joining:
    """What a client asks with JoinGroup. Times in milliseconds. `needs_id`: a client of v4 or
    newer must come back with the id that it is given (KIP-394). `delay`: how long a first
    generation with this member waits at least (KIP-134). `instance`: the name of a static member
    (KIP-345). `skips`: the client knows that a leader may be told not to assign (KIP-814)."""

    member_id: str
    client: str
    protocol_type: str
    protocols: Protocols
    session: int
    rebalance: int
    needs_id: bool
    delay: int = 0
    instance: str | None = None
    skips: bool = False


class Joined(NamedTuple):
    """The answer to JoinGroup. Only the leader gets `members` (id, instance, metadata); `skip`: it
    has them to look at, not to assign (KIP-814)."""

    code: ErrorCode
    member_id: str = ""
    generation: int = -1
    protocol_type: str | None = None
    protocol: str | None = None
    leader: str = ""
    members: tuple[tuple[str, str | None, bytes], ...] = ()
    skip: bool = False


class Syncing(NamedTuple):
    """What a client asks with SyncGroup. Protocol type and name are None if it does not say."""

    member_id: str
    generation: int
    assignments: dict[str, bytes]
    instance: str | None = None
    protocol_type: str | None = None
    protocol: str | None = None


class Synced(NamedTuple):
    """The answer to SyncGroup."""

    code: ErrorCode
    assignment: bytes = b""
    protocol_type: str | None = None
    protocol: str | None = None


AnswerJoin: TypeAlias = Callable[[Joined, int], None]
AnswerSync: TypeAlias = Callable[[Synced, int], None]


@dataclass(slots=True, eq=False, kw_only=True)
class Member:
    """One member. `join` / `sync` are set while its request waits for an answer; `new` until its
    first generation; `synced` once it asked for this generation's assignment; `instance` is the
    name of a static one, which outlives its id (KIP-345)."""

    id: str
    client: str
    instance: str | None = None
    protocols: Protocols
    session: int
    rebalance: int
    delay: int = 0
    assignment: bytes = b""
    join: AnswerJoin | None = None
    sync: AnswerSync | None = None
    new: bool = True
    synced: bool = False
    expiry: Timer | None = None

    def metadata(self, protocol: str | None) -> bytes:
        """Give what the member said under one of its protocols."""
        return dict(self.protocols).get(protocol or "", b"")

    def update(self, asked: Joining, answer: AnswerJoin) -> None:
        """Take what the member says of itself now, and that it waits for the next generation."""
        self.protocols, self.join = asked.protocols, answer
        self.session, self.rebalance = asked.session, asked.rebalance

    def answer_join(self, answer: Joined, now: int) -> None:
        """Answer a waiting JoinGroup, if there is one."""
        waiting, self.join = self.join, None
        if waiting is not None:
            waiting(answer, now)

    def answer_sync(self, answer: Synced, now: int) -> None:
        """Answer a waiting SyncGroup, if there is one."""
        waiting, self.sync = self.sync, None
        if waiting is not None:
            waiting(answer, now)
