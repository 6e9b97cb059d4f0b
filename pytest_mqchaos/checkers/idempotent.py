"""Did anything happen twice?

A repeat is the same (id, part, by) twice in a source that can hold it twice. A source that cannot
(primary key, GROUP BY, map) is judged by value. Copies in the log and redeliveries are counted and
shown, never failed: what counts is the effect. A repeat stays proven in spite of a gap, because the
ledger does not pass the links; a repeat or a value that a crashed worker left is unknown. So are
several effects of one handling of a message, none like another, that no part names.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from operator import itemgetter

from pytest_mqchaos.checkers.advice.copies import once_in_the_log
from pytest_mqchaos.checkers.advice.several_readers import several_readers
from pytest_mqchaos.checkers.advice.stands_before import stands_before
from pytest_mqchaos.checkers.answer import answer
from pytest_mqchaos.checkers.doubts import SHOWN, Doubt, need_effects, standing_doubts
from pytest_mqchaos.checkers.evidence.in_parts import may_be_parts, parts_doubt
from pytest_mqchaos.checkers.evidence.pending import pending_doubts
from pytest_mqchaos.checkers.evidence.several import several_doubts
from pytest_mqchaos.checkers.evidence.still_open import its_own_effect
from pytest_mqchaos.checkers.evidence.unmatched import unmatched
from pytest_mqchaos.checkers.evidence.values import alike, right
from pytest_mqchaos.checkers.verdict import Checker, Finding, Verdict
from pytest_mqchaos.checkers.wording import listed, number
from pytest_mqchaos.frames import Message
from pytest_mqchaos.history.history import History
from pytest_mqchaos.history.identity import as_id
from pytest_mqchaos.history.index import Index, index_of
from pytest_mqchaos.history.rows import Effect

_ONE_HANDLING = "delivered once"
ONCE = "record the processed id in the same transaction as the work"


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
        repeated, posthumous, parts = _repeats(index)
        values = _by_value(index, known, expected)
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
        if blind:
            doubts.append(
                Doubt(
                    sentence=f"{number(blind, 'effect')} in a source that cannot hold an id twice, "
                    "and no value to compare",
                    missing="give idempotent(expected=...) or idempotent(state=...), or record "
                    "effects in a table without a unique key",
                )
            )
        asked = known is not None or expected is not None
        doubts += _uncompared(index, values, known, asked=asked) or strange
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


def _repeats(index: Index) -> tuple[list[Finding], list[Finding], list[Finding]]:
    """Messages with a repeat, those with one only if posthumous effects count, and those with what
    may be parts of one work."""
    repeated: list[Finding] = []
    posthumous: list[Finding] = []
    parts: list[Finding] = []
    if len(index.known_effects) == len(index.effects):
        return repeated, posthumous, parts
    keys = [_key(e) for e in index.effects]
    if len(set(keys)) == len(keys):
        return repeated, posthumous, parts
    real = Counter(_key(e) for e in index.effects if not e.posthumous)
    split = may_be_parts(index, {key[:3] for key, count in Counter(keys).items() if count > 1})
    for key, count in sorted(Counter(keys).items(), key=lambda item: (-item[1], str(item[0]))):
        if count == 1 or key[0] in index.ambiguous:
            continue
        kind = parts if key[:3] in split else repeated if real[key] > 1 else posthumous
        kind.append(_finding(index, *key[:3], count))
    return repeated, posthumous, parts


def _key(effect: Effect) -> tuple[str, str | None, str | None, str | None]:
    """What may be there once: a part, wherever it was seen; without a name once in each source."""
    source = effect[12] if effect[4] is None else None
    return effect[3], effect[4], effect[5], source


def _finding(
    index: Index, message_id: str, part: str | None, by: str | None, count: int
) -> Finding:
    story = index.story(message_id, by)
    deliveries = [d for d in story.deliveries if d.reached]
    places = {(d.topic, d.partition, d.offset) for d in deliveries}
    told = []
    if len(story.stored) > 1:
        told.append(f"stored {len(story.stored)}x (copies)")
    if deliveries:
        again = " (redelivered)" if len(deliveries) > len(places) else ""
        told.append(f"delivered {len(deliveries)}x{again}")
    named = f" of part {part!r}" if part else ""
    told.append(f"effect{named} {count}x")
    return Finding(
        id=message_id, what="repeated", where=_cause(len(deliveries), len(places)),
        text=", ".join(told), by=by,
    )  # fmt: skip


def _cause(deliveries: int, places: int) -> str:
    if deliveries > places:
        return "redelivered"
    return "copies" if places > 1 else _ONE_HANDLING if deliveries else "no delivery seen"


@dataclass(slots=True)
class _Values:
    """Altered effects, posthumous ones apart; how many could not be judged at all (`blind`), had no
    value though one is right (`empty`), or were compared."""

    altered: list[Finding] = field(default_factory=list)
    posthumous: list[Finding] = field(default_factory=list)
    blind: int = 0
    empty: int = 0
    compared: int = 0


def _by_value(
    index: Index,
    state: Mapping[str, object] | None,
    expected: Callable[[Message], object] | None,
) -> _Values:
    found = _Values()
    if all(map(itemgetter(10), index.effects)) and state is None and expected is None:
        return found
    for message_id, effects in index.stories.effects.items():
        if message_id in index.ambiguous:
            continue
        for effect in effects:
            wanted = _wanted(index, message_id, state, expected)
            if effect.value is None or wanted is None:
                found.blind += not effect.countable
                found.empty += wanted is not None and wanted[0] is not None
                found.compared += wanted is not None
                continue
            found.compared += 1
            if not alike(effect.value, wanted[0]):
                text = f"value {effect.value!r}, expected {wanted[0]!r}"
                finding = Finding(id=message_id, what="altered", text=text, by=effect.by)
                (found.posthumous if effect.posthumous else found.altered).append(finding)
    return found


def _uncompared(
    index: Index, values: _Values, state: Mapping[str, object] | None, *, asked: bool
) -> list[Doubt]:
    """Values were to be compared, and were not."""
    if values.empty and not values.blind:
        return [
            Doubt(
                sentence=f"{number(values.empty, 'effect')} without a value, where one is expected",
                missing="give effects a value: a column `as value` of the query, "
                "chaos.effects.record(id, value=...)",
            )
        ]
    names = index.known_effects - index.ambiguous.keys()
    if values.compared or not (asked and names):
        return []
    ours = (
        "messages have other ids"
        if state is None
        else f"state= has {listed(sorted(state), 2) or 'no id'}"
    )
    return [
        Doubt(
            sentence=f"no value was compared: effects have {listed(sorted(names), 2)}, {ours}",
            missing="use one spelling of ids in messages, effects and idempotent(state=...)",
        )
    ]


def _wanted(
    index: Index,
    message_id: str,
    state: Mapping[str, object] | None,
    expected: Callable[[Message], object] | None,
) -> tuple[object] | None:
    """The value that is right, in a tuple; None if nothing is known of this message."""
    if state is not None and message_id in state:
        return (state[message_id],)
    rows = index.stories.attempts.get(message_id) or index.stories.stored.get(message_id)
    if expected is None or not rows:
        return None
    return (right(expected, message_id, rows[0]),)


def _seen_twice(index: Index) -> str:
    copies = len(index.stored) - len(index.stored_ids)
    return f" ({number(copies, 'copy', 'copies')} in the log)" if copies else ""


def _advice(index: Index, repeated: Sequence[Finding]) -> str:
    shown = repeated[:SHOWN]
    if shown and its_own_effect(index, shown[0].id):
        return once_in_the_log(index, shown[0].id)
    found = stands_before(index, shown) or several_readers(index, shown)
    unnamed = bool(shown) and " of part " not in shown[0].text
    if not found and unnamed and shown[0].where == _ONE_HANDLING:
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
