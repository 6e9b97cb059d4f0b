"""Failures are kept until they pass, and run again: `.mqchaos/failures/`, --mqchaos-replay.

A test with several stored failures (a sweep's cases, a property test's examples) runs once for
each. One under a profile is found again by its node id; one under a plan of its own
(`--mqchaos-plan`) has a node id that only exists while that plan is given, so the plan is given to
its test function again.
"""

from __future__ import annotations

import os
import platform
import re
from dataclasses import replace
from importlib.metadata import version
from typing import TYPE_CHECKING

import pytest

from pytest_mqchaos.errors import MqchaosError, UsageError
from pytest_mqchaos.guest.stash import FIXED, REPLAYED, UNSURE
from pytest_mqchaos.search.failure import Failure
from pytest_mqchaos.search.given import Given, same_version
from pytest_mqchaos.search.store import Store

if TYPE_CHECKING:
    from pytest_mqchaos.chaos.roles import Run
    from pytest_mqchaos.plan.rules import Plan

LONGEST = 1500  # letters of a token on a command line; a longer one is named by its file
WITHOUT = pytest.StashKey[list[Failure]]()
"""On the config: the failures to be replayed whose tests were not collected."""
_FAILED = pytest.StashKey[bool]()
_CLIENT = re.compile(r"^(.+?)-(\d[\w.+-]*)$")


def store(config: pytest.Config) -> Store:
    """Where failures are kept."""
    return Store(directory=config.rootpath / ".mqchaos" / "failures")


def nodeid_of(item: pytest.Item) -> str:
    """The node id of a test, also of one that runs a second stored failure."""
    kept = item.stash.get(REPLAYED, None)
    return item.nodeid if kept is None else kept.nodeid


def near(item: pytest.Item) -> str:
    """The same as pytest takes it from the directory in which it was started."""
    path, mark, rest = nodeid_of(item).partition("::")
    there = os.path.relpath(item.config.rootpath / path, item.config.invocation_params.dir)
    return f"{there}{mark}{rest}"


def failure(
    item: pytest.Item, chaos: Run, *, sentence: str = "", rate: tuple[int, int] | None = None,
    given: Given | None = None,
) -> Failure:  # fmt: skip
    """What is to be kept of a run of this test."""
    kept = item.stash.get(REPLAYED, None)
    made = Failure(
        nodeid=nodeid_of(item), plan=chaos.plan, given=given, broker=chaos.host.kind,
        broker_version=chaos.host.version, nodes=chaos.nodes, versions=_versions(chaos),
        sentence=sentence, rate=rate,
    )  # fmt: skip
    return made if kept is None else replace(made, plan=kept.plan, given=kept.given)


def _versions(chaos: Run) -> dict[str, str]:
    found = {"pytest-mqchaos": version("pytest-mqchaos"), "python": platform.python_version()}
    for client in _clients(chaos):
        named = _CLIENT.match(client)
        found[named[1] if named else client] = named[2] if named else ""
    return found


def _clients(chaos: Run) -> tuple[str, ...]:
    try:
        return chaos.view.clients()
    except MqchaosError:  # with the data plane the history is gone; what died is being told
        return ()


def arguments(item: pytest.Item, chaos: Run, given: Given | None) -> list[str]:
    """What pytest is called with to see this failure again: the node id first."""
    found = chaos.telling.arguments(chaos)
    if not found or given is None:
        return found
    made = failure(item, chaos, given=given)
    plan = made.token
    if len(plan) > LONGEST:
        path = store(item.config).directory / f"{made.name}.json"
        plan = os.path.relpath(path, item.config.invocation_params.dir)
    others = [one for one in found[1:] if not one.startswith("--mqchaos-plan=")]
    return [found[0], f"--mqchaos-plan={plan}", *others]


def keep(item: pytest.Item, made: Failure) -> None:
    """Write it down; what has failed once in this session is not fixed when a rerun passes."""
    item.stash[_FAILED] = True
    store(item.config).keep(made)


