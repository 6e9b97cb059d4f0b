"""How often one failure shows: `Rate`, and how many runs it takes not to miss it.

It knows outcomes by their status and their question; it must never know plans.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from pytest_mqchaos.search.runner import Outcome

_SURE = 0.9  # that a candidate which fails as often as its origin is seen to fail


def kind(outcome: Outcome) -> str:
    """What failed: the question of the first failed verdict, else the error's type. Two failures of
    one kind are taken for the same; "" if it did not fail."""
    if outcome.status != "failed" or outcome.error is None:
        return ""
    failed = (verdict.question for verdict in outcome.verdicts if verdict.status == "failed")
    return next(failed, type(outcome.error).__name__)


@dataclass(slots=True, kw_only=True)
class Rate:
    """Runs of one plan. `failed`: with this failure; `otherwise`: with another one; `undecided`: no
    answer (an unknown verdict, a skip), which is neither a failure nor a pass."""

    failed: int = 0
    passed: int = 0
    otherwise: int = 0
    undecided: int = 0

    def add(self, outcome: Outcome, meant: str) -> bool:
        """Count one run; whether it failed as `meant`."""
        same = kind(outcome) == meant
        if outcome.status == "passed":
            self.passed += 1
        elif outcome.status != "failed":
            self.undecided += 1
        elif same:
            self.failed += 1
        else:
            self.otherwise += 1
        return same

    @property
    def decided(self) -> int:
        """Runs that ended with an answer."""
        return self.failed + self.passed + self.otherwise

    @property
    def runs(self) -> int:
        """All of them."""
        return self.decided + self.undecided

    def enough(self, sure: float = _SURE) -> int:
        """So many runs of a plan that fails as often as this one are `sure` to show it. Two runs
        more are assumed, one of each sort: few runs prove little."""
        share = (self.failed + 1) / (self.decided + 2)
        return max(1, math.ceil(math.log(1 - sure) / math.log(1 - share)))

    def __str__(self) -> str:
        """`9/10`, `7/9 (1 more failed in another way, 1 could not be decided)`."""
        more = [f"{self.otherwise} failed in another way"] if self.otherwise else []
        more += [f"{self.undecided} more could not be decided"] if self.undecided else []
        return f"{self.failed}/{self.decided}" + (f" ({', '.join(more)})" if more else "")
