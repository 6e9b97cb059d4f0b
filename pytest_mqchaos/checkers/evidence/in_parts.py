"""Several effects of one message that no part names: a splitter's (a row for each line of an
order), or the same work done again?

What one handling of a message did, each effect another, may be its parts. What is alike, and what
two handlings did where no message shows parts, was done again. It never guesses which part is
which.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Container, Iterable
from typing import TypeAlias

from pytest_mqchaos.checkers.doubts import SHOWN, Doubt
from pytest_mqchaos.checkers.verdict import Finding
from pytest_mqchaos.checkers.wording import number
from pytest_mqchaos.history.index import Index
from pytest_mqchaos.history.rows import Effect

_NAME = (
    "name the parts: a column part, record(id, part=...), chaos.effects.from_topic(name, "
    "part=lambda record: ...)"
)
Same: TypeAlias = tuple[str, str | None, str | None]
"""What may be there once: id, part, subscriber."""


def may_be_parts(index: Index, repeated: Iterable[Same]) -> set[Same]:
    """Those of `repeated` that have no part and of which no two effects are alike, if one handling
    did all those of one message at least; then also those of one handling that are alike: two lines
    of an order may be."""
    asked = {same for same in repeated if same[1] is None}
    rows: dict[Same, list[Effect]] = defaultdict(list)
    for effect in index.effects if asked else ():
        if (effect.id, effect.part, effect.by) in asked:
            rows[effect.id, effect.part, effect.by].append(effect)
    differing = {same: each for same, each in rows.items() if _none_alike(each)}
    if not any(_one_handling(index, same, each) for same, each in differing.items()):
        return set()
    alike = {same for same in rows.keys() - differing if _one_handling(index, same, rows[same])}
    return alike | differing.keys()


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


def uneven_doubts(index: Index, owed: Container[str]) -> list[Doubt]:
    """The doubt about those of `owed` that have fewer such effects than others: nobody said how
    many there should be."""
    have = _unnamed(index, owed)
    most = max(have.values(), default=0)
    fewer = {same: count for same, count in sorted(have.items(), key=str) if count < most}
    if not fewer:
        return []
    findings = tuple(
        Finding(id=same[0], what="partial", where="partial", text=f"has {count}", by=same[2])
        for same, count in fewer.items()
    )
    return [
        Doubt(
            sentence=f"{number(len(fewer), 'message')} with fewer effects than others, which no "
            f"part names ({findings[0].id!r} {findings[0].text}, others {most}): parts that are "
            "missing, or were never to come?",
            missing=f"{_NAME}, and say which every message has: lossless(parts=[...]), [] if any "
            "one is enough",
            findings=findings[:SHOWN],
        )
    ]


def _unnamed(index: Index, owed: Container[str]) -> dict[Same, int]:
    """How many different effects without a part each of `owed` has, if they may be parts. Effects
    of several messages at once are no parts of theirs."""
    if len(index.known_effects) == len(index.effects):
        return {}
    unnamed = [effect for effect in index.effects if effect.part is None and effect.id in owed]
    times = Counter((effect.id, None, effect.by) for effect in unnamed)
    many = [same for same, count in times.items() if count > 1]
    if not many or not may_be_parts(index, many):
        return {}
    shown: dict[Same, set[tuple[str | None, str]]] = defaultdict(set)
    covers: dict[tuple[int, str | None, str], set[str]] = defaultdict(set)
    for effect in unnamed:
        what = (effect.key, repr(effect.value))
        shown[effect.id, None, effect.by].add(what)
        if effect.owner is not None:  # no row of a table is several messages'
            covers[effect.t_from, *what].add(effect.id)
    at_once = any(len(ids) > 1 for ids in covers.values())
    return {} if at_once else {same: len(each) for same, each in shown.items()}


def parts_doubt(findings: list[Finding]) -> Doubt:
    """The doubt about messages with such effects."""
    first = findings[0]
    return Doubt(
        sentence=f"{number(len(findings), 'message')} with several effects, none like another "
        f"({first.id!r}: {first.text}): parts of one work, or done again?",
        missing=f"{_NAME}; the same name where it is the same work (totals that are told again "
        "with each message: assert_same_outcome)",
        findings=tuple(findings[:SHOWN]),
    )
