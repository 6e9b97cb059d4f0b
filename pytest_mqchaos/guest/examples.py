"""Property tests: what `@given` is told of chaos, and what each example of one is told of its test.

It knows pytest's items and Hypothesis's settings by their names; it must never import Hypothesis.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from typing import Any

import pytest

from pytest_mqchaos.guest.marks import FIXTURES
from pytest_mqchaos.guest.settings import given_of
from pytest_mqchaos.guest.stash import EXAMPLES, REPLAYED
from pytest_mqchaos.plan.rules import Plan
from pytest_mqchaos.search.given import Given, brought, checksum
from pytest_mqchaos.search.place import here

SEARCH = "pytest_mqchaos.search"
_DEFAULT = timedelta(milliseconds=200)  # Hypothesis's own: nobody has asked for it
_SETTINGS = "_hypothesis_internal_use_settings"  # as Hypothesis's own pytest plugin sets them
_MACHINE = "_hypothesis_state_machine_class"  # on what runs it

TOLD: pytest.StashKey[bool] = pytest.StashKey()
"""On an item: Hypothesis prints its own words on how to reproduce because the user wants it to."""


@contextmanager
def prepared(item: pytest.Item) -> Iterator[None]:
    """While this property test runs: no deadline for an example in which brokers die and no phase
    that explains, unless the user has set them; Hypothesis says what a failing example was drawn
    from; and it runs the one example that is replayed, if one is."""
    test = subject(item)
    if not _of_chaos(item, test):
        yield
        return
    given = given_for(item)
    with ExitStack() as stack:
        stack.enter_context(_patient(item, test))
        if given is not None:
            stack.enter_context(brought(test, given))
        else:
            item.stash[EXAMPLES] = True
        yield


def subject(item: pytest.Item) -> Any:
    """What Hypothesis draws for: the test function, or the state machine of a test case."""
    test = getattr(item, "obj", None)
    return getattr(test, _MACHINE, None) or getattr(test, "__func__", test)


@contextmanager
def _patient(item: pytest.Item, test: Any) -> Iterator[None]:
    holder, name = (
        (getattr(item, "cls", None), "settings") if _is_machine(test) else (test, _SETTINGS)
    )
    own = getattr(holder, name, None)
    if own is None:
        yield
        return
    item.stash[TOLD] = own.print_blob
    hypothesis: Any = sys.modules["hypothesis"]
    more: dict[str, Any] = {"deadline": None} if own.deadline == _DEFAULT else {}
    if own.phases == tuple(hypothesis.Phase):  # nobody has chosen: explaining takes most of a
        # failure's time, and what it finds are lines of clients and of ours
        more["phases"] = tuple(one for one in own.phases if one.name != "explain")
    kind = hypothesis.settings
    setattr(holder, name, kind(parent=own, print_blob=True, **more))
    try:
        yield
    finally:
        setattr(holder, name, own)


def given_for(item: pytest.Item) -> Given | None:
    """The drawn arguments with which this test is to run, and no others."""
    kept = item.stash.get(REPLAYED, None)
    given = given_of(item.config) if kept is None else kept.given
    return given if given is not None and given.of == checksum(subject(item)) else None


def _of_chaos(item: pytest.Item, test: Any) -> bool:
    """It has one of our brokers, or its module has `plans`, `simulate` or one of the like."""
    wanted = {name for fixture in FIXTURES for name in (fixture, f"{fixture}_broker")}
    if wanted.intersection(getattr(item, "fixturenames", ())):
        return True
    if _is_machine(test):
        return any(one.__module__.startswith(SEARCH) for one in test.__mro__)
    known = getattr(test.hypothesis.inner_test, "__globals__", {})
    return any(str(getattr(one, "__module__", "")).startswith(SEARCH) for one in known.values())


def _is_machine(test: object) -> bool:
    return isinstance(test, type)


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
