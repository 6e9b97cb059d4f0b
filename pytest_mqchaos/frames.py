"""What travels on a link, as data without behaviour.

It knows no protocol: a codec turns bytes into a `Frame` (boundaries and kind, cheap) and, only when
somebody asks, a `Frame` into a `Sighting` (what the frame means at its point).

    bytes --scan--> Frame --decode--> Sighting(point, records, outcomes, positions)
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum, StrEnum
from typing import Any, NamedTuple


class Direction(IntEnum):
    """Which way bytes travel on a link."""

    TO_BROKER = 0
    TO_CLIENT = 1


class Point(StrEnum):
    """A logical place in the conversation at which a rule can act."""

    PUBLISH = "publish"
    CONFIRM = "confirm"
    DELIVER = "deliver"
    ACK = "ack"
    ACK_CONFIRM = "ack_confirm"
    CONTROL = "control"


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Message:
    """One message as a test publishes it. `value` and `key` are bytes (str is encoded as UTF-8 by
    `chaos.publish`), `headers` map a name to bytes."""

    value: bytes | None
    key: bytes | None = None
    id: str | None = None
    headers: Mapping[str, bytes] = field(default_factory=dict)

    def __repr__(self) -> str:
        told = [f"value={self.value!r}"]
        told += [f"key={self.key!r}"] if self.key is not None else []
        told += [f"id={self.id!r}"] if self.id is not None else []
        told += [f"headers={dict(self.headers)!r}"] if self.headers else []
        return f"Message({', '.join(told)})"

    def _repr_pretty_(self, printer: Any, _cycle: object) -> None:
        """For IPython and Hypothesis, which would spell out the fields."""
        printer.text(repr(self))


class Record(NamedTuple):
    """One message as it stood in a frame or in a log. `offset` is -1 where it has none yet,
    `timestamp` is the producer's (milliseconds since the epoch)."""

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes | None], ...] = ()
    timestamp: int = -1
    producer_id: int = -1
    sequence: int = -1


class Outcome(NamedTuple):
    """What a reply says about one topic-partition: `code` 0 is success, `offset` the base offset
    of what was appended (-1 where the reply carries none)."""

    topic: str
    partition: int
    code: int
    offset: int = -1


class Position(NamedTuple):
    """`offset` is the next offset to read, as in OffsetCommit: it covers everything below."""

    topic: str
    partition: int
    offset: int


@dataclass(slots=True, kw_only=True, eq=False)
class Frame:
    """One whole frame of a link. `raw` has every byte, length prefix included.

    `kind`, `version` and `correlation` are the codec's own numbers (Kafka: API key, API version,
    correlation id); `name` is the protocol's word ("Produce"). A reply knows its `request` when
    that was looked at. `seq`, `t` (CLOCK_MONOTONIC ns of receipt) and `link` are stamped once by
    the relay. `expects_reply` is False for requests that get none (Produce with acks=0).
    """

    direction: Direction
    kind: int
    version: int
    correlation: int
    name: str
    raw: bytes
    request: Frame | None = None
    expects_reply: bool = True
    seq: int = 0
    t: int = 0
    link: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Sighting:
    """What one frame means. Only the fields that belong to its point are filled.

    publish: records, acks (0, 1, -1), transactional_id · confirm: outcomes · deliver: records
    (their offsets known, control records left out, outcomes with error codes) · ack: group,
    member, generation, positions · ack_confirm: outcomes · control: group, member and
    `error` where the API has them. `undecoded` says why the content could not be read: then
    nothing may be concluded from it.
    """

    point: Point
    name: str
    client: str | None = None
    records: tuple[Record, ...] = ()
    outcomes: tuple[Outcome, ...] = ()
    positions: tuple[Position, ...] = ()
    group: str | None = None
    member: str | None = None
    generation: int | None = None
    acks: int | None = None
    transactional_id: str | None = None
    error: int | None = None
    details: Mapping[str, object] = field(default_factory=dict)
    undecoded: str | None = None
