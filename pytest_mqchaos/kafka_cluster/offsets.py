"""Committed offsets of groups: what was committed last, per group and partition.

It knows positions; who may commit is the group's to say.
"""

from __future__ import annotations

from typing import NamedTuple

NO_OFFSET = -1


class Committed(NamedTuple):
    """One committed position. `leader_epoch` is -1 if the client did not say."""

    offset: int = NO_OFFSET
    leader_epoch: int = -1
    metadata: str = ""


class Offsets:
    """All committed offsets of a cluster."""

    def __init__(self) -> None:
        self._groups: dict[str, dict[tuple[str, int], Committed]] = {}

    def commit(self, group: str, topic: str, partition: int, committed: Committed) -> None:
        self._groups.setdefault(group, {})[topic, partition] = committed

    def get(self, group: str, topic: str, partition: int) -> Committed:
        """Give the position, `Committed()` if there is none."""
        return self._groups.get(group, {}).get((topic, partition), Committed())

    def of(self, group: str) -> dict[tuple[str, int], Committed]:
        """Give everything that a group committed, by topic and partition."""
        return dict(sorted(self._groups.get(group, {}).items()))

    def forget_group(self, group: str) -> None:
        self._groups.pop(group, None)

    def forget_topic(self, topic: str) -> None:
        """Drop what was committed for a deleted topic, as Kafka does."""
        for positions in self._groups.values():
            for place in [place for place in positions if place[0] == topic]:
                del positions[place]
