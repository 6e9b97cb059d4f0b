"""A search on brokers that may answer differently each time: `hunt`.

    clean run --> plans of what it touched --> one that fails, again --> shrunk --> its rate

It knows the order of things and how sure one can be; it must never know how a scenario is run, nor
pytest. What could not be decided counts neither as a failure nor as a pass.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from pytest_mqchaos.errors import UsageError
from pytest_mqchaos.plan.rules import Plan
from pytest_mqchaos.search.bounds import Bounds, plans, possible
from pytest_mqchaos.search.hunted import Found, Hunted
from pytest_mqchaos.search.narrowing import Wanted
from pytest_mqchaos.search.points import Observed, observed
from pytest_mqchaos.search.rate import Rate
from pytest_mqchaos.search.runner import Outcome
from pytest_mqchaos.search.shrink import Simpler, Spent, shrink
from pytest_mqchaos.search.simpler import simpler

Run: TypeAlias = Callable[[Plan], Outcome]
_LAST = 0.2  # of the seconds are kept for the rate of the result


def hunt(
    run: Run, bounds: Bounds, given: Wanted, *, clock: Callable[[], float],
    begin: Callable[[Hunted], Callable[[], None]], same: bool = False,
) -> Hunted:  # fmt: skip
    """Do it. `begin` is told what will hold the results, also after a Ctrl-C, and gives what is
    called before each run. `same`: a plan gives the same result each time. Raises what the clean
    run raised, if it did not pass, and UsageError for what cannot be searched."""
    hunted = Hunted(bounds=bounds)
    search = _Search(run, hunted, clock, begin(hunted), same=same)
    seen = observed(search.clean, given.broker, given.points)
    hunted.points, hunted.clean.passed = seen.count, hunted.clean.passed + 1
    search.plans(seen, given)
    best = hunted.best
    if best is not None:
        hunted.found = best
        search.settle(best)
    hunted.stage = ""
    return hunted


class _Search:
    """The runs and what they are counted as."""

    def __init__(
        self, run: Run, hunted: Hunted, clock: Callable[[], float], tell: Callable[[], None], *,
        same: bool,
    ) -> None:  # fmt: skip
        self._run, self._clock, self._tell, self._same = run, clock, tell, same
        self._hunted = hunted
        bounds = hunted.bounds
        self._limit = max(1, bounds.budget - bounds.times)
        seconds = float("inf") if bounds.seconds is None else bounds.seconds
        self._began, self._seconds = clock(), seconds * (1 - _LAST)

    def clean(self, plan: Plan) -> Outcome:
        """The run without any fault, which no limit stops."""
        self._tell()
        self._hunted.runs += 1
        return self._run(plan)

    def plans(self, seen: Observed, given: Wanted) -> None:
        """Draw until one is found that fails often enough, and make it as small as it can be."""
        hunted, bounds = self._hunted, self._hunted.bounds
        legal = possible(seen, given)
        hunted.stage = "drawn plans"
        try:
            for plan in plans(seen, given, legal, bounds, again=not self._same):
                found = self._tried(plan)
                if found is not None:
                    hunted.found = found
                    self._shrunk(found, lambda rule: simpler(rule, legal))
                    return
        except Spent:
            hunted.ended = self._why()

    def settle(self, found: Found) -> None:
        """Run the result again, with what was kept for this: its rate."""
        hunted, bounds = self._hunted, self._hunted.bounds
        hunted.stage = "rate"
        self._limit = max(bounds.budget, self._limit)
        self._seconds = float("inf") if bounds.seconds is None else bounds.seconds
        meant = found.meant
        try:
            for _ in range(bounds.times):
                outcome = self._once(found.plan)
                if self._same_failure(outcome, meant, found.rate):
                    found.outcome = outcome
        except Spent:
            hunted.ended = hunted.ended or self._why()

    def _once(self, plan: Plan) -> Outcome:
        if self._hunted.runs >= self._limit or self._clock() - self._began >= self._seconds:
            raise Spent
        outcome = self.clean(plan)
        if isinstance(outcome.error, UsageError):
            raise outcome.error  # asked for what cannot be: no failure of the service
        return outcome

    def _same_failure(self, outcome: Outcome, meant: str, rate: Rate) -> bool:
        """Count it; another failure is not this one, and not forgotten either."""
        same = rate.add(outcome, meant)
        if outcome.status == "failed" and not same:
            self._hunted.others[outcome.sentence] = None
        return same

    def _why(self) -> str:
        bounds = self._hunted.bounds
        late = self._clock() - self._began >= self._seconds
        of = f"{bounds.seconds:g} seconds" if late else f"{bounds.budget} runs"
        return f"its budget of {of}"

    def _tried(self, plan: Plan) -> Found | None:
        """Run it; one that fails again and again, until it is known to be often enough or not."""
        hunted, bounds = self._hunted, self._hunted.bounds
        outcome = self._once(plan)
        hunted.drawn += 1
        hunted.effective += any(outcome.fired)
        hunted.skipped += outcome.status == "skipped"
        if outcome.status == "unknown":
            hunted.undecided.append(outcome)
        if outcome.status != "failed":
            return None
        found = Found(plan=plan, outcome=outcome, first=plan, number=hunted.drawn, seen=Rate())
        found.seen.add(outcome, found.meant)
        hunted.seldom.append(found)  # until it is known to be more
        while found.seen.failed < bounds.least:
            if found.seen.failed + bounds.times - found.seen.runs < bounds.least:
                return None
            again = self._once(plan)
            if self._same_failure(again, found.meant, found.seen):
                found.outcome = again
        hunted.seldom.remove(found)
        return found

    def _shrunk(self, found: Found, milder: Simpler) -> None:
        hunted, meant, before = self._hunted, found.meant, self._hunted.runs
        hunted.stage = "shrinking"
        times = 1 if self._same else min(found.seen.enough(), hunted.bounds.times)

        def fails(plan: Plan) -> bool:
            for _ in range(times):
                try:
                    outcome = self._once(plan)
                finally:
                    found.shrinking = hunted.runs - before
                if self._same_failure(outcome, meant, hunted.clean if not plan.rules else Rate()):
                    found.plan, found.outcome = plan, outcome
                    return True
            return False

        fired = [n for n, count in enumerate(found.outcome.fired) if count]
        done = shrink(found.plan, fails, milder, likely=fired)
        found.smallest = done.finished
        if not done.finished:
            hunted.ended = self._why()
