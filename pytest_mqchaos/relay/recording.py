"""What goes into the history, and when something last moved.

It packs and counts; it decodes nothing while bytes flow. Whether an empty-looking frame moved
anything is found out only when somebody asks (`moved`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from pytest_mqchaos.frames import Direction, Frame, Point, Sighting
from pytest_mqchaos.history.spool import CLOSING, HELD, NoteEntry, pack_head, pack_note
from pytest_mqchaos.wire.base import Codec

SMALL = 512  # a reply above this size carries messages; below it has to be looked into
UNSORTED_LIMIT = 4096
JOINED = 4096  # bytes of a frame that are copied sooner than handed over apart


class Recording:
    """The history of one Chaos as it is written. `sink` takes packed bytes, an entry in one or
    two calls."""

    __slots__ = (
        "_acks", "_codec", "_delivers", "_held", "_positions", "_publishes",
        "_topics_told", "_unsorted",
        "closing", "last_moved", "on", "seq", "sink", "undecoded",
    )  # fmt: skip

    def __init__(self, codec: Codec, sink: Callable[[bytes], None]) -> None:
        self._codec = codec
        self.sink = sink
        self.seq = 0
        self.on = False
        self._publishes = codec.requests_of(Point.PUBLISH)
        self._acks = codec.requests_of(Point.ACK)
        self._delivers = codec.replies_of(Point.DELIVER)
        self.begin(0)

    def begin(self, now: int) -> None:
        """Forget the run before."""
        self.closing: set[str] = set()
        self.last_moved = now
        self.undecoded = 0
        self._held: set[int] = set()
        self._positions: dict[tuple[str | None, str, int], int] = {}
        self._unsorted: list[Frame] = []
        self._topics_told = 0

    def frame(self, frame: Frame, owner: str, *, held: bool, said: Sighting | None = None) -> None:
        """Give the frame its place in the history; `held`: `fate` tells later what became of it.
        `said` is what it means, if somebody has looked already."""
        self.seq += 1
        frame.seq = self.seq
        if not self.on:
            return
        flags = (HELD if held else 0) | (CLOSING if owner in self.closing else 0)
        if held:
            self._held.add(frame.seq)
        head = pack_head(frame, flags)
        if len(frame.raw) <= JOINED:
            self.sink(head + frame.raw)
        else:
            self.sink(head)
            self.sink(frame.raw)
        if not flags & CLOSING:
            self._sort(frame, said)

    def _sort(self, frame: Frame, said: Sighting | None) -> None:
        """Note what surely moved something, put aside what may have."""
        name = frame.name
        if name in self._publishes:
            self.last_moved = frame.t
            return
        delivers = frame.direction is Direction.TO_CLIENT and name in self._delivers
        if delivers and len(frame.raw) > SMALL:
            self.last_moved = frame.t
        elif delivers or (frame.direction is Direction.TO_BROKER and name in self._acks):
            if said is not None:
                self._judge(frame, said)
                return
            self._unsorted.append(frame)
            if len(self._unsorted) > UNSORTED_LIMIT:
                self.moved()

    def _judge(self, frame: Frame, said: Sighting) -> None:
        moved = bool(said.records) or said.undecoded is not None
        for topic, partition, offset in said.positions:
            place = (said.group, topic, partition)
            if offset > self._positions.get(place, -1):
                self._positions[place] = offset
                moved = True
        if moved:
            self.last_moved = max(self.last_moved, frame.t)

    def moved(self) -> int:
        """When a frame last moved something (ns): a publish, a confirm, a delivery that was not
        empty, an ack that advanced."""
        for frame in self._unsorted:
            self._judge(frame, self._codec.decode(frame))
        self._unsorted.clear()
        return self.last_moved

    def fate(self, frame: Frame, what: str, by: int | None, now: int) -> None:
        """Tell what became of a held frame, once."""
        if frame.seq in self._held:
            self._held.discard(frame.seq)
            self.note({"note": "fate", "frame": frame.seq, "fate": what, "by": by}, now)

    def topics(self, now: int) -> None:
        """Tell the names of topic ids, when there are more than were told."""
        names = self._codec.topic_names
        if len(names) != self._topics_told:
            self._topics_told = len(names)
            told = {topic.hex(): name for topic, name in names.items()}
            self.note({"note": "topics", "names": told}, now)

    def note(self, body: Mapping[str, object], now: int) -> None:
        """Write anything that is not a frame."""
        if self.on:
            self.seq += 1
            self.sink(pack_note(NoteEntry(self.seq, now, body)))
