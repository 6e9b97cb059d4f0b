"""What was not seen, in sentences: links that went blind, frames that nobody could read.

It knows no protocol. A gap that names no destination can touch every one of them.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from pytest_mqchaos.frames import Point, Sighting
from pytest_mqchaos.relay.transcript_notes import Remarks

_DATA = frozenset(Point) - {Point.CONTROL}


@dataclass(slots=True, kw_only=True)
class Gaps:
    """Gaps of one transcript, equal ones counted."""

    counts: dict[str, int] = field(default_factory=dict)
    topics: set[str] = field(default_factory=set)
    placeless: bool = False
    kept: set[int] = field(default_factory=set)

    def look(self, seq: int, said: Sighting) -> None:
        """Remember a frame that carries data and could not be read. What cannot be read in control
        frames hides no message."""
        self.kept.add(seq)
        if said.undecoded is None or said.point not in _DATA:
            return
        topics = {record.topic for record in said.records}
        topics |= {outcome.topic for outcome in said.outcomes}
        topics |= {position.topic for position in said.positions}
        where = f" of {', '.join(sorted(topics))}" if topics else ""
        self.add(f"{said.name} frame{where} could not be decoded: {said.undecoded}", topics)

    def add(self, text: str, topics: set[str]) -> None:
        """Count one gap; without topics it can touch any."""
        self.counts[text] = self.counts.get(text, 0) + 1
        self.topics |= topics
        self.placeless = self.placeless or not topics

    def finish(self, remarks: Remarks) -> tuple[tuple[str, ...], frozenset[str]]:
        """All sentences and the destinations touched (empty = any), with what the notes add."""
        for link, why in remarks.blind.items():
            self.add(f"link {link} ({remarks.owner(link)}) could not be followed: {why}", set())
        for seq, why in remarks.undecoded.items():
            if seq not in self.kept:
                self.add(f"a frame could not be decoded and was not kept: {why}", set())
        sentences = tuple(
            text if count == 1 else f"{count} times: {text}" for text, count in self.counts.items()
        )
        return sentences, frozenset() if self.placeless else frozenset(self.topics)
