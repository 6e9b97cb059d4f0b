"""A sweep: one clean run to see the points, then one run for each fault at each of them: `sweep`.

    clean run --> points --> cases --> a run each --> table

It knows the order of things and what a case's outcome means; it must never know pytest's subtests,
or how a scenario is run.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from typing import TypeAlias

from pytest_mqchaos.errors import UsageError, unknown
from pytest_mqchaos.frames import Point
from pytest_mqchaos.plan import legality
from pytest_mqchaos.plan.nth import whole
from pytest_mqchaos.plan.rules import Plan
from pytest_mqchaos.search.cases import TAKING, Case, Chosen, chosen, singles, verbs
from pytest_mqchaos.search.coverage_table import Result, Table
from pytest_mqchaos.search.points import Observed, observed
from pytest_mqchaos.search.runner import Outcome

Run: TypeAlias = Callable[[Plan], Outcome]
FEW = 0.5  # of the cases fire: below, the report says so


@dataclass(frozen=True, slots=True, kw_only=True)
class Extent:
    """How far a sweep goes. `points`, `faults`: names (None: all, but no fault that may take what
    was confirmed); `pairs`: two faults at a time too; `budget`: cases at most, the others are left
    out by `seed`; `stop_after`: failures. Raises UsageError for what cannot be."""

    points: str | Collection[str] | None = None
    faults: str | Collection[str] | None = None
    pairs: bool = False
    budget: int | None = None
    seed: int = 0
    stop_after: int | None = None

    def __post_init__(self) -> None:
        for name in ("budget", "stop_after"):
            given = getattr(self, name)
            if given is not None and not whole(given):
                raise UsageError(f"{name}={given!r}: must be a whole number of 1 or more, or None")
        if not isinstance(self.pairs, bool):
            raise UsageError(f"pairs={self.pairs!r}: must be True or False")
        verbs(self.faults)
        self.where()

    def where(self) -> tuple[Point, ...]:
        """The points that are looked at."""
        if self.points is None:
            return tuple(Point)
        named = (self.points,) if isinstance(self.points, str) else tuple(self.points)
        if not named:
            raise UsageError(f"points={self.points!r}: name at least one of {', '.join(Point)}")
        for name in named:
            if name not in list(Point):
                raise unknown("point to sweep", name, map(str, Point))
        return tuple(point for point in Point if point in named)


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """One case and what became of it; `sentence` says why it did not pass."""

    case: Case
    result: Result
    sentence: str = ""


@dataclass(slots=True, kw_only=True)
class Swept:
    """Everything that a sweep has shown so far."""

    seen: Observed
    chosen: Chosen
    done: list[Done] = field(default_factory=list)
    table: Table = field(default_factory=Table)
    notes: list[str] = field(default_factory=list)

    @property
    def points(self) -> int:
        """Positions that the clean run touched."""
        return self.seen.count

    @property
    def failed(self) -> list[Done]:
        """The cases that failed or could not be decided."""
        return [one for one in self.done if one.result in ("failed", "unknown")]

    @property
    def so_far(self) -> str:
        """In one line."""
        return f"sweep: {len(self.done)} of {len(self.chosen.cases)} cases: {self.table.said()}"

    def add(self, case: Case, result: Result, sentence: str = "") -> None:
        """One case is over."""
        self.done.append(Done(case=case, result=result, sentence=sentence))
        self.table.add(case.where, case.what, result)

    def told(self) -> list[str]:
        """For the terminal: a head line, what was left out, the table."""
        head = f"{self.points} points, {len(self.chosen.cases)} cases: {self.table.said()}"
        return [head, *self.notes, *self.table.lines()]


Attempt: TypeAlias = Callable[[Case, Callable[[], Outcome]], Outcome]
"""Runs a case by calling what it is given, once, and hands its outcome on."""
Begin: TypeAlias = Callable[[Swept], Attempt]


def sweep(
    run: Run, extent: Extent, begin: Begin, *, protocol: str = "kafka", virtual: bool = True
) -> Swept:
    """Do it. `begin` is told when the cases are known, and gives what carries each of them out.
    Raises what the clean run raised, if it did not pass."""
    legality.table(protocol)
    seen = observed(run, protocol, extent.where())
    found = singles(seen, protocol, verbs(extent.faults), virtual=virtual)
    if not found:
        raise UsageError(
            f"none of {', '.join(verbs(extent.faults))} can be at "
            f"{', '.join(spot.name for spot in seen.spots)} on this broker: nothing to sweep"
        )
    picked = chosen(found, paired=extent.pairs, budget=extent.budget, seed=extent.seed)
    swept = Swept(seen=seen, chosen=picked)
    swept.notes += [picked.left_out] if picked.left_out else []
    if extent.faults is None:
        swept.notes.append(f"not swept unless named, they may take what was confirmed: {_taking()}")
    _each(run, swept, begin(swept), extent.stop_after)
    _few(swept)
    return swept


def _each(run: Run, swept: Swept, attempt: Attempt, stop_after: int | None) -> None:
    for number, case in enumerate(swept.chosen.cases):
        outcome = attempt(case, lambda case=case: run(case.plan))  # type: ignore[misc]
        swept.add(case, _result(outcome), outcome.sentence)
        if stop_after is not None and len(swept.failed) >= stop_after:
            rest = swept.chosen.cases[number + 1 :]
            for left in rest:
                swept.add(left, "skipped", "not run")
            if rest:
                swept.notes.append(f"stopped after {stop_after} failures: {len(rest)} were not run")
            return


def _result(outcome: Outcome) -> Result:
    if outcome.status == "passed" and not any(outcome.fired):
        return "unfired"
    return outcome.status


def _few(swept: Swept) -> None:
    ran = [one for one in swept.done if one.result != "skipped"]
    fired = [one for one in ran if one.result != "unfired"]
    if len(fired) < FEW * len(ran):
        swept.notes.append(f"few faults took effect: {len(fired)} of {len(ran)}")


def _taking() -> str:
    return ", ".join(TAKING)
