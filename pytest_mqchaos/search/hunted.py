"""What a search has shown so far, as data and as lines for people: `Hunted`.

It knows plans and how often they failed; it must never know how they were run. A rate that is told
is of fresh runs, none of which had a say in choosing the plan.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from pytest_mqchaos.plan.rules import Plan
from pytest_mqchaos.search.bounds import Bounds
from pytest_mqchaos.search.rate import Rate, kind
from pytest_mqchaos.search.runner import Outcome

_FEW = 0.5  # of the plans take effect: below, the report says so


@dataclass(slots=True, kw_only=True)
class Found:
    """The failure that is told. `plan`: as small as it has become, `outcome`: a failing run of it;
    `first`: as it was drawn, `number`: as which plan, `seen`: how often it failed then. `rate`: of
    fresh runs of `plan`, none of which had a say in choosing it."""

    plan: Plan
    outcome: Outcome
    first: Plan
    number: int
    seen: Rate
    rate: Rate = field(default_factory=Rate)
    shrinking: int = 0
    smallest: bool = False

    @property
    def meant(self) -> str:
        """See `rate.kind`."""
        return kind(self.outcome)

    @property
    def often(self) -> Rate:
        """The fresh runs, or those that found it where there was no time for any."""
        return self.rate if self.rate.decided else self.seen

    @property
    def share(self) -> tuple[int, int]:
        """The same as numbers: so many failed, of so many."""
        return self.often.failed, self.often.decided


@dataclass(slots=True, kw_only=True)
class Hunted:
    """What a search has shown so far. `runs`: all of them; `drawn`, `effective`: plans, and those
    of which a rule took effect; `clean`: runs without any fault, `seldom`: plans that failed less
    often than `least`; `undecided`: runs that gave no answer; `others`: what
    else failed while one failure was looked at; `ended`: what ended it early."""

    bounds: Bounds
    points: int = 0
    runs: int = 0
    drawn: int = 0
    effective: int = 0
    stage: str = "clean run"
    clean: Rate = field(default_factory=Rate)
    found: Found | None = None
    seldom: list[Found] = field(default_factory=list)
    undecided: list[Outcome] = field(default_factory=list)
    skipped: int = 0
    others: dict[str, None] = field(default_factory=dict)
    ended: str = ""

    @property
    def best(self) -> Found | None:
        """What was found; else the plan that failed most often, if any ever did."""
        often = sorted(self.seldom, key=lambda one: one.often.failed / one.often.decided)
        return self.found or (often[-1] if often else None)

    @property
    def unsure(self) -> bool:
        """Nothing failed, but most plans gave no answer either: that is no pass."""
        return self.best is None and len(self.undecided) > (1 - _FEW) * self.drawn

    @property
    def so_far(self) -> str:
        """In one line."""
        best = self.best
        found = f": {_faults(len(best.plan.rules))}" if best else ""
        return f"search: {self.stage}, {self.runs} of {self.bounds.budget} runs{found}"

    def told(self) -> list[str]:
        """For the terminal, the head line first."""
        head = f"{self.runs} runs, {self.drawn} plans at {self.points} points: "
        best = self.best
        if best is None:
            return [f"{head}none failed", *self._notes()]
        return [f"{head}failed", self._shrinking(best), self.rate(best), *self._notes()]

    def rate(self, found: Found) -> str:
        """`reproduced 9/10 by the search; without any fault 0/4`."""
        late = "when it was found; no run was left for more"
        when = "by the search" if found.rate.decided else late
        clean = f"; without any fault {self.clean}" if found.plan.rules else " without any fault"
        return f"reproduced {found.often} {when}{clean}"

    def _shrinking(self, found: Found) -> str:
        head = f"plan {found.number} failed {found.seen}"
        before, after = len(found.first.rules), len(found.plan.rules)
        if not found.shrinking:
            return f"{head}; not shrunk: {before} faults" if before > 1 else head
        text = (
            f"{head}; shrunk from {_faults(before)} to {_faults(after)} in {found.shrinking} runs"
        )
        return text if found.smallest else f"{text}, not to the end: it may need less"

    def _notes(self) -> Iterator[str]:
        others = [one for one in self.seldom if one is not self.best]
        if others:
            yield (
                f"{len(others)} more failed, but less often than {self.bounds.least} of "
                f"{self.bounds.times} times: {', '.join(str(one.often) for one in others)}"
            )
        if self.undecided:
            yield (
                f"{len(self.undecided)} could not be decided, which is neither a failure nor a "
                f"pass: {self.undecided[0].sentence}"
            )
        for sentence in self.others:
            yield f"another failure on the way: {sentence}"
        if self.skipped:
            yield f"{self.skipped} were skipped by the scenario"
        if self.effective < _FEW * self.drawn:
            yield f"few plans took effect: {self.effective} of {self.drawn}"
        if self.ended:
            yield f"ended by {self.ended}; seed {self.bounds.seed}"


def _faults(count: int) -> str:
    return "1 fault" if count == 1 else f"{count or 'no'} faults"
