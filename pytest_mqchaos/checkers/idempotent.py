"""Did anything happen twice?

A repeat is the same (id, part, by) twice in a source that can hold it twice. A source that cannot
(primary key, GROUP BY, map) is judged by value. Copies in the log and redeliveries are counted and
shown, never failed: what counts is the effect. A repeat stays proven in spite of a gap, because the
ledger does not pass the links; a repeat or a value that a crashed worker left is unknown. So are
several effects of one handling of a message, none like another, that no part names, and effects
without `by` of several readers (of one topic, or stages of a chain) that may each have done it
once.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple, TypeAlias

from pytest_mqchaos.checkers.advice.apart import position_apart
from pytest_mqchaos.checkers.advice.copies import once_in_the_log, sent_again
from pytest_mqchaos.checkers.advice.several_readers import several_readers
from pytest_mqchaos.checkers.advice.stands_before import stands_before
from pytest_mqchaos.checkers.answer import answer
from pytest_mqchaos.checkers.doubts import SHOWN, Doubt, need_effects, standing_doubts
from pytest_mqchaos.checkers.evidence.by_value import by_value, uncompared
from pytest_mqchaos.checkers.evidence.how_often import (
    ONE_HANDLING,
    READERS,
    REDELIVERED,
    cause,
    copies,
    handed_out,
)
from pytest_mqchaos.checkers.evidence.in_parts import may_be_parts, parts_doubt
from pytest_mqchaos.checkers.evidence.once_a_reader import once_each
from pytest_mqchaos.checkers.evidence.pending import pending_doubts
from pytest_mqchaos.checkers.evidence.several import several_doubts
from pytest_mqchaos.checkers.evidence.still_open import its_own_effect
from pytest_mqchaos.checkers.evidence.unmatched import unmatched
from pytest_mqchaos.checkers.evidence.unnamed_groups import NAME_THEM
from pytest_mqchaos.checkers.verdict import Checker, Finding, Verdict
from pytest_mqchaos.checkers.wording import number
from pytest_mqchaos.frames import Message
from pytest_mqchaos.history.history import History
from pytest_mqchaos.history.identity import as_id
from pytest_mqchaos.history.index import Index, index_of
from pytest_mqchaos.history.rows import Effect

ONCE = "record the processed id in the same transaction as the work"
_AGAIN = (REDELIVERED, READERS)
_Key: TypeAlias = tuple[str, str | None, str | None, str | None]
_ALTERED = (
    "compare the work itself: the value is wrong, not the count (in a row that adds up what is "
    f"done it may be the count: {ONCE})"
)


def idempotent(
    *,
    state: Mapping[str, object] | None = None,
    expected: Callable[[Message], object] | None = None,
) -> Checker:
    """No effect happened twice, none is altered.

    `state`: id -> value as a fault-free run leaves it. `expected`: what the value of a message's
    effect must be. One of them is needed where the source cannot hold an id twice.
    """
    known = None if state is None else {as_id(name): value for name, value in state.items()}

    def check(history: History) -> Verdict:
        need_effects(history, "idempotent")
        index = index_of(history)
        repeated, posthumous, parts, shared = _repeats(index)
        values = by_value(index, known, expected)
        altered, blind = values.altered, values.blind
        posthumous += values.posthumous
        doubts = standing_doubts(index) + pending_doubts(index)
        strange = [] if known else unmatched(index)
        if strange:  # an id of something else (an account, a fresh uuid) may come twice, or never
            strange, repeated = [replace(strange[0], findings=tuple(repeated[:SHOWN]))], []
        failed = repeated + altered
        done = len(index.known_effects)
        if posthumous:
            doubts.append(
                Doubt(
                    sentence=f"{number(len(posthumous), 'message')} repeated or altered only if a "
                    f"posthumous effect counts: {posthumous[0].text}",
                    missing="run the worker as a process (process=True)",
                    findings=tuple(posthumous[:SHOWN]),
                )
            )
        doubts += several_doubts(index) + ([parts_doubt(parts)] if parts else [])
        doubts += [_shared_doubt(index, shared)] if shared else []
        if blind:
            doubts.append(
                Doubt(
                    sentence=f"{number(blind, 'effect')} in a source that may not show an id "
                    "twice, and no value to compare",
                    missing="give idempotent(expected=...) or idempotent(state=...), or show a "
                    "table without a unique key; countable=True says that each deed is a row",
                )
            )
        asked = known is not None or expected is not None
        doubts += uncompared(index, values, known, asked=asked) or strange
        return answer(
            "idempotent",
            index,
            population={**index.funnel, "repeated": len(repeated), "altered": len(altered)},
            size=done,
            passed=f"each of {number(done, 'message')} took effect once{_seen_twice(index)}",
            failed=failed,
            sentence=_sentence(repeated, altered, done),
            doubts=doubts,
            advice=_advice(index, repeated),
            nothing="no effect was recorded",
            add="check that the effect source sees what the worker writes",
        )

    return check


class _Repeats(NamedTuple):
    """Messages with a repeat; those with one only if posthumous effects count; those with what may
    be parts of one work, or the work of several readers."""

    repeated: list[Finding]
    posthumous: list[Finding]
    parts: list[Finding]
    shared: list[Finding]


def _repeats(index: Index) -> _Repeats:
    found = _Repeats([], [], [], [])
    if len(index.known_effects) == len(index.effects):
        return found
    keys = [_key(e) for e in index.effects]
    if len(set(keys)) == len(keys):
        return found
    real = Counter(_key(e) for e in index.effects if not e.posthumous)
    split = may_be_parts(index, {key[:3] for key, count in Counter(keys).items() if count > 1})
    for key, count in sorted(Counter(keys).items(), key=lambda item: (-item[1], str(item[0]))):
        if count == 1 or key[0] in index.ambiguous:
            continue
        kind = found.posthumous
        if key[:3] in split:
            kind = found.parts
        elif real[key] > 1:
            kind = found.shared if _each_once(index, key) else found.repeated
        kind.append(_finding(index, *key[:3], count))
    return found


def _each_once(index: Index, key: _Key) -> bool:
    """Whether each of these effects may be another reader's; who names himself is one."""
    rows = [row for row in index.stories.effects[key[0]] if _key(row) == key]
    return key[2] is None and once_each(index, key[0], [e for e in rows if not e.posthumous])


