"""Why the order of an effect and of its ack is not known, and what to add. It judges nothing."""

from __future__ import annotations

from typing import NamedTuple

from pytest_mqchaos.checkers.doubts import SEE_ALL
from pytest_mqchaos.checkers.evidence.done_when import early, spans
from pytest_mqchaos.checkers.evidence.missing import DIES_WHOLE, OVER
from pytest_mqchaos.checkers.evidence.moved_on import NEVER, Span
from pytest_mqchaos.checkers.evidence.one_row_a_key import JOURNAL, written_over
from pytest_mqchaos.checkers.evidence.pending import PENDING, end_it
from pytest_mqchaos.checkers.evidence.unnamed_groups import NAME_THEM
from pytest_mqchaos.checkers.evidence.whose import groups_of, only_looks
from pytest_mqchaos.history.index import Index
from pytest_mqchaos.history.rows import Ack, Effect, worker_of

STORED = "show as the effect what is stored before the ack (an outbox's row, a join's state)"
_TIMES = (
    "record effects with their time: chaos.effects.record(id), or a `t` (CLOCK_MONOTONIC ns) in "
    "the effects file"
)


class Why(NamedTuple):
    """Why the order is not known, and what to add."""

    said: str
    missing: str


_INTERVAL = Why("only an interval is known", _TIMES)
_UNCONFIRMED = Why(
    "it was passed on, and that was not confirmed before the ack",
    "let it be confirmed before the ack",
)
_ROUTED = Why(
    "it was passed on, and whether that is all that was to be done is not known: its group does "
    "others itself",
    "where another group goes on: chaos.flow(retries=[...])",
)
_BY_NOBODY = Why(
    "it was passed on, and whether that is all that was to be done is not known: effects do not "
    "say who did them",
    NAME_THEM,
)
_NEITHER = Why(
    "it was passed on, and its effect says neither when it was done nor by whom",
    f"{NAME_THEM}; or {_TIMES}",
)
_UNTIMED = Why("its time is not known", _TIMES)
WRITTEN_OVER = Why(OVER, JOURNAL)
THEIRS = Why(
    "another group's worker set it aside",
    "ack after the work, or after having set it aside oneself; what is meant to have no effect: "
    "chaos.expect(ignored=[...])",
)
POSTHUMOUS = Why("its effect is posthumous", DIES_WHOLE)
UNSEEN = Why("a hop may have passed unseen", SEE_ALL)
_WHOSE = Why("several groups ack, and effects do not say by whom they are: record `by`", NAME_THEM)


def unordered(index: Index, name: str, effects: list[Effect], hops: list[Span], ack: Ack) -> Why:
    """Where an interval overlaps the ack, or a hop may be all there was to be done."""
    untimed = any(e.t_to == 0 for e in effects)
    if not hops or early(hops, ack) is not None:
        return _UNTIMED if untimed else _INTERVAL
    sent = [a for a in index.stories.attempts.get(name, ()) if Span(a.t, NEVER) in hops]
    told = [a for a in sent if a.outcome == "confirmed" and a.end_t <= ack.t]
    flow = index.history.flow
    if not told:
        return _UNCONFIRMED
    if any(a.topic in flow.retries | flow.dead_letters for a in told):
        return UNSEEN
    if all(effect.owner or effect.by for effect in index.effects):
        return _ROUTED
    return _NEITHER if untimed else _BY_NOBODY


def whose(index: Index, ack: Ack) -> Why:
    """Where nothing tells which of the effects are this group's."""
    group = ack.group
    if ack.topic not in index.positions.handed or not only_looks(index, group):
        return _WHOSE
    return Why(
        f"{group} has no effect of any message",
        "who only looks commits nothing (enable_auto_commit=False); who works records its effects "
        "with its name (`by`)",
    )


def which(index: Index, ack: Ack) -> Why:
    """Where its effect may be that of another record, or of another group of the process."""
    if len(groups_of(index, ack.owner)) > 1:
        return Why(
            "its process serves several groups, and effects do not say whose they are", NAME_THEM
        )
    return Why(
        f"{ack.topic} had several records of it, and the effect does not say of which it is",
        "let each record have an id of its own (id=...), or one effect each, named by its part",
    )


def in_the_way(index: Index, name: str, effects: list[Effect], ack: Ack) -> Why | None:
    """Why an order that the rows show is not that of the work and the ack."""
    pending = Why(PENDING, end_it(index)) if name in index.history.pending else None
    over = WRITTEN_OVER if not effects and name in written_over(index) else None
    return pending or over or _by_another(index, name, effects, ack)


def _by_another(index: Index, name: str, effects: list[Effect], ack: Ack) -> Why | None:
    """Why a store may have held it when it was acked: a worker did some of it that was never handed
    it (the relay of an outbox). None if a reader's own part came too late, too."""
    handed = {worker_of(row.owner) for row in index.stories.deliveries.get(name, ())}
    others = [e for e in effects if e.owner is not None and worker_of(e.owner) not in handed]
    rest = [e for e in effects if e not in others]
    if not others or (rest and early(spans(rest), ack) is True):
        return None
    who = others[0].owner
    return Why(f"{who} did it, which was never handed it: out of a store (an outbox)?", STORED)
