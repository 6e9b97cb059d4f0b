"""Several groups that each have effects of the same messages, which do not say whose they are: what
one of them lost hides behind what another did.

    every group has come past it, and by what workers recorded it was done for fewer of them than
    other messages --> nobody knows: name the groups (`by`)

A worker tells its group by what it acks for. Of effects that no worker of ours recorded (rows of a
table) nothing is known, and a pass says so; a group that has none at all, or never with another, is
asked nothing.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Container
from typing import NamedTuple

from pytest_mqchaos.checkers.doubts import SHOWN, Doubt
from pytest_mqchaos.checkers.evidence.whose import groups_of
from pytest_mqchaos.checkers.verdict import Finding
from pytest_mqchaos.checkers.wording import listed, number
from pytest_mqchaos.history.index import Index

NAME_THEM = "record `by` with every effect: the name of the group (or service) that did it"


class _Done(NamedTuple):
    """What one message has: how often by workers of one group, and by those of several at once."""

    single: Counter[str]
    shared: Counter[frozenset[str]]


def unnamed_groups(index: Index, owed: Container[str]) -> list[Doubt]:
    """The doubt about those of `owed` that were done for fewer groups than others."""
    groups = index.positions.input_groups
    if len(groups) < 2 or index.subscribers != (None,):  # noqa: PLR2004 - several
        return []
    done = _done(index, groups)
    together = _together(done)
    found = [
        Finding(id=name, what="not known", text=text)
        for name, each in done.items()
        if name in owed and (text := _fewer(index, name, each, together))
    ]
    if not found:
        return []
    return [
        Doubt(
            sentence=f"{number(len(found), 'message')} done for fewer groups than others, by "
            f"effects that do not say whose they are: {found[0].text}",
            missing=NAME_THEM,
            findings=tuple(found[:SHOWN]),
        )
    ]


def not_told_apart(index: Index) -> tuple[str, ...]:
    """What a pass does not cover: what one of several groups lost, among rows that are nobody's."""
    groups = _side_by_side(index)
    if len(groups) < 2 or index.subscribers != (None,):  # noqa: PLR2004 - several
        return ()
    owners = {effect.owner for effect in index.effects}
    if all(groups_of(index, owner) for owner in owners):
        return ()
    said = (
        f"{listed(sorted(groups))} read the same messages, and effects without `by` are anybody's: "
        "what one of these groups lost hides behind what another did"
    )
    return (said,)


def _side_by_side(index: Index) -> frozenset[str]:
    """The groups that read an input which another one reads, too. Stages of a pipeline do not; but
    if messages have several effects, more than one of them may have done each."""
    inputs, groups = index.inputs, index.positions.groups
    found = index.positions.input_groups
    if len(index.known_effects) < len(index.effects):
        return found
    readers = Counter(topic for group in found for topic in groups[group] & inputs)
    return frozenset(g for g in found if any(readers[t] > 1 for t in groups[g] & inputs))


def _done(index: Index, groups: frozenset[str]) -> dict[str, _Done]:
    found: dict[str, _Done] = defaultdict(lambda: _Done(Counter(), Counter()))
    for effect in index.effects:
        whose = groups & groups_of(index, effect.owner)
        if effect.posthumous or effect.part is not None or not whose:
            continue
        if len(whose) == 1:
            found[effect.id].single.update(whose)
        else:
            found[effect.id].shared[whose] += 1
    return found


def _together(done: dict[str, _Done]) -> frozenset[str]:
    """Groups of which some message has effects of more than one, as far as that can be told."""
    found: set[str] = set()
    for each in done.values():
        if len(each.single) > 1:
            found |= each.single.keys()
        for whose, count in each.shared.items():
            found |= whose if count >= len(whose) else set()
    return frozenset(found)


def _fewer(index: Index, name: str, each: _Done, together: frozenset[str]) -> str:
    """For whom this message was perhaps not done, in words; "" for nobody."""
    have = set(each.single)
    for whose, count in each.shared.items():
        # What a worker of several groups did once may be for any of them, but not for all.
        have |= whose if count >= len(whose) else set()
    if have >= together:
        return ""
    passed: dict[str, set[str]] = defaultdict(set)
    for place in index.story(name).passed:
        if place.group in together:
            passed[place.topic].add(place.group)
    for readers in passed.values():
        if len(readers) > 1 and readers - have:
            times = sum(each.single.values()) + sum(each.shared.values())
            return f"{name!r} was acked by {listed(sorted(readers))}, and done {times}x"
    return ""
