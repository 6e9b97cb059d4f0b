"""Committed offsets of groups: what was committed last, and what transactions still hold back.

It knows positions and the order in which they came; who may commit is the group's to say, how a
transaction ends its coordinator's.
"""

from __future__ import annotations

from collections import defaultdict
from itertools import count
from typing import NamedTuple

from pytest_mqchaos.kafka_cluster.internal_topics import slot

NO_OFFSET = -1


class Committed(NamedTuple):
    """One committed position. `leader_epoch` is -1 if the client did not say."""

    offset: int = NO_OFFSET
    leader_epoch: int = -1
    metadata: str = ""


class _Kept(NamedTuple):
    """A position with its number: a later one wins over an earlier one, whenever that is ended."""

    number: int
    committed: Committed


_Place = tuple[str, int]
_Held = dict[tuple[str, _Place], _Kept]  # by group and partition


class Offsets:
    """All committed offsets of a cluster."""

    def __init__(self) -> None:
        self._groups: dict[str, dict[_Place, _Kept]] = {}
        self._held: dict[tuple[int, int], _Held] = defaultdict(dict)  # producer id, slot
        self._numbers = count()

    def commit(self, group: str, topic: str, partition: int, committed: Committed) -> None:
        place = topic, partition
        self._groups.setdefault(group, {})[place] = _Kept(next(self._numbers), committed)

    def hold(
        self, producer_id: int, group: str, topic: str, partition: int, committed: Committed
    ) -> None:
        """Commit as part of a transaction: nobody sees it before `end`."""
        held = self._held[producer_id, slot(group)]
        held[group, (topic, partition)] = _Kept(next(self._numbers), committed)

    def end(self, producer_id: int, partition: int, *, commit: bool) -> None:
        """End a producer's transaction in one partition of `__consumer_offsets`."""
        for (group, place), kept in self._held.pop((producer_id, partition), {}).items():
            known = self._groups.setdefault(group, {}).get(place) if commit else None
            if commit and (known is None or known.number < kept.number):
                self._groups[group][place] = kept

    def unstable(self, group: str, topic: str, partition: int) -> bool:
        """Say whether an open transaction holds a position of this partition (KIP-447)."""
        return any(
            (group, (topic, partition)) in held
            for (_, at), held in self._held.items()
            if at == slot(group)
        )

    def get(self, group: str, topic: str, partition: int) -> Committed:
        """Give the position, `Committed()` if there is none."""
        kept = self._groups.get(group, {}).get((topic, partition))
        return Committed() if kept is None else kept.committed

    def of(self, group: str) -> dict[_Place, Committed]:
        """Give everything that a group committed, by topic and partition."""
        positions = sorted(self._groups.get(group, {}).items())
        return {place: kept.committed for place, kept in positions}

    def forget_group(self, group: str) -> None:
        self._groups.pop(group, None)
        for held in self._held.values():
            for key in [key for key in held if key[0] == group]:
                del held[key]

    def forget_topic(self, topic: str) -> None:
        """Drop what was committed for a deleted topic, as Kafka does."""
        for positions in self._groups.values():
            for place in [place for place in positions if place[0] == topic]:
                del positions[place]
        for held in self._held.values():
            for key in [key for key in held if key[1][0] == topic]:
                del held[key]
