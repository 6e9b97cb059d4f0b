"""How far a search goes, and the plans that it draws: of what the clean run touched.

It knows numbers, positions and a dice; it must never know what becomes of a plan.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass

from pytest_mqchaos.errors import UsageError
from pytest_mqchaos.frames import Point
from pytest_mqchaos.plan import legality
from pytest_mqchaos.plan.nth import whole
from pytest_mqchaos.plan.rules import Plan
from pytest_mqchaos.search import drawing
from pytest_mqchaos.search.choices import Choices, Narrowed, choices
from pytest_mqchaos.search.narrowing import Wanted
from pytest_mqchaos.search.points import Observed

_TRIES = 50  # to draw a plan that was not drawn before
_LATER = 1  # positions behind the last that the clean run had: faults make clients send again


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """`budget`: runs at most, all of them; `seconds`: no run begins later (None: no limit).
    `times` (k): how often a plan that failed is run again, and how often the result is. `least`
    (r): failures of these that make it worth shrinking. `max_faults`: of one plan. `seed`: of
    the dice. Raises UsageError for what cannot be."""

    budget: int = 200
    seconds: float | None = None
    times: int = 10
    least: int = 2
    max_faults: int = 5
    seed: int = 0

    def __post_init__(self) -> None:
        for name in ("budget", "times", "least", "max_faults"):
            if not whole(getattr(self, name)):
                raise UsageError(
                    f"{name}={getattr(self, name)!r}: must be a whole number of 1 or more"
                )
        number = isinstance(self.seconds, int | float) and not isinstance(self.seconds, bool)
        if self.seconds is not None and not (number and 0 < self.seconds < float("inf")):
            raise UsageError(f"seconds={self.seconds!r}: must be more than 0, or None")
        if self.least > self.times:
            raise UsageError(
                f"least={self.least}, times={self.times}: a plan that is run {self.times} times "
                f"cannot fail {self.least} times"
            )


def possible(seen: Observed, given: Wanted) -> Choices:
    """The legal faults at the points that the clean run touched. Raises UsageError for none."""
    narrowed = Narrowed(
        protocol=given.broker, abilities=seen.abilities, points=given.points, faults=given.faults,
        apis=given.apis, longest=given.longest,
    )  # fmt: skip
    spots = {(spot.point, spot.api): spot for spot in seen.spots}
    found: Choices = {}
    for verb, points in choices(narrowed).items():
        for point, variants in points.items():
            crash = verb == "crash_worker"
            here = ((one, spots.get((point, one.api))) for one in variants)
            left = tuple(one for one, spot in here if spot and (spot.crashable or not crash))
            if left:
                found.setdefault(verb, {})[point] = left
    if not found:
        raise UsageError(
            f"none of {', '.join(given.faults)} can be at "
            f"{', '.join(spot.name for spot in seen.spots)} on this broker: nothing to search"
        )
    return found


def plans(
    seen: Observed, given: Wanted, legal: Choices, bounds: Bounds, *, again: bool
) -> Iterator[Plan]:
    """Plan after plan, each new; when nothing new comes any more, the old ones `again`, or none."""
    dice = random.Random(bounds.seed)
    counts = {(spot.point, spot.api): spot.count + _LATER for spot in seen.spots}

    def reach(point: Point, api: str | None) -> int:
        return min(given.nth, counts[point, api])

    def drawn() -> Plan:
        count = 1 + dice.randrange(bounds.max_faults)
        word = legality.table(given.broker).word
        return Plan(
            *(
                drawing.rule(dice.randrange, legal, word=word, topics=given.topics, reach=reach)
                for _ in range(count)
            )
        )

    known: set[Plan] = set()
    while True:
        tries = (drawn() for _ in range(_TRIES))
        plan = next((one for one in tries if one not in known), None)
        if plan is None and not again:
            return
        plan = plan or drawn()
        known.add(plan)
        yield plan
