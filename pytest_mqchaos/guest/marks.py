"""The mark: profiles become parameters, mistakes become collection errors where they were made.

A mark of a class or module speaks for those of its tests that have a chaos fixture; on a test
function without one it would do nothing, and that is refused.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import pytest

from pytest_mqchaos.chaos.config import size
from pytest_mqchaos.errors import UsageError, unknown
from pytest_mqchaos.guest import replay, settings
from pytest_mqchaos.history.identity import Identity
from pytest_mqchaos.plan.profiles import expand
from pytest_mqchaos.plan.rules import Plan

FIXTURES = {"kafka_chaos": "kafka"}
FLAGS = ("own_assertions", "may_skip")
SPECS = ("id", "key")
NODES = "nodes"
WORDS = (*SPECS, NODES, *FLAGS)
PLAN = "plan"  # the name of a run whose plan was given, not named


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """One run of a marked test: the profile's name and its plan."""

    name: str
    plan: Plan
    needs: tuple[str, ...] = ()


def parametrize(metafunc: pytest.Metafunc) -> None:
    """One run for each profile that the marks (or the command line) name."""
    wrong, chosen = "", []
    try:
        chosen = _chosen(metafunc)
    except UsageError as error:
        wrong = f"{metafunc.definition.nodeid}: {error}"
    if wrong:  # out of the `except`: the text is all that there is to see
        pytest.fail(wrong, pytrace=False)
    if chosen:
        metafunc.parametrize(
            "mqchaos_plan", chosen, ids=[one.name for one in chosen], indirect=True
        )


def _chosen(metafunc: pytest.Metafunc) -> list[Chosen]:
    definition, config = metafunc.definition, metafunc.config
    marks = list(definition.iter_markers("mqchaos"))
    protocol = next((FIXTURES[n] for n in metafunc.fixturenames if n in FIXTURES), None)
    if protocol is None:
        if any(mark.name == "mqchaos" for mark in definition.own_markers):
            raise UsageError(
                "is marked with mqchaos but uses no chaos fixture: add "
                f"{' or '.join(FIXTURES)} to its arguments, or remove the mark"
            )
        return []
    words(marks)
    plan = settings.plan_of(config)
    if plan is not None:
        return [Chosen(name=PLAN, plan=plan)]
    names = [name for mark in marks for name in mark.args]
    if marks:
        names = settings.profiles_of(config) or names
    found = _named(names, protocol, config)
    kept = replay.plan_for(config, definition.nodeid)
    return found if kept is None else [*found, Chosen(name=PLAN, plan=kept)]


def _named(names: Iterable[object], protocol: str, config: pytest.Config) -> list[Chosen]:
    own = settings.own(config, protocol)
    found: dict[str, Chosen] = {}
    for name in names:
        if not isinstance(name, str):
            raise UsageError(
                f"@pytest.mark.mqchaos({name!r}): a profile is given by its name, such as "
                '"lost-confirm"; a plan of your own goes to chaos.arm(...), or gets a name under '
                "[tool.mqchaos.profiles]"
            )
        for profile in expand(name, protocol, own):
            found[profile.name] = Chosen(
                name=profile.name, plan=profile.plan(), needs=tuple(profile.needs)
            )
    return list(found.values())


def words(marks: Iterable[pytest.Mark]) -> dict[str, Any]:
    """Keyword arguments of all marks; the nearest mark wins. Raises `UsageError` for one that does
    not exist or cannot be."""
    found: dict[str, Any] = {}
    for mark in marks:
        for word, value in mark.kwargs.items():
            if word not in WORDS:
                raise unknown("argument of @pytest.mark.mqchaos", word, WORDS)
            if word in FLAGS and not isinstance(value, bool):
                raise UsageError(f"@pytest.mark.mqchaos({word}={value!r}): must be True or False")
            if word == NODES and value is not None:
                size(value, f"@pytest.mark.mqchaos(nodes={value!r})")
            if word in SPECS and value is not None:
                Identity.parse(value)
            found.setdefault(word, value)
    return found
