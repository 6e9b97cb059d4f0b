"""Several effects of one message that no part names: a splitter's (a row for each line of an
order), or the same work done again?

What one handling of a message did, each effect another, may be its parts. What is alike, and what
two handlings did where no message shows parts, was done again. It never guesses which part is
which.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import TypeAlias

from pytest_mqchaos.checkers.answer import SHOWN, Doubt
from pytest_mqchaos.checkers.verdict import Finding
from pytest_mqchaos.checkers.wording import number
from pytest_mqchaos.history.index import Index
from pytest_mqchaos.history.rows import Effect

Same: TypeAlias = tuple[str, str | None, str | None]
"""What may be there once: id, part, subscriber."""


def may_be_parts(index: Index, repeated: Iterable[Same]) -> set[Same]:
    """Those of `repeated` that have no part and of which no two effects are alike, if one handling
    did all those of one message at least."""
    asked = {same for same in repeated if same[1] is None}
    rows: dict[Same, list[Effect]] = defaultdict(list)
    for effect in index.effects if asked else ():
        if (effect.id, effect.part, effect.by) in asked:
            rows[effect.id, effect.part, effect.by].append(effect)
    differing = {same: each for same, each in rows.items() if _none_alike(each)}
    if any(_one_handling(index, same, each) for same, each in differing.items()):
        return set(differing)
    return set()


def _none_alike(effects: list[Effect]) -> bool:
    shown = {(effect.key, repr(effect.value)) for effect in effects if effect.value is not None}
    return len(shown) == len(effects)


def _one_handling(index: Index, same: Same, effects: list[Effect]) -> bool:
    """Whether the message was handed out once, or one incarnation did all of it between two
    deliveries."""
    given = [row.t for row in index.story(same[0], same[2]).deliveries if row.reached]
    if not given[1:]:
        return bool(given)
    who = {effect.owner for effect in effects}
    after = {sum(t <= effect.t_from for t in given) for effect in effects}
    return len(who) == len(after) == 1 and None not in who and 0 not in after


def parts_doubt(findings: list[Finding]) -> Doubt:
    """The doubt about messages with such effects."""
    first = findings[0]
    return Doubt(
        sentence=f"{number(len(findings), 'message')} with several effects, none like another "
        f"({first.id!r}: {first.text}): parts of one work, or done again?",
        missing="name the parts: a column part, record(id, part=...), chaos.effects.from_topic("
        "name, part=lambda record: ...); the same name where it is the same work",
        findings=tuple(findings[:SHOWN]),
    )