def _key(effect: Effect) -> _Key:
    """What may be there once: a part, wherever it was seen; without a name once in each source."""
    source = effect[12] if effect[4] is None else None
    return effect[3], effect[4], effect[5], source


def _finding(
    index: Index, message_id: str, part: str | None, by: str | None, count: int
) -> Finding:
    story = index.story(message_id, by)
    given = handed_out(index, story, by)
    why = cause(given)
    told = []
    if (times := copies(story.stored)) > 1:
        told.append(f"stored {times}x (copies)")
    if given:
        told.append(f"delivered {len(given)}x" + (f" ({why})" if why in _AGAIN else ""))
    named = f" of part {part!r}" if part else ""
    told.append(f"effect{named} {count}x")
    return Finding(id=message_id, what="repeated", where=why, text=", ".join(told), by=by)


def _shared_doubt(index: Index, shared: list[Finding]) -> Doubt:
    return Doubt(
        sentence=f"{number(len(shared), 'message')} with several effects that do not say by whom, "
        f"of which several readers may each have done one ({shared[0].id!r}: {shared[0].text})",
        missing=several_readers(index, shared) or NAME_THEM,
        findings=tuple(replace(finding, what="not known") for finding in shared[:SHOWN]),
    )


def _seen_twice(index: Index) -> str:
    more = len(index.stored) - len(index.stored_ids)
    if more:  # seldom: of most runs each message is there once
        more = len(index.stored) - len({(row[3], row[0]) for row in index.stored})
    return f" ({number(more, 'copy', 'copies')} in the log)" if more else ""


def _advice(index: Index, repeated: Sequence[Finding]) -> str:
    shown = repeated[:SHOWN]
    if not shown:
        return _ALTERED
    if position := position_apart(index, shown[0].id, shown[0].by):
        return position
    if its_own_effect(index, shown[0].id):
        return once_in_the_log(index, shown[0].id)
    if again := sent_again(index, shown):
        return f"{again}. And {ONCE}" if REDELIVERED in {f.where for f in shown} else again
    found = stands_before(index, shown) or several_readers(index, shown)
    unnamed = " of part " not in shown[0].text
    if not found and unnamed and shown[0].where == ONE_HANDLING:
        return f"{ONCE}; if these are parts of its work, name them (part)"
    return f"{found}. And {ONCE}" if found else ONCE


def _sentence(repeated: list[Finding], altered: list[Finding], done: int) -> str:
    said = []
    if repeated:
        count = len({f.id for f in repeated})
        said.append(
            f"{count} of {number(done, 'message')} took effect more than once: {repeated[0].text}"
        )
    if altered:
        count = len({f.id for f in altered})
        said.append(f"{count} of {number(done, 'message')} altered: {altered[0].text}")
    return "; ".join(said)
