"""How a rule is drawn: a short row of choices, 0 the harmless one, from whoever can choose.

`below(end)` gives a number from 0 to end - 1: Hypothesis's own choice, or a seeded dice. It must
never know which of the two, nor what is legal (`choices`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache, partial
from typing import TypeAlias, TypeVar

from pytest_mqchaos.frames import Point
from pytest_mqchaos.plan.nth import Nth, every
from pytest_mqchaos.plan.rules import Rule
from pytest_mqchaos.plan.where import Where
from pytest_mqchaos.search.choices import OFTEN, PROCESS, Choices

T = TypeVar("T")
Below: TypeAlias = Callable[[int], int]
Reach: TypeAlias = Callable[[Point, str | None], int]
"""The last position at a point (at `control`: of that request)."""

_EVEN = 6  # the share of a verb, to be divided among its points
_ONE, _RETRY, _RANGE, _EVERY = range(4)
_FORMS = (*(_ONE,) * 7, _RETRY, _RANGE, _EVERY)


def rule(
    below: Below, possible: Choices, *, word: str, topics: Sequence[str], reach: Reach
) -> Rule:  # fmt: skip
    """One legal rule, optional. `word`: what a destination is called there. As many choices for
    every rule: a shorter row would count as simpler than a milder one."""
    verb, point = one(below, _rows(tuple((v, p) for v, points in possible.items() for p in points)))
    variant = one(below, possible[verb][point])
    place = where(
        below, point, api=variant.api, word=word, topics=topics, last=reach(point, variant.api),
        endless=verb not in PROCESS,
    )  # fmt: skip
    return Rule(where=place, fault=variant.fault, optional=True)


def where(
    below: Below, point: Point, *, api: str | None, word: str, topics: Sequence[str], last: int,
    endless: bool,
) -> Where:  # fmt: skip
    """The position, up to `last`, and the topic where there is a choice. `endless`: it may be at
    every third one and so on."""
    place = partial(Where, point=point, api=api)
    form, number = divmod(below(len(_FORMS) * last), last)
    topic = one(below, topics) if len(topics) > 1 else next(iter(topics), None)
    if topic is not None and point is not Point.CONTROL:
        place = partial(place, destination=topic, word=word)
    nth = number + 1
    if _FORMS[form] == _RETRY and point is not Point.CONTROL:
        return place(nth=nth, attempt=2)
    return place(nth=_position(_FORMS[form], nth, endless=endless))


def _position(form: int, nth: int, *, endless: bool) -> Nth:
    if form == _RANGE:
        return range(nth, nth + 3)
    return every(nth + 1) if form == _EVERY and endless else nth


def one(below: Below, options: Sequence[T]) -> T:
    """One of them, the first for choice 0; a choice even where there is none."""
    return options[below(max(2, len(options))) % len(options)]


@lru_cache
def _rows(rows: tuple[tuple[str, Point], ...]) -> tuple[tuple[str, Point], ...]:
    """Each once in the order of shrinking; then again those that are drawn more often. A verb that
    can be at many points is no likelier than one of few."""
    points: Mapping[str, int] = Counter(verb for verb, _ in rows)
    times = {verb: OFTEN.get(verb, 1) * _EVEN // count for verb, count in points.items()}
    return (*rows, *(row for row in rows for _ in range(times[row[0]] - 1)))
