"""Effects judged by their value: where a source cannot hold an id twice, or where the test says
what is right. A value that a crashed worker left decides nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from operator import itemgetter

from pytest_mqchaos.checkers.doubts import Doubt
from pytest_mqchaos.checkers.evidence.values import alike, right
from pytest_mqchaos.checkers.verdict import Finding
from pytest_mqchaos.checkers.wording import listed, number
from pytest_mqchaos.frames import Message
from pytest_mqchaos.history.index import Index


@dataclass(slots=True)
class Values:
    """Altered effects, posthumous ones apart; how many could not be judged at all (`blind`), had no
    value though one is right (`empty`), or were compared."""

    altered: list[Finding] = field(default_factory=list)
    posthumous: list[Finding] = field(default_factory=list)
    blind: int = 0
    empty: int = 0
    compared: int = 0


def by_value(
    index: Index,
    state: Mapping[str, object] | None,
    expected: Callable[[Message], object] | None,
) -> Values:
    """What is altered, as far as there is something to compare."""
    found = Values()
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


def uncompared(
    index: Index, values: Values, state: Mapping[str, object] | None, *, asked: bool
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
