"""The mark: profiles become parameters, mistakes become collection errors where they were made."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import pytest

from pytest_mqchaos.errors import UsageError, unknown
from pytest_mqchaos.guest import settings
from pytest_mqchaos.plan.profiles import expand
from pytest_mqchaos.plan.rules import Plan

FIXTURES = {"kafka_chaos": "kafka"}
WORDS = ("id", "key", "own_assertions", "may_skip")


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """One run of a marked test: the profile's name ("" for none) and its plan."""

    name: str
    plan: Plan
    needs: tuple[str, ...] = ()


def _protocol(names: Iterable[str]) -> str | None:
    return next((FIXTURES[name] for name in names if name in FIXTURES), None)


def parametrize(metafunc: pytest.Metafunc) -> None:
    """One run for each profile that the marks (or the command line) name."""
    wrong, chosen = "", []
    try:
        chosen = _chosen(metafunc)
    except UsageError as error:
        wrong = str(error)
    if wrong:
        pytest.fail(wrong, pytrace=False)
    if chosen:
        metafunc.parametrize(
            "mqchaos_plan", chosen, ids=[one.name for one in chosen], indirect=True
        )


def _chosen(metafunc: pytest.Metafunc) -> list[Chosen]:
    config = metafunc.config
    protocol = _protocol(metafunc.fixturenames) or "kafka"
    names = [name for mark in metafunc.definition.iter_markers("mqchaos") for name in mark.args]
    given = [part.strip() for one in config.getoption("mqchaos_profile") for part in one.split(",")]
    token = config.getoption("mqchaos_plan")
    if token is not None:
        return [Chosen(name="plan", plan=Plan.from_text(token))]
    marked = any(True for _ in metafunc.definition.iter_markers("mqchaos"))
    words(list(metafunc.definition.iter_markers("mqchaos")))
    if given and marked:
        names = given
    own = settings.own(config, protocol)
    found: dict[str, Chosen] = {}
    for name in names:
        if not isinstance(name, str):
            raise UsageError(f"@pytest.mark.mqchaos({name!r}): a profile is given by its name")
        for profile in expand(name, protocol, own):
            found[profile.name] = Chosen(
                name=profile.name, plan=profile.plan(), needs=tuple(profile.needs)
            )
    return list(found.values())


def words(marks: list[pytest.Mark]) -> dict[str, Any]:
    """Keyword arguments of all marks; the nearest mark wins."""
    found: dict[str, Any] = {}
    for mark in marks:
        for word, value in mark.kwargs.items():
            if word not in WORDS:
                raise unknown("argument of @pytest.mark.mqchaos", word, WORDS)
            found.setdefault(word, value)
    return found


def refuse_stray(items: list[pytest.Item]) -> None:
    """A mark on a test without a chaos fixture would do nothing: say so."""
    for item in items:
        if item.get_closest_marker("mqchaos") is None:
            continue
        if _protocol(getattr(item, "fixturenames", ())) is None:
            raise pytest.UsageError(
                f"{item.nodeid} is marked with mqchaos but uses no chaos fixture: add one of "
                f"{', '.join(FIXTURES)} to its arguments, or remove the mark"
            )
