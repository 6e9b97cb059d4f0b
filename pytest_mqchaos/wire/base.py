"""What every codec provides: bytes <-> frames, nothing else. It knows no rule, no fault, no time.

The cheap half is a `Scanner` (one per link, stateful: boundaries, kinds, which reply answers which
request); the dear half is `Codec.decode`, called only for frames that a rule or the recording
wants.

    link buffer --Scanner.scan--> Cut(parsed, forward, frame)
                                   |-- bytes [start, forward) leave as they are
                                   '-- frame (if any) occupies [forward, parsed): the relay decides
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from pytest_mqchaos.frames import Direction, Frame, Point, Sighting


@dataclass(frozen=True, slots=True, kw_only=True)
class Interest:
    """What the relay wants to see of a link.

    `record`: frames that carry messages, acks or membership are handed over (in `Scanner.seen`)
    after they were let through. `requests` / `replies`: names of APIs whose requests / replies must
    be held whole and decided. `track`: remember every request until its reply passed (needed by
    recording, by rules and by any locally made answer; off, only what must be rewritten is noted).
    """

    track: bool = False
    record: bool = False
    requests: frozenset[str] = frozenset()
    replies: frozenset[str] = frozenset()


@dataclass(slots=True, eq=False)
class Pending:
    """One request that waits for its reply, in request order. The scanner makes it and sets
    `served` when it hands its reply over to be decided; the relay alone sets what follows.
    `local`: the broker never saw the request, its reply is ours to make.
    `answer`: bytes ready to leave, once everything before it has. `held`: do not let it go yet.
    `reply`: the frame that `answer` came as."""

    kind: int
    version: int
    correlation: int
    frame: Frame | None = None
    served: bool = False
    local: bool = False
    answer: bytes | None = None
    held: bool = False
    reply: Frame | None = None


class Cut(NamedTuple):
    """How far a scan came (positions in the buffer it was given).

    `parsed` may lie beyond `end` (the rest of a frame nobody wants streams through unseen);
    `forward` may lie beyond `parsed` (a recorded frame leaves before it is complete). With a
    `frame`, bytes [forward, parsed) are that frame and must not be sent as they stand.
    """

    parsed: int
    forward: int
    frame: Frame | None


class Scanner(Protocol):
    """One link's framing state. A frame that makes no sense (negative or huge length, reply without
    request, TLS) sets `blind` to a sentence: from then on everything is forwarded unseen."""

    seen: list[Frame]
    outstanding: deque[Pending]
    blind: str | None
    every: list[bool]  # indexed by Direction: True = every frame is to be decided
    client: str | None  # client id, when a request named one

    def look(self, interest: Interest) -> None:
        """Change what is wanted; takes effect with the next frame."""

    def scan(self, direction: Direction, buf: bytearray | memoryview, start: int, end: int) -> Cut:
        """Parse from `start` (a frame boundary) to at most `end`. Never blocks, never raises on
        bad bytes. A decided reply stays in `outstanding` (the relay pops it); one that answers
        nothing there has the kind -1."""


class Codec(Protocol):
    """One protocol. Shared by all links of a broker; learns topic names from metadata answers."""

    name: str
    topic_names: dict[bytes, str]

    def scanner(self) -> Scanner: ...

    def name_of(self, kind: int) -> str:
        """The protocol's word for a frame kind, as `Frame.name` has it: what was packed without its
        name gets it back."""

    def decode(self, frame: Frame) -> Sighting:
        """Say what a frame means. Undecodable content gives `Sighting.undecoded`, no exception."""

    def requests_of(self, point: Point) -> frozenset[str]:
        """API names whose *requests* are this point (publish, ack, control)."""

    def replies_of(self, point: Point) -> frozenset[str]:
        """API names whose *replies* are this point (confirm, deliver, ack_confirm)."""

    def rewrite_addresses(
        self, frame: Frame, mapping: Callable[[int, str, int], tuple[str, int]]
    ) -> bytes | None:
        """Replace every broker address in a reply; `mapping(node, host, port)` gives the new one.
        None = nothing to rewrite in this frame."""
