"""A message that one subscriber did instead of another: a router does some itself and passes others
on, or passes each on to one of several.

    in --> first --> mid --> second      a: by first      b: by second      none: by both

Where some message was done by both, each owes all of them, and this is none. Whether one had to do
what the other did is not in the rows, so it never says that it need not.
"""

from __future__ import annotations

from itertools import combinations
from typing import cast

from pytest_mqchaos.checkers.evidence.moved_on import arrived, readers, sent_by_its_reader
from pytest_mqchaos.history.index import Index


def instead(index: Index, name: str, by: str | None) -> str:
    """Who did this message where `by` perhaps had not to, as a sentence; "" for nobody."""
    reading = readers(index)
    if by is None or not any(by in groups for groups in reading.values()):
        return ""
    rows = index.stories.effects.get(name, ())
    for other in sorted({row.by for row in rows if row.by and not row.posthumous} - {by}):
        if frozenset((by, other)) in _together(index):
            continue
        if _never_came(index, name, by):
            return f"{other} did it, and nothing that {by} reads held it"
        if _passed_on(index, name, by, other):
            return f"{by} passed it on to {other}, which did it"
    return ""


def _together(index: Index) -> set[frozenset[str]]:
    """Pairs of subscribers that have both done some message."""
    derived = index.history.derived
    if "done together" not in derived:
        found: set[frozenset[str]] = set()
        for rows in index.stories.effects.values():
            names = sorted({row.by for row in rows if row.by and not row.posthumous})
            found |= {frozenset(pair) for pair in combinations(names, 2)}
        derived["done together"] = found
    return cast("set[frozenset[str]]", derived["done together"])


def _never_came(index: Index, name: str, by: str) -> bool:
    """Whether no topic that this group reads ever had it, and none of those is judged."""
    reads = {topic for topic, groups in readers(index).items() if by in groups}
    stories = index.stories
    had = {row.topic for row in stories.stored.get(name, ())}
    had |= {row.topic for row in stories.attempts.get(name, ()) if arrived(row)}
    return by not in index.positions.groups and not reads & had


def _passed_on(index: Index, name: str, by: str, other: str) -> bool:
    """Whether a member of the one group put it where the other reads."""
    handed = [row for row in index.stories.deliveries.get(name, ()) if row.group == by]
    return any(
        other in readers(index).get(sent.topic, ())
        and sent.topic not in index.positions.handed
        and arrived(sent)
        and any(sent_by_its_reader(sent, row) for row in handed)
        for sent in index.stories.attempts.get(name, ())
    )
