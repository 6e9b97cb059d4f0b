"""How a property test fares with a service: what it finds and shrinks, or how much it survives."""

import time
from contextlib import suppress
from dataclasses import dataclass

from hypothesis import Phase, given, settings

from pytest_mqchaos import Plan, simulate
from tests.search.planted.pairs import BATCH, scenario_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """`first`: the example that failed first, counted from 1, None if none did. `runs`: with those
    of shrinking. `seconds`: of this process's own work. `plan` and `batch` are the last that
    failed, which are the smallest; `error` is what they failed with."""

    first: int | None
    runs: int
    seconds: float
    plan: Plan
    batch: tuple
    error: BaseException | None

    def __str__(self):
        if self.first is None:
            return f"survived {self.runs} examples in {self.seconds:.0f} s"
        what = str(self.error).partition("\n")[0]
        ids = ", ".join(message.id for message in self.batch)
        return (
            f"found by example {self.first}, shrunk in {self.runs - self.first} runs, "
            f"{self.seconds:.1f} s, to {self.plan!r} with [{ids}]: {type(self.error).__name__}: "
            f"{what}"
        )


def search(service, count, strategy, *, shrink=True, batch=BATCH):
    """Draw `count` plans and batches for the service, and shrink the first that fails."""
    seen, began = [], time.process_time()
    phases = [Phase.generate, Phase.shrink] if shrink else [Phase.generate]

    @settings(
        max_examples=count, database=None, deadline=None, derandomize=True, phases=phases,
        report_multiple_bugs=False,
    )  # fmt: skip
    @given(plan=strategy, batch=batch)
    def holds(plan, batch):
        try:
            simulate(scenario_of(service, batch), plan=plan)
        except BaseException as error:
            seen.append((plan, batch, error))
            raise
        seen.append((plan, batch, None))

    with suppress(Exception):
        holds()
    return _told(seen, time.process_time() - began)


def _told(seen, seconds):
    failed = [(number, *each) for number, each in enumerate(seen, 1) if each[-1] is not None]
    _, plan, batch, error = failed[-1] if failed else (0, Plan(), (), None)
    return Found(
        first=failed[0][0] if failed else None, runs=len(seen), seconds=seconds, plan=plan,
        batch=tuple(batch), error=error,
    )  # fmt: skip
