"""Which record an effect was done for, where several of one id come to one stage (the lines of an
order, two events), or where one process serves several groups.

    l1 handed out, l2 handed out, effect, ack of l1, effect, ack of l2

An effect after an ack may be another record's as long as that is handed out and not acked; one that
comes after the acks of all is too late for one of them. It never guesses which is whose.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import NamedTuple, cast

from pytest_mqchaos.checkers.evidence.moved_on import NEVER, Span
from pytest_mqchaos.checkers.evidence.whose import groups_of
from pytest_mqchaos.history.index import Index
from pytest_mqchaos.history.rows import Ack, Delivery, Effect, worker_of


class _Deed(NamedTuple):
    """An effect or a hop, done in [`low`, `high`]; `named`: it says that it is the group's."""

    owner: str | None
    named: bool
    low: int
    high: int


def may_be_anothers(
    index: Index,
    delivery: Delivery,
    ack: Ack,
    effects: Sequence[Effect],
    hops: Iterable[tuple[str, Span]],
) -> bool:
    """Whether all that came after this ack may have been done for another record of the message, or
    for another group of the same process."""
    done = [_Deed(e.owner, e.by == ack.group, e.t_from, e.t_to or NEVER) for e in _firsts(effects)]
    done += [_Deed(sender, False, span.low, span.low) for sender, span in hops]
    late = [deed for deed in done if deed.low > ack.t]
    return bool(late) and all(_anothers(index, delivery, ack, deed) for deed in late)


def each_has_one(
    index: Index, delivery: Delivery, ack: Ack, effects: Sequence[Effect], hops: Sequence[Span]
) -> bool:
    """Whether as much was done before this ack as there were different records that its group had
    acked by then, itself among them."""
    own = {ack.group}
    if any(e.by != ack.group and groups_of(index, e.owner) != own for e in effects):
        return False
    acked = {
        row.content
        for row in index.stories.deliveries.get(delivery.id or "", ())
        if row.topic == delivery.topic and row.reached
        and any(a.group == ack.group and a.t <= ack.t for a in index.positions.acks_for(row))
    }  # fmt: skip
    times = [e.t_to or NEVER for e in _firsts(effects) if not e.posthumous]
    return sum(t <= ack.t for t in times + [span.high for span in hops]) >= len(acked)


def lacks_a_part(
    index: Index, delivery: Delivery, ack: Ack, effects: Sequence[Effect], hops: Sequence[Span]
) -> bool:
    """Whether fewer things were done than there were different records, and its worker has done a
    part of other messages that this one has not: that of the record that this ack is about?"""
    parts = {effect.part for effect in effects}
    if None in parts or each_has_one(index, delivery, ack, effects, hops):
        return False
    return any(parts < _parts_of(index).get(worker_of(e.owner), set()) for e in effects)


def _parts_of(index: Index) -> dict[str, set[str | None]]:
    """The parts that each worker has done, of any message."""
    derived = index.history.derived
    if "parts of workers" not in derived:
        found: dict[str, set[str | None]] = defaultdict(set)
        for owner, part in {(effect.owner, effect.part) for effect in index.effects}:
            found[worker_of(owner)].add(part)
        derived["parts of workers"] = dict(found)
    return cast("dict[str, set[str | None]]", derived["parts of workers"])


def _firsts(effects: Iterable[Effect]) -> list[Effect]:
    """Of each part the first: what comes after it is done again."""
    parts: dict[tuple[str | None, str | None], Effect] = {}
    for effect in sorted(effects, key=lambda e: e.t_from):
        parts.setdefault((effect.part, effect.by), effect)
    return list(parts.values())


def _anothers(index: Index, delivery: Delivery, ack: Ack, deed: _Deed) -> bool:
    """Whether a worker that may have done this held another record then, or this one for another
    group. What names its group is no other group's."""
    for row in index.stories.deliveries.get(delivery.id or "", ()):
        acks = index.positions.acks_for(row)
        groups = {row.group or ack.group} if row.group or not acks else {a.group for a in acks}
        if deed.named:
            groups &= {ack.group}
        if _place(row) == _place(delivery):
            groups -= {ack.group}
        doer = worker_of(deed.owner) if deed.owner else worker_of(row.owner)
        if not (row.reached and groups and row.t <= deed.high and worker_of(row.owner) == doer):
            continue
        theirs = [a for a in acks if a.group in groups]
        if (deed.owner or ack.group in groups) and (
            not theirs or any(a.t >= deed.low for a in theirs)
        ):
            return True
    return False


def _place(row: Delivery) -> tuple[str, int, int]:
    return row.topic, row.partition, row.offset
