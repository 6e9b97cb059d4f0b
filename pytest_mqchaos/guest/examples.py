"""Property tests: what `@given` is told of chaos, and what each example of one is told of its test.

It knows pytest's items and Hypothesis's settings by their names; it must never import Hypothesis.
"""

from __future__ import annotations

import sys
from datetime import timedelta
from typing import Any

import pytest

from pytest_mqchaos.guest.marks import FIXTURES
from pytest_mqchaos.plan.rules import Plan
from pytest_mqchaos.search.place import here

SEARCH = "pytest_mqchaos.search"
_DEFAULT = timedelta(milliseconds=200)  # Hypothesis's own: nobody has asked for it
_SETTINGS = "_hypothesis_internal_use_settings"  # as Hypothesis's own pytest plugin sets them


def patient(item: pytest.Item) -> None:
    """No deadline for an example in which brokers die, unless the user has set one."""
    test = getattr(item, "obj", None)
    if not getattr(test, "is_hypothesis_test", False) or not _of_chaos(item, test):
        return
    test = getattr(test, "__func__", test)
    settings = getattr(test, _SETTINGS, None)
    if settings is not None and settings.deadline == _DEFAULT:
        kind: Any = sys.modules["hypothesis"].settings
        setattr(test, _SETTINGS, kind(parent=settings, deadline=None))


def _of_chaos(item: pytest.Item, test: Any) -> bool:
    """It has one of our brokers, or its module has `plans`, `simulate` or one of the like."""
    wanted = {name for fixture in FIXTURES for name in (fixture, f"{fixture}_broker")}
    if wanted.intersection(getattr(item, "fixturenames", ())):
        return True
    known = getattr(test.hypothesis.inner_test, "__globals__", {})
    return any(str(getattr(one, "__module__", "")).startswith(SEARCH) for one in known.values())


def arranged(plan: Plan, settings: dict[str, Any]) -> tuple[Plan, dict[str, Any]]:
    """The plan and the settings of an example's Chaos: --mqchaos-plan replaces its plan, and its
    report says how to replay it."""
    place = here()
    if place is None or "telling" in settings:
        return plan, settings
    given = plan if place.plan is None else place.plan
    if given.rules and not given.seed:
        given = Plan(*given.rules, seed=place.seed)
    return given, {**settings, "telling": place.telling}
