"""Which messages an ack newly covers, from what was delivered before it.

Positions are cumulative: a commit of 7 after 4 covers the delivered messages 4, 5 and 6. It knows
offsets and identities; payloads only if a rule asks for them: a long run must not grow by what it
carried.

A message that is delivered again is no longer covered. Two groups of one owner that read the same
partition are told apart by their acks, not by their deliveries: when the slower one is handed a
message, the faster one's next ack counts it once more (as an attempt, never as a new message).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from pytest_mqchaos.frames import Record, Sighting
from pytest_mqchaos.relay.arming import Candidate

KEPT = 4096  # delivered messages of a partition that are remembered after they were acked


@dataclass(slots=True, eq=False)
class _Place:
    """What one owner was given of one partition, and how far each of its groups has acked."""

    known: dict[int, Candidate] = field(default_factory=dict)
    upto: dict[str, int] = field(default_factory=dict)
    before: dict[str, int] = field(default_factory=dict)  # `upto` as it was one ack ago
    limit: int = KEPT

    def between(self, start: int, end: int) -> list[Candidate]:
        known = self.known
        if end - start <= len(known):
            return [known[offset] for offset in range(start, end) if offset in known]
        return [known[offset] for offset in sorted(known) if start <= offset < end]

    def trim(self) -> None:
        """Forget what every group has acked, once that is much."""
        if len(self.known) > self.limit:
            low = min(self.upto.values())
            self.known = {offset: it for offset, it in self.known.items() if offset >= low}
            self.limit = max(KEPT, 2 * len(self.known))


class Coverage:
    """Delivered offsets per owner and partition. `values`: keep payloads too."""

    __slots__ = ("_places", "values")

    def __init__(self) -> None:
        self.values = False
        self._places: dict[tuple[str, str, int], _Place] = {}

    def delivered(
        self, owner: str, records: tuple[Record, ...], candidate: Callable[[Record], Candidate]
    ) -> None:
        """Remember what was handed to an owner."""
        for record in records:
            place = self._places.setdefault((owner, record.topic, record.partition), _Place())
            # An offset may be given anew: a leader change cuts off what the new leader lacked.
            kept = record if self.values else record._replace(value=None)
            place.known[record.offset] = candidate(record)._replace(record=kept)
            for group, upto in place.upto.items():
                if record.offset < upto:
                    place.upto[group] = record.offset

    def newly(self, owner: str, sighting: Sighting) -> list[Candidate]:
        """The messages that this ack covers for the first time since they were handed out, in order
        of offset."""
        group = sighting.group or ""
        found: list[Candidate] = []
        for topic, partition, offset in sighting.positions:
            place = self._places.get((owner, topic, partition))
            if place is None:
                continue  # it covers nothing that was delivered here
            before = place.before[group] = place.upto.get(group, 0)
            if offset > before:
                place.upto[group] = offset
                found += place.between(before, offset)
                place.trim()
        return found

    def lost(self, owner: str, sighting: Sighting) -> None:
        """Take an ack back that never reached the broker: the last that `newly` was asked about for
        its owner and group."""
        group = sighting.group or ""
        for topic, partition, _ in sighting.positions:
            place = self._places.get((owner, topic, partition))
            if place is not None and group in place.before:
                before = place.before[group]
                place.upto[group] = min(place.upto.get(group, before), before)
