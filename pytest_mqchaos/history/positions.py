"""Where groups stand: their acks, made to be searched, and their positions at the end of a run.

A position below a stored message means that the broker would hand it out again (*waiting*); one
above it that the broker will not (*passed*). Without any position neither can be said.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterator
from functools import cached_property
from itertools import accumulate
from operator import itemgetter
from typing import TypeAlias

from pytest_mqchaos.history.history import History
from pytest_mqchaos.history.rows import Ack, Delivery, Place, Stored

Partition: TypeAlias = tuple[str, int]
_BEYOND = 1 << 62


class Acks:
    """The acks of one group on one partition, in order of `seq`."""

    __slots__ = ("_highest", "_seqs", "rows")

    def __init__(self, rows: list[Ack]) -> None:
        self.rows = sorted(rows, key=lambda ack: ack.seq)
        self._seqs = [ack.seq for ack in self.rows]
        self._highest = list(accumulate((ack.offset for ack in self.rows), max))

    def first_covering(self, offset: int, after: int) -> Ack | None:
        """The first ack with `seq` > `after` that says that the message at `offset` is done."""
        at = bisect_right(self._highest, offset)
        if at < len(self.rows) and self.rows[at].seq > after:
            return self.rows[at]
        # An earlier ack covered it already (the position was set back): look one by one.
        rest = self.rows[max(at, bisect_right(self._seqs, after)) :]
        return next((ack for ack in rest if ack.offset > offset), None)


class Positions:
    """Acks, places and groups of one history."""

    def __init__(self, history: History) -> None:
        self.history = history
        self.handed = history.flow.inputs | history.flow.retries

    @cached_property
    def acks(self) -> dict[tuple[str, str, int], Acks]:
        """Acks per (group, topic, partition), whether or not the broker took them."""
        rows: dict[tuple[str, str, int], list[Ack]] = defaultdict(list)
        for ack in self.history.acks:
            rows[ack.group, ack.topic, ack.partition].append(ack)
        return {key: Acks(each) for key, each in rows.items()}

    @cached_property
    def groups(self) -> dict[str, set[str]]:
        """Groups that took part in inputs or retries, and which of these."""
        seen = {(p.group, p.topic) for p in self.history.places}
        seen.update((group, topic) for group, topic, _ in self.acks)
        named = {(d[4], d[5]) for d in self.history.deliveries}
        seen.update((group, topic) for group, topic in named if group is not None)
        found: dict[str, set[str]] = defaultdict(set)
        for group, topic in seen:
            if topic in self.handed:
                found[group].add(topic)
        return dict(found)

    @cached_property
    def input_groups(self) -> frozenset[str]:
        """Those of the groups that took part in inputs, not in retries alone."""
        inputs = self.history.flow.inputs
        return frozenset(group for group, topics in self.groups.items() if topics & inputs)

    @cached_property
    def places(self) -> dict[Partition, list[Place]]:
        """Where each group stands, per partition. A group without a place that acked there stands
        where its last confirmed ack says; else a group that takes part in the topic has committed
        nothing on that partition (-1): the broker may hand out all of it."""
        known = {(p.group, p.topic, p.partition): p for p in self.history.places}
        for key, acks in self.acks.items():
            taken = [a.offset for a in acks.rows if a.outcome == "confirmed"]
            if key not in known and taken:
                known[key] = Place(*key, taken[-1], -1, -1, None)
        topics = {(group, topic) for group, topic, _ in known}
        topics.update((group, topic) for group, each in self.groups.items() for topic in each)
        for topic, partition in {(s[0], s[1]) for s in self.history.stored}:
            for group in {g for g, t in topics if t == topic}:
                blank = Place(group, topic, partition, -1, -1, -1, None)
                known.setdefault((group, topic, partition), blank)
        found: dict[Partition, list[Place]] = defaultdict(list)
        for key in sorted(known):
            found[key[1], key[2]].append(known[key])
        return dict(found)

    def standing(self, row: Stored, by: str | None) -> Iterator[Place]:
        """The places that decide whether this record would be handed to `by` again. A retry
        destination may be read under any group; so may an input when `by` is not a group."""
        for place in self.places.get((row.topic, row.partition), ()):
            own = by in self.groups and row.topic in self.history.flow.inputs
            if not own or place.group == by:
                yield place

    def unpassed(self, rows: list[Stored]) -> list[Stored]:
        """Those that no group's position has passed, though some group stands there."""
        highest = {key: max(p.committed for p in each) for key, each in self.places.items()}
        partitions = set(map(itemgetter(1), rows))
        topics = set(map(itemgetter(0), rows))
        found = []
        for topic in topics:
            far = {p: highest.get((topic, p), _BEYOND) for p in partitions}
            here = rows if len(topics) == 1 else [s for s in rows if s[0] == topic]
            found += [s for s in here if s[2] >= far[s[1]]]
        return found

    def read(self, rows: list[Stored]) -> int:
        """How many of them lie where some group stands."""
        topics, partitions = set(map(itemgetter(0), rows)), set(map(itemgetter(1), rows))
        if all((topic, partition) in self.places for topic in topics for partition in partitions):
            return len(rows)  # without a pair for each
        return sum(at in self.places for at in map(itemgetter(0, 1), rows))

    def acks_for(self, delivery: Delivery) -> list[Ack]:
        """The first later ack of each group that covers this delivery. A delivery whose group is
        not known belongs to every group for which its owner acked on that partition."""
        here = (delivery.topic, delivery.partition)
        groups = {delivery.group} if delivery.group is not None else self._groups_of(delivery)
        found = []
        for group in sorted(groups):
            acks = self.acks.get((group, *here))
            ack = acks.first_covering(delivery.offset, delivery.seq) if acks else None
            if ack is not None and not self._meant_another(delivery, ack):
                found.append(ack)
        return found

    def _meant_another(self, delivery: Delivery, ack: Ack) -> bool:
        """Whether, between the two, the same offset was handed out as that of another message:
        after a leader change the ack is about that one."""
        if (delivery.topic, delivery.partition) not in self.history.led_anew:
            return False
        later = self._handed_out.get((delivery.topic, delivery.partition, delivery.offset), ())
        return any(
            delivery.seq < other.seq < ack.seq and other.content != delivery.content
            for other in later
        )

    @cached_property
    def _handed_out(self) -> dict[tuple[str, int, int], list[Delivery]]:
        """Deliveries by offset, of partitions whose offsets may have been given twice."""
        found: dict[tuple[str, int, int], list[Delivery]] = defaultdict(list)
        for row in self.history.deliveries:
            if (row.topic, row.partition) in self.history.led_anew:
                found[row.topic, row.partition, row.offset].append(row)
        return found

    @cached_property
    def _ackers(self) -> dict[tuple[str, str, int], set[str]]:
        found: dict[tuple[str, str, int], set[str]] = defaultdict(set)
        for ack in self.history.acks:
            found[ack.owner, ack.topic, ack.partition].add(ack.group)
        return found

    def _groups_of(self, delivery: Delivery) -> set[str]:
        return self._ackers.get((delivery.owner, delivery.topic, delivery.partition), set())
