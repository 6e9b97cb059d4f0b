"""Is the final value of each key that of its last published version?

The last version is one after which no other was provably published (precedence.py; on one
partition the log decides). Overlapping publishes have no last one: any of them will do. The final
effect of a key is judged by its value if `expected=` is given, else by the id it names; one that is
gone is not final as long as another is there. Where messages carry a version, `version=` decides,
in whatever order they were published. A key whose last message has no value (a tombstone) must end
with nothing: no effect, or one that is gone.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Container, Hashable, Mapping

from pytest_mqchaos.checkers.answer import answer
from pytest_mqchaos.checkers.doubts import SHOWN, Doubt, gap_touches, need_effects, standing_doubts
from pytest_mqchaos.checkers.evidence.keys import KeyOf, key_of
from pytest_mqchaos.checkers.evidence.pending import pending_doubts
from pytest_mqchaos.checkers.evidence.precedence import before
from pytest_mqchaos.checkers.evidence.values import alike, right
from pytest_mqchaos.checkers.evidence.versions import Version, newest, unversioned, versions
from pytest_mqchaos.checkers.verdict import Checker, Finding, Verdict
from pytest_mqchaos.checkers.wording import listed, number
from pytest_mqchaos.frames import Message
from pytest_mqchaos.history.history import History
from pytest_mqchaos.history.identity import Spec
from pytest_mqchaos.history.index import Index, index_of
from pytest_mqchaos.history.rows import Attempt, Effect, Stored

_ADVICE = (
    "where the last message of the key has no value, delete its row; else guard the upsert by "
    "version or sequence"
)
_WHICH = "; where it is guarded so, say where the version stands: latest(version=...)"


def latest(
    *,
    by: Spec = "key",
    expected: Callable[[Message], object] | None = None,
    version: Spec | None = None,
) -> Checker:
    """The final value per key is that of the last published version.

    `expected`: what the value of a message's effect must be (else ids are compared). `version`:
    where a message carries its number ("json:/version"); then the highest is the last.
    """

    def check(history: History) -> Verdict:
        need_effects(history, "latest")
        index = index_of(history)
        key = key_of(index, by)
        finals, loose = _finals(index, key)
        published = _versions(index, key)
        every = [name for ids in published.values() for name in ids]
        known = None if version is None else versions(index, version, every)
        which = "last published" if known is None else "highest version"
        failed: list[Finding] = []
        unsure: list[Finding] = []
        unread = gap_touches(history) or not history.read_back  # the last version may be waiting
        for lane, effect in finals.items():
            ids = published.get(lane[0], [])
            last = _last(index, ids) if known is None else newest(known, ids)
            if last and not _right(index, effect, last, expected):
                text = f"key {lane[0]!r} ends with {_end(effect)}, {which}: {listed(last)}"
                finding = Finding(id=effect.id, what="stale", text=text, by=effect.by)
                shaky = (
                    effect.posthumous
                    or effect.id not in ids
                    or any(_waits(index, i, effect.by) for i in last)
                    or not history.pending.isdisjoint(ids)
                    or (effect.gone and not any(_null(index, i) for i in ids))
                )
                (unsure if shaky or unread else failed).append(finding)
            elif effect.posthumous:
                text = f"key {lane[0]!r} ends with {effect.id!r}, which a crashed worker recorded"
                unsure.append(Finding(id=effect.id, what="posthumous", text=text, by=effect.by))
        doubts = standing_doubts(index) + pending_doubts(index) + _doubts(unsure, loose)
        doubts += _bare(index, {lane[0] for lane in finals}.union(loose), published, known)
        if known is not None and (loose_ids := unversioned(known, every)):
            doubts, unsure, failed = doubts + loose_ids, unsure + failed, []
        return answer(
            "latest",
            index,
            population={**index.funnel, "keys": len(finals), "stale": len(failed)},
            size=len(finals),
            passed=f"{number(len(finals), 'key')}, each at its {which}"
            + (" version" if known is None else ""),
            failed=failed,
            sentence=f"{len(failed)} of {number(len(finals), 'key')} stale: "
            f"{failed[0].text if failed else ''}",
            doubts=doubts,
            advice=_ADVICE + (_WHICH if known is None else ""),
            nothing="no effect with a key",
            add="give effects a key, or say by=...",
        )

    return check


def _finals(
    index: Index, key: KeyOf
) -> tuple[dict[tuple[Hashable, str | None], Effect], list[Hashable]]:
    """The last effect of each key and subscriber; keys that end with several and no order."""
    every: dict[tuple[Hashable, str | None], list[Effect]] = defaultdict(list)
    for effect in index.effects:
        name = key(effect)
        if name is not None and effect.id not in index.ambiguous:
            every[name, effect.by].append(effect)
    ends = {lane: _ends(effects) for lane, effects in every.items()}
    loose = dict.fromkeys(
        lane[0]
        for lane, last in ends.items()
        if len(last) > 1 and any(e.order is None for e in last)
    )
    return {lane: e[-1] for lane, e in ends.items() if lane[0] not in loose}, list(loose)


def _ends(effects: list[Effect]) -> list[Effect]:
    """What is there of a key at the end, in its source's order. What is gone is no final value,
    in whatever order it went: a row that was written over again and again is judged by what stands
    there. Where all are gone nothing does, and the one that went last says so."""
    there = [effect for effect in effects if not effect.gone]
    if there or all(effect.order is not None for effect in effects):
        return there or effects
    return [max(reversed(effects), key=lambda effect: effect.gone_to)]


def _versions(index: Index, key: KeyOf) -> dict[Hashable, list[str]]:
    """Confirmed or stored messages per key. A message's key is that of its effect, if it has one,
    so that a business key in the effects decides for all."""
    found: dict[Hashable, list[str]] = defaultdict(list)
    done = index.known_effects & index.first.keys()
    for name in (index.confirmed | index.stored_ids | done) - index.history.expected.all():
        effects = index.stories.effects.get(name) or [_nameless(name)]
        for own in {key(effect) for effect in effects}:
            if own is not None and name not in index.ambiguous:
                found[own].append(name)
    return found


def _nameless(name: str) -> Effect:
    return Effect(None, 0, 0, name, None, None, None, None, None, False, True)


def _last(index: Index, ids: list[str]) -> list[str]:
    at: dict[tuple[str, int], dict[int, str]] = defaultdict(dict)
    for name in ids:
        for row in index.stories.stored.get(name, ()):
            if row.topic in index.inputs:
                at[row.topic, row.partition][row.offset] = name
    if len(at) == 1 and all(name in index.stored_ids for name in ids):
        (log,) = at.values()
        first: dict[str, int] = {}
        for offset in sorted(log):
            first.setdefault(log[offset], offset)
        return [max(first, key=first.__getitem__)]
    return sorted(i for i in ids if not any(_older(index, i, other) for other in ids if other != i))


def _older(index: Index, one: str, other: str) -> bool:
    a = [s for s in index.stories.stored.get(one, ()) if s.topic in index.inputs]
    b = [s for s in index.stories.stored.get(other, ()) if s.topic in index.inputs]
    if a and b and len({(s.topic, s.partition) for s in (*a, *b)}) == 1:
        return min(s.offset for s in a) < min(s.offset for s in b)
    first, second = index.first.get(one), index.first.get(other)
    return first is not None and second is not None and before(index, first, second)


def _right(
    index: Index, effect: Effect, last: list[str], expected: Callable[[Message], object] | None
) -> bool:
    deletes = {name for name in last if _null(index, name)}
    if effect.gone:
        return bool(deletes)
    if expected is None or effect.id in deletes:
        return effect.id in last
    rows = [_row(index, name) for name in last if name not in deletes]
    return any(alike(effect.value, right(expected, row.id, row)) for row in rows)


def _row(index: Index, name: str) -> Attempt | Stored:
    return (index.stories.attempts.get(name) or index.stories.stored[name])[0]


def _null(index: Index, name: str) -> bool:
    """Whether this message deletes its key (a tombstone)."""
    return _row(index, name).value is None


def _end(effect: Effect) -> str:
    return f"nothing (that of {effect.id!r} is gone)" if effect.gone else repr(effect.id)


def _waits(index: Index, name: str, by: str | None) -> bool:
    story = index.story(name, by)
    return bool(story.waiting) and not story.effects


def _bare(
    index: Index,
    ended: Container[Hashable],
    published: Mapping[Hashable, list[str]],
    known: dict[str, Version] | None,
) -> list[Doubt]:
    """The doubt about keys that end with nothing and were never seen to have anything, though their
    last version is owed an effect and has a value. What is missing there is lossless's to say."""
    free = index.history.expected.all() | index.ambiguous.keys()
    bare = []
    for key, ids in published.items():
        last = _last(index, ids) if known is None else newest(known, ids)
        if key not in ended and last and all(i in index.owed and not _null(index, i) for i in last):
            bare += [key] if free.isdisjoint(last) else []
    if not bare:
        return []
    return [
        Doubt(
            sentence=f"{number(len(bare), 'key')} without any effect: {listed(bare)}",
            missing="ask assert_lossless(keep='latest'), too: it says what became of their last "
            "messages",
        )
    ]


def _doubts(unsure: list[Finding], loose: list[Hashable]) -> list[Doubt]:
    doubts = []
    if loose:
        doubts.append(
            Doubt(
                sentence="several effects at the end, without an order, for "
                f"{number(len(loose), 'key')}: {listed(loose)}",
                missing="order the query (order by seq), or show a table with one row for each key",
            )
        )
    if unsure:
        doubts.append(
            Doubt(
                sentence=f"{number(len(unsure), 'key')} not decided (waiting, posthumous, gone or "
                f"unseen): {unsure[0].text}",
                missing="let the worker finish, run it as a process, on the chaos address; what is "
                "gone must be built again when the service starts, or deleted by a message",
                findings=tuple(unsure[:SHOWN]),
            )
        )
    return doubts
