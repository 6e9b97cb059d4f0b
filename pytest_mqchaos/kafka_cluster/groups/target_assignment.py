"""Which member of a KIP-848 group should own which partition: the coordinator's own assignors.

It knows counts of partitions and subscriptions, nothing of epochs or of who owns what right now.
Like Kafka's, `uniform` spreads all partitions evenly and moves as few as it must; `range` gives
each member neighbouring partitions of each topic, so that topics of equal size are paired.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple, TypeAlias
from uuid import UUID

Place: TypeAlias = tuple[UUID, int]
Places: TypeAlias = frozenset[Place]


class Subscriber(NamedTuple):
    """One member: what it reads, and what it was to own until now."""

    id: str
    instance: str | None
    topics: frozenset[UUID]
    had: Places = frozenset()


Assignor: TypeAlias = Callable[[Sequence[Subscriber], Mapping[UUID, int]], dict[str, Places]]


def uniform(members: Sequence[Subscriber], topics: Mapping[UUID, int]) -> dict[str, Places]:
    """Give each member as many partitions as any other that may have them, give or take one.

    `topics` are counts of partitions. What a member had it keeps as far as that allows.
    """
    free = {(topic, at) for topic, count in topics.items() for at in range(count)}
    given: dict[str, set[Place]] = {}
    for member in members:
        kept = {place for place in member.had if place in free and place[0] in member.topics}
        free -= kept
        given[member.id] = kept
    for place in sorted(free):
        readers = [member for member in members if place[0] in member.topics]
        if readers:
            given[min(readers, key=lambda one: len(given[one.id])).id].add(place)
    while _move_one(members, given):
        pass
    return {member: frozenset(places) for member, places in given.items()}


def _move_one(members: Sequence[Subscriber], given: dict[str, set[Place]]) -> bool:
    """Move one partition to a member that has at least two fewer, if there is such a pair."""
    for rich in sorted(members, key=lambda one: -len(given[one.id])):
        for poor in sorted(members, key=lambda one: len(given[one.id])):
            if len(given[rich.id]) - len(given[poor.id]) <= 1:
                break
            movable = [place for place in given[rich.id] if place[0] in poor.topics]
            if movable:
                moved = max(movable)
                given[rich.id].remove(moved)
                given[poor.id].add(moved)
                return True
    return False


def range_(members: Sequence[Subscriber], topics: Mapping[UUID, int]) -> dict[str, Places]:
    """Give each topic's partitions out in order of the members: static ones by name, then ids."""
    ordered = sorted(members, key=lambda one: (one.instance is None, one.instance or one.id))
    given: dict[str, set[Place]] = {member.id: set() for member in ordered}
    for topic, count in topics.items():
        readers = [member.id for member in ordered if topic in member.topics]
        start = 0
        for at, reader in enumerate(readers):
            size = count // len(readers) + (at < count % len(readers))
            given[reader] |= {(topic, index) for index in range(start, start + size)}
            start += size
    return {member: frozenset(places) for member, places in given.items()}


ASSIGNORS: dict[str, Assignor] = {"uniform": uniform, "range": range_}
DEFAULT = "uniform"
