"""`assert_same_outcome()` without a baseline: compared with the run without faults that whoever
runs the scenario makes.

It knows when it is asked and what of; it must never know how a run is made.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Protocol

from pytest_mqchaos.chaos.running import BY_TEST
from pytest_mqchaos.checkers.evidence.fault_free import Baseline
from pytest_mqchaos.checkers.registry import checker
from pytest_mqchaos.errors import UsageError

if TYPE_CHECKING:
    from pytest_mqchaos.chaos.roles import Run
    from pytest_mqchaos.checkers.verdict import Verdict
    from pytest_mqchaos.history.history import History

_NOBODY = (
    "assert_same_outcome() has nothing to compare with: nobody can run this test once more without "
    "its faults. Give what it ends with, baseline={id: value of its effect}, or ask in a scenario "
    "that simulate(), mqchaos_sweep or mqchaos_search runs"
)
_ARMED = (
    "assert_same_outcome() compares with the same scenario without faults, but this scenario arms "
    "rules itself: give them as plan= of what runs it, or say baseline={id: value of its effect}"
)
_CRASHED = (
    "assert_same_outcome() compares with the same scenario without faults, but this scenario "
    "crashes a worker itself, and would do so without faults, too: let a rule do it, in the plan= "
    "of what runs it, such as Plan(on.ack(nth=1).crash_worker()), or say baseline={id: value of "
    "its effect}"
)


class FaultFreeRuns(Protocol):
    """Whoever runs a scenario, with and without faults. `wants`: the run that asks is given up,
    because another one must come before it."""

    wants: bool

    def asked(self, history: History) -> Baseline:
        """What the run without faults had come to at this question."""

    def doubted(self) -> None:
        """The two differ: a second run without faults shows whether that says anything."""


def compared(chaos: Run, runs: FaultFreeRuns | None, options: Mapping[str, Any]) -> Verdict:
    """Answer it. Raises UsageError where there can be no run without faults."""
    if runs is not None and len(chaos.armed) > len(chaos.plan.rules):
        raise UsageError(_ARMED)
    crashed = any(event.cause == BY_TEST for event in chaos.crew.events)
    if runs is None and (chaos.armed or crashed):
        raise UsageError(_NOBODY)
    if crashed:
        raise UsageError(_CRASHED)
    history = chaos.history
    baseline = Baseline(history=history) if runs is None else runs.asked(history)
    verdict = chaos.judged(checker("same_outcome", **{**options, "baseline": baseline}))
    if runs is not None and verdict.status != "passed":
        runs.doubted()
    return verdict
