"""Effects that went when a worker died or began anew, or when their partition went to another: a
store that was lost with its worker, was left behind, or went back to an older state, though the
positions did not.

Rows go for good reasons, too: a later message of their key wrote over them or deleted them (in a
source with one row for each key these are left out), or a start tidies up. So it is never proof of
a loss, but no pass either.
"""

from __future__ import annotations

from collections.abc import Container, Hashable, Sequence

from pytest_mqchaos.checkers.answer import SHOWN, Doubt
from pytest_mqchaos.checkers.keys import key_of
from pytest_mqchaos.checkers.one_row_a_key import one_row_a_key
from pytest_mqchaos.checkers.superseded import superseded
from pytest_mqchaos.checkers.verdict import Finding
from pytest_mqchaos.checkers.wording import listed, number
from pytest_mqchaos.history.index import Index
from pytest_mqchaos.history.rows import RUNS, Delivery, Effect, ProcessEvent, worker_of

_MISSING = (
    "what a service keeps in memory it must build again when it starts (from the beginning of the "
    "topic, or from a snapshot and its position); a table that is emptied on purpose cannot show "
    "what was done: show a journal, or what it leads to"
)


def set_back_doubts(
    index: Index, owed: Container[str], parts: Container[str | None] | None
) -> list[Doubt]:
    """The doubt about those of `owed` of which an effect (of these parts, None: any) went so."""
    if not any(effect.gone for effect in index.effects):
        return []
    went = {id(effect): who for effect in index.effects if (who := _broke(index, effect))}
    lost = [
        e
        for e in _unexplained(index)
        if e.id in owed and id(e) in went and (not parts or e.part in parts)
    ]
    if not lost:
        return []
    found = {effect.id: effect for effect in lost}
    first = went[id(lost[0])]
    findings = tuple(
        Finding(id=e.id, what="gone", text=f"its effect went when {went[id(e)]}", by=e.by)
        for e in found.values()
    )
    return [
        Doubt(
            sentence=f"{number(len(found), 'message')} had an effect that went when {first}: "
            f"{listed(sorted(found))}",
            missing=_MISSING,
            findings=findings[:SHOWN],
        )
    ]


def _broke(index: Index, effect: Effect) -> str:
    """Which worker died or began between the last look that showed this effect and the first that
    did not, or was handed its partition then, in words; "" for none."""
    if not effect.gone or effect.posthumous:
        return ""
    for t, said in _breaks(index.history.processes):
        if effect.gone_from <= t <= effect.gone_to:
            return said
    return _moved(index, effect)


def _breaks(processes: Sequence[ProcessEvent]) -> list[tuple[int, str]]:
    """When a worker died, or began though it or (at a time when none ran) another had been there
    before."""
    found: list[tuple[int, str]] = []
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


def _moved(index: Index, effect: Effect) -> str:
    """Words about the worker that was handed the message's partition next, if the effect went
    between the last delivery to the one before and the first to this one."""
    for own in index.story(effect.id).deliveries:
        if not own.reached:
            continue
        worker = worker_of(own.owner)
        here = [row for row in index.history.deliveries if row.reached and _alike(row, own)]
        other = [row for row in here if row.seq > own.seq and worker_of(row.owner) != worker]
        if not other:
            continue
        last = max(r.t for r in here if r.seq < other[0].seq and worker_of(r.owner) == worker)
        if last <= effect.gone_to and effect.gone_from <= other[0].t:
            place = f"{own.topic}-{own.partition}"
            return f"{place} went from {worker} to {worker_of(other[0].owner)}"
    return ""


def _alike(row: Delivery, own: Delivery) -> bool:
    return (row.topic, row.partition, row.group) == (own.topic, own.partition, own.group)


def _unexplained(index: Index) -> list[Effect]:
    """Effects that are gone, of messages that no other effect shows; in a source with one row for
    each key only those that no later message of it has written over or deleted."""
    standing = {(e.id, e.part, e.by) for e in index.effects if not e.gone}
    gone = [e for e in index.effects if e.gone and (e.id, e.part, e.by) not in standing]
    if not one_row_a_key(index):
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
