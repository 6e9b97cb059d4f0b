"""A plan that fails, made smaller for as long as it still fails: `shrink`.

    nothing at all? --> fewer rules (delta debugging) --> each rule simpler --> again, till it stays

It asks a question about plans and remembers the answers; it must never know what a run is, nor
which rule is simpler than which.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from typing import TypeAlias

from pytest_mqchaos.plan.rules import Plan, Rule

Fails: TypeAlias = Callable[[Plan], bool]
Simpler: TypeAlias = Callable[[Rule], Iterable[Rule]]
"""Rules that do less harm than this one, the mildest first. Whoever goes on from one to one of its
own must come to an end."""


class Spent(Exception):
    """Raised by the question itself: there is no time for another answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shrunk:
    """The smallest plan that was seen to fail. `asked`: answers that were needed. `finished`: no
    rule of it can be left out or be replaced by a simpler one; else there was no budget to know."""

    plan: Plan
    asked: int
    finished: bool


def shrink(
    plan: Plan, fails: Fails, simpler: Simpler = lambda _: (), *, budget: int | None = None,
    likely: Collection[int] = (),
) -> Shrunk:  # fmt: skip
    """Make `plan`, which is known to fail, smaller.

    `fails(candidate)` is asked once for each candidate, `budget` times at most; it may raise
    `Spent`. `likely`: indices of the rules that are the cause if any are (those that took effect),
    asked for together before anything else. The seed stays. The result has failed, or is `plan`.
    """
    search = _Search(plan, fails, budget)
    try:
        finished = search.through(simpler, likely)
    except Spent:
        finished = False
    return Shrunk(plan=search.best, asked=search.asked, finished=finished)


class _Search:
    """The best so far and every answer."""

    def __init__(self, plan: Plan, fails: Fails, budget: int | None) -> None:
        self.best = plan
        self.asked = 0
        self._known = {plan: True}
        self._fails = fails
        self._budget = budget

    def through(self, simpler: Simpler, likely: Collection[int]) -> bool:
        """All of it. Raises `Spent`."""
        if self._fail(()):
            return True  # it needs no fault to fail
        if likely:
            self._fail(tuple(rule for n, rule in enumerate(self.best.rules) if n in likely))
        before = None
        while before != self.best:
            before = self.best
            self._fewer()
            self._milder(simpler)
        return True

    def _fail(self, rules: tuple[Rule, ...]) -> bool:
        """Whether these fail; if so, they are the best."""
        plan = Plan(*rules, seed=self.best.seed)
        if plan not in self._known:
            if self.asked == self._budget:
                raise Spent
            self._known[plan] = self._fails(plan)
            self.asked += 1
        if self._known[plan]:
            self.best = plan
        return self._known[plan]

    def _fewer(self) -> None:
        """Delta debugging by what is left out: halves, then quarters, at last single rules, these
        until none of them can go. Its other question, whether a small piece fails by itself, is
        left out: a piece that has a whole cause in it remains when its surroundings go."""
        size = max(1, len(self.best.rules) // 2)
        while True:
            gone = self._without(size)
            if size > 1:
                size //= 2
            elif not gone:
                return

    def _without(self, size: int) -> bool:
        start, gone = 0, False
        while start < len(self.best.rules):
            rules = self.best.rules
            if self._fail(rules[:start] + rules[start + size :]):
                gone = True
            else:
                start += size
        return gone

    def _milder(self, simpler: Simpler) -> None:
        """Each rule by itself, down to where every simpler one passes."""
        index = 0
        while index < len(self.best.rules):
            before, after = self.best.rules[:index], self.best.rules[index + 1 :]
            if not any(
                self._fail((*before, other, *after)) for other in simpler(self.best.rules[index])
            ):
                index += 1
