"""What the fixtures that run a scenario many times have in common: where it runs, how it fails.

It knows pytest's fixtures and the session's brokers; it must never know why a plan is run.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import pytest

from pytest_mqchaos.errors import MqchaosError, UsageError, VerdictFailed
from pytest_mqchaos.guest import settings
from pytest_mqchaos.guest.stash import REPLAYED, SIMULATED
from pytest_mqchaos.search.rate import Rate
from pytest_mqchaos.search.runner import Outcome, asynchronous

if TYPE_CHECKING:
    from pytest_mqchaos.chaos.host import ChaosBroker
    from pytest_mqchaos.plan.rules import Plan

SURE, MOST = 0.99, 50  # that a stored failure would have come again; runs to be so
VIRTUAL = ("settings", "real")  # words that only virtual time understands


def host_for(
    request: pytest.FixtureRequest, scenario: object, broker: str
) -> ChaosBroker | None:  # fmt: skip
    """The session's broker; None: in virtual time. Raises UsageError for a broker we have not."""
    if asynchronous(scenario) and settings.kind_of(request.config) == "embedded":
        return None
    try:
        host: ChaosBroker = request.getfixturevalue(f"{broker}_chaos_broker")
    except pytest.FixtureLookupError:
        raise UsageError(f"broker={broker!r}: this version has kafka") from None
    return host


def virtual(what: str, host: ChaosBroker | None, given: Mapping[str, Any]) -> dict[str, Any]:
    """The words that are only for virtual time, there; elsewhere none. Raises UsageError where
    they were given in vain; `what` is running."""
    if host is None:
        return dict(given)
    for name in VIRTUAL:
        if given[name]:
            raise UsageError(
                f"{name}={given[name]!r} is for virtual time; this {what} runs over sockets"
            )
    return {}


def replayed(item: pytest.Item, once: Callable[[Plan], Outcome], plan: Plan) -> None:
    """The run of a plan that was given, as its replay line says. A stored failure that came r of k
    times is no other because it does not come once: it has to pass so often that this is none."""
    kept = item.stash.get(REPLAYED, None)
    for _ in range(1 if kept is None else _turns(kept.rate)):
        outcome = once(plan)
        if outcome.chaos is not None:
            item.stash[SIMULATED] = outcome.chaos
        if outcome.error is not None:
            raise as_failure(outcome) from None


def _turns(rate: tuple[int, int] | None) -> int:
    if rate is None:
        return 1
    failed, of = rate
    return min(MOST, Rate(failed=failed, passed=of - failed).enough(SURE))


def as_failure(outcome: Outcome) -> BaseException:
    """Its error; one of ours that is no verdict is told with the plan and its replay line."""
    error, chaos = outcome.error, outcome.chaos
    assert error is not None
    if isinstance(error, MqchaosError) and chaos is not None:
        told = VerdictFailed(f"{outcome.sentence}\n\n{error}\n\n{chaos.telling.summary(chaos)}")
        told.__cause__ = error
        return told
    return error
