"""One word for everything that a run showed: the same for the same run, in any process.

It knows rows; it must never know a protocol. What legitimately differs between two processes is
left out: instants, ports and link numbers, names that a client library counts up (client, member,
producer ids), the order between things that nothing orders (two partitions, two owners), and acks
that only repeat where a partition stood.

    rows --> by (kind, owner, destination, partition, group) --> in order within --> sha256
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterator
from typing import Protocol, TypeAlias

from pytest_mqchaos.history.rows import (
    Accepted,
    Ack,
    Attempt,
    Delivery,
    Effect,
    Handled,
    Place,
    ProcessEvent,
    RuleEvent,
    RuleState,
    Stored,
)

_Place: TypeAlias = tuple[object, ...]
_Row: TypeAlias = tuple[object, ...]
_PLAIN = (str, bytes, int, float, bool, type(None))


class Run(Protocol):
    """Of what a run showed, what has a part in its digest (a `History` has it)."""

    @property
    def attempts(self) -> tuple[Attempt, ...]: ...

    @property
    def deliveries(self) -> tuple[Delivery, ...]: ...

    @property
    def acks(self) -> tuple[Ack, ...]: ...

    @property
    def stored(self) -> tuple[Stored, ...]: ...

    @property
    def places(self) -> tuple[Place, ...]: ...

    @property
    def effects(self) -> tuple[Effect, ...] | None: ...

    @property
    def handled(self) -> tuple[Handled, ...]: ...

    @property
    def accepted(self) -> tuple[Accepted, ...]: ...

    @property
    def processes(self) -> tuple[ProcessEvent, ...]: ...

    @property
    def rules(self) -> tuple[RuleState, ...]: ...

    @property
    def rule_events(self) -> tuple[RuleEvent, ...]: ...


def digest(run: Run) -> str:
    """The sha256, in hexadecimal, of the canonical rows."""
    return hashlib.sha256("\n".join(lines(run)).encode()).hexdigest()


def lines(run: Run) -> list[str]:
    """The canonical rows as text, one a line: what to compare where two digests differ."""
    places: dict[_Place, list[_Row]] = defaultdict(list)
    for place, row in _rows(run):
        places[place].append(row)
    return [f"{place!r} {row!r}" for place in sorted(places, key=repr) for row in places[place]]


def _rows(run: Run) -> Iterator[tuple[_Place, _Row]]:
    yield from _seen(run)
    for stored in run.stored:
        place = ("stored", stored.topic, stored.partition)
        yield place, (stored.offset, stored.id, stored.content.hex())
    for where in run.places:
        yield ("place", where.group, where.topic, where.partition), where[3:]
    for effect in run.effects or ():
        row = (effect.key, _plain(effect.value), effect.posthumous)
        gone = ("gone",) if effect.gone else ()
        yield ("effect", effect.owner, effect.id, effect.part, effect.by), (*row, *gone)
    for handled in run.handled:
        yield ("handled", handled.owner, handled.id), ()
    for accepted in run.accepted:
        yield ("accepted", accepted.id), ()
    for event in run.processes:
        yield ("process", event.who), (event.what,)
    for number, rule in enumerate(run.rules):
        yield ("rule", number), (rule.source, rule.fired, rule.matched)
    for step in run.rule_events:
        yield ("rule event", step.rule), (step.what,)


def _seen(run: Run) -> Iterator[tuple[_Place, _Row]]:
    """What passed the links, each destination's in its own order."""
    for sent in run.attempts:
        yield ("publish", sent.owner, sent.topic, sent.partition), (
            sent.id, sent.content.hex(), sent.headers, sent.acks, sent.reached, sent.outcome,
            sent.offset, sent.error, sent.sequence,
        )  # fmt: skip
    for handed in run.deliveries:
        yield ("deliver", handed.owner, handed.group, handed.topic, handed.partition), (
            handed.offset, handed.id, handed.content.hex(), handed.reached,
        )  # fmt: skip
    yield from _acks(run)


def _acks(run: Run) -> Iterator[tuple[_Place, _Row]]:
    """Acks that say something new of their partition. A client that commits all that it holds says
    of each partition again where it stood, as often as the others give reason to."""
    last: dict[_Place, _Row] = {}
    for handed in reversed(run.deliveries):  # so that the first of each place stays
        place = ("ack", handed.owner, handed.group, handed.topic, handed.partition)
        last[place] = (handed.offset, True, "confirmed", 0)
    for ack in run.acks:
        place = ("ack", ack.owner, ack.group, ack.topic, ack.partition)
        row = (ack.offset, ack.reached, ack.outcome, ack.error)
        if last.get(place) != row:
            last[place] = row
            yield place, row


def _plain(value: object) -> object:
    """A value as it can be written down; an object's own words may have its place in memory."""
    return value if isinstance(value, _PLAIN) else type(value).__qualname__
