"""Effects that went when a worker died or began anew, or when their partition went to another: a
store that was lost with its worker, was left behind, or went back to an older state, though the
positions did not.

Rows go for good reasons, too: a later message of their key wrote over them or deleted them (in a
source with one row for each key these are left out), or a start tidies up. So it is never proof of
a loss, but no pass either. What went at any other time was taken away by the service itself (a
queue of work, an outbox): a pass says that it counts as done.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Container, Hashable, Mapping, Sequence
from typing import TypeAlias, cast

from pytest_mqchaos.checkers.doubts import SHOWN, Doubt
from pytest_mqchaos.checkers.evidence.begins import Lane, begins, lane_of
from pytest_mqchaos.checkers.evidence.keys import key_of
from pytest_mqchaos.checkers.evidence.one_row_a_key import one_row_a_key
from pytest_mqchaos.checkers.evidence.superseded import superseded
from pytest_mqchaos.checkers.verdict import Finding
from pytest_mqchaos.checkers.wording import listed, number
from pytest_mqchaos.history.index import Index
from pytest_mqchaos.history.rows import RUNS, Delivery, Effect, ProcessEvent, worker_of

_Break: TypeAlias = tuple[int, str]  # when, what
_Move: TypeAlias = tuple[Delivery, Delivery]
_MISSING = (
    "what a service keeps in memory it must build again when it starts (from the beginning of the "
    "topic, or from a snapshot and its position); a table that is emptied on purpose cannot show "
    "what was done: show a journal, or what it leads to"
)


def set_back_doubts(
    index: Index, owed: Container[str], parts: Container[str | None] | None
) -> list[Doubt]:
    """The doubt about those of `owed` of which an effect (of these parts, None: any) went so."""
    gone = _gone(index, owed, parts)
    if not gone:
        return []
    breaks, moves = _breaks(index.history.processes), _moves(index)
    found = {e.id: (e, said) for e in gone if (said := _broke(index, e, breaks, moves))}
    if not found:
        return []
    findings = tuple(
        Finding(id=e.id, what="gone", text=f"its effect went when {said}", by=e.by)
        for e, said in found.values()
    )
    said = next(iter(found.values()))[1]
    return [
        Doubt(
            sentence=f"{number(len(found), 'message')} had an effect that went when {said}: "
            f"{listed(sorted(found))}",
            missing=_MISSING,
            findings=findings[:SHOWN],
        )
    ]


def taken_away(
    index: Index, owed: Container[str], parts: Container[str | None] | None
) -> tuple[str, ...]:
    """What a pass does not cover: whether it was right that the effects of some were taken away."""
    ids = sorted({effect.id for effect in _gone(index, owed, parts)})
    if not ids:
        return ()
    return (f"effects that were taken away again count as done ({listed(ids)})",)


def _gone(index: Index, owed: Container[str], parts: Container[str | None] | None) -> list[Effect]:
    derived = index.history.derived
    if "gone" not in derived:
        derived["gone"] = _unexplained(index)
    gone = cast("list[Effect]", derived["gone"])
    return [e for e in gone if e.id in owed and (not parts or e.part in parts)]


def _broke(
    index: Index, effect: Effect, breaks: list[_Break], moves: Mapping[Lane, list[_Move]]
) -> str:
    """What happened to a worker, or to the message's partition, between the last look that showed
    this effect and the first that did not, in words; "" for nothing."""
    for t, said in breaks:
        if effect.gone_from <= t <= effect.gone_to:
            return said
    for own in index.stories.deliveries.get(effect.id, ()):
        later = (move for move in moves.get(lane_of(own), ()) if move[1].seq > own.seq)
        before, after = next(later, (own, own))
        if before is not after and before.t <= effect.gone_to and effect.gone_from <= after.t:
            place = f"{own.topic}-{own.partition}"
            return f"{place} went from {worker_of(before.owner)} to {worker_of(after.owner)}"
    return ""


def _breaks(processes: Sequence[ProcessEvent]) -> list[_Break]:
    """When a worker died, or began though it or (at a time when none ran) another had been there
    before."""
    found: list[_Break] = []
    running: set[str] = set()
    seen = False
    for event in processes:
        name, mark, life = event.who.partition("#")
        if not mark:
            continue
        began = event.what in RUNS
        if event.what == "crashed":
            found.append((event.t, f"{name} crashed"))
        elif began and (int(life) > 1 or (seen and not running)):
            found.append((event.t, f"{name} began {'anew' if int(life) > 1 else 'its work'}"))
        seen = True
        (running.add if began else running.discard)(event.who)
    return found


def _moves(index: Index) -> dict[Lane, list[_Move]]:
    """Per partition and group, the last delivery to one worker and the first to the next."""
    found: dict[Lane, list[_Move]] = defaultdict(list)
    last: dict[Lane, Delivery] = {}
    for row, began in begins(index.history.deliveries):
        place = lane_of(row)
        before = last.get(place)
        if began and before is not None and worker_of(before.owner) != worker_of(row.owner):
            found[place].append((before, row))
        last[place] = row
    return found


def _unexplained(index: Index) -> list[Effect]:
    """Effects that are gone, of messages that no other effect shows; in a source with one row for
    each key only those that no later message of it has written over or deleted."""
    went = [e for e in index.effects if e.gone and not e.posthumous]
    standing = {(e.id, e.part, e.by) for e in index.effects if not e.gone} if went else set()
    gone = [e for e in went if (e.id, e.part, e.by) not in standing]
    if not gone or not one_row_a_key(index):
        return gone
    older = superseded(index, {effect.id for effect in gone})
    key, rank = key_of(index, "key"), index.rank
    latest: dict[Hashable, int] = {}
    for effect in index.effects:
        if not effect.gone:
            latest[key(effect)] = max(rank.get(effect.id, -1), latest.get(key(effect), -1))
    return [
        effect
        for effect in gone
        if effect.id not in older and latest.get(key(effect), -1) <= rank.get(effect.id, -1)
    ]
