"""Which messages an ack newly covers, from what was delivered before it.

Positions are cumulative: a commit of 7 after 4 covers the delivered messages 4, 5 and 6. It knows
offsets and identities, never payloads: a long run must not grow by what it carried.
"""

from __future__ import annotations

from collections.abc import Callable

from pytest_mqchaos.frames import Record, Sighting
from pytest_mqchaos.relay.arming import Candidate

Place = tuple[str, int]


class Coverage:
    """Delivered offsets per owner and partition, and how far each group has acked them."""

    __slots__ = ("_delivered", "_upto")

    def __init__(self) -> None:
        self._delivered: dict[tuple[str, Place], dict[int, Candidate]] = {}
        self._upto: dict[tuple[str, Place], int] = {}

    def delivered(
        self, owner: str, records: tuple[Record, ...], candidate: Callable[[Record], Candidate]
    ) -> None:
        """Remember what was handed to an owner."""
        for record in records:
            place = (record.topic, record.partition)
            known = self._delivered.setdefault((owner, place), {})
            if record.offset not in known:
                slim = candidate(record)
                known[record.offset] = slim._replace(record=record._replace(value=None))

    def advancing(self, sighting: Sighting) -> bool:
        """Whether this ack moves any position."""
        group = sighting.group or ""
        return any(
            p.offset > self._upto.get((group, (p.topic, p.partition)), -1)
            for p in sighting.positions
        )

    def newly(self, owner: str, sighting: Sighting) -> list[Candidate]:
        """The messages that this ack covers for the first time, in order of offset."""
        group = sighting.group or ""
        found: list[Candidate] = []
        for topic, partition, offset in sighting.positions:
            place = (topic, partition)
            before = self._upto.get((group, place), -1)
            if offset <= before:
                continue
            self._upto[group, place] = offset
            known = self._delivered.get((owner, place), {})
            covered = sorted(o for o in known if before <= o < offset)
            found += [known.pop(o) for o in covered]
        return found