def passed(item: pytest.Item, chaos: Run | None, report: pytest.TestReport) -> None:
    """Drop a stored failure that passes now, and say so; say why if that is no proof."""
    kept = item.stash.get(REPLAYED, None)
    if kept is None or not report.passed or _FAILED in item.stash:
        return
    told = f"{kept.nodeid} ({kept.told})"
    doubt = _doubt(kept, chaos)
    if doubt:
        line = f"PASSED, NOT FIXED {told}: {doubt}: kept as {kept.name}"
        report.user_properties.append((UNSURE, line))
        return
    store(item.config).drop(kept)
    report.user_properties.append((FIXED, f"FIXED {told}"))


def _doubt(kept: Failure, chaos: Run | None) -> str:
    if chaos is None:
        return "no chaos was seen in it"
    armed = chaos.last_history.rules
    if (kept.plan.rules or armed) and not any(rule.fired for rule in armed):
        return "no rule of its plan took effect"
    if kept.broker != chaos.host.kind:
        return f"it failed on --mqchaos-broker={kept.broker}, this was {chaos.host.kind}"
    if kept.given is not None and not same_version(kept.given):
        return f"its arguments were drawn by Hypothesis {kept.given.version}, this is another"
    return ""


# ------------------------------------------------------------------------------------- replaying


def wanted(config: pytest.Config) -> tuple[Failure, ...]:
    """The stored failures that are to be run. Raises `UsageError` for what cannot be read."""
    only = config.getoption("mqchaos_replay_only")
    if only:
        found = [one for name in only for one in store(config).named(name)]
        return tuple({one.name: one for one in found}.values())
    return store(config).all() if config.getoption("mqchaos_replay") else ()


def plan_for(config: pytest.Config, function: str) -> Plan | None:
    """The plan of its own under which a test function failed, when failures are replayed."""
    own = (kept for kept in wanted(config) if kept.nodeid.startswith(f"{function}[plan"))
    return next((kept.plan for kept in own), None)


def first(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Put the stored failures before the other tests, or in their place (--mqchaos-replay-only)."""
    try:
        known: dict[str, list[Failure]] = {}
        for kept in wanted(config):
            known.setdefault(kept.nodeid, []).append(kept)
    except UsageError as error:
        raise pytest.UsageError(str(error)) from None
    there = {item.nodeid for item in items}
    config.stash[WITHOUT] = [one for test in known if test not in there for one in known[test]]
    again = [_under(item, kept) for item in items for kept in known.get(item.nodeid, ())]
    others = [item for item in items if item.nodeid not in known]
    if not config.getoption("mqchaos_replay_only"):
        items[:] = [*again, *others]
        return
    config.hook.pytest_deselected(items=others)
    items[:] = again


def without_test(config: pytest.Config) -> list[str]:
    """A line for each failure that could not be replayed."""
    return [
        f"mqchaos: {one.name} was not replayed, its test is not among these: {one.nodeid} (gone? "
        f"`mqchaos replay {one.name} --drop`)"
        for one in config.stash.get(WITHOUT, [])
    ]


def _under(item: pytest.Item, kept: Failure) -> pytest.Item:
    """The test, to be run under a stored failure; one more of it where it has another already."""
    if REPLAYED in item.stash:
        item = _another(item, kept.name)
    item.stash[REPLAYED] = kept
    return item


def _another(item: pytest.Item, name: str) -> pytest.Item:
    assert isinstance(item, pytest.Function)
    made = type(item).from_parent(  # as pytest-asyncio does
        item.parent, name=f"{item.name}@{name}", callspec=getattr(item, "callspec", None),
        callobj=item.obj, fixtureinfo=item._fixtureinfo, keywords=item.keywords,  # noqa: SLF001
        originalname=item.originalname,
    )  # fmt: skip
    made.own_markers = item.own_markers
    return made
