"""A simulation inside of a pytest test: what it is told of the test, what the test is told of it.

It knows pytest's items; it must never know how a simulation runs.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import TYPE_CHECKING

import pytest

from pytest_mqchaos.guest import stash
from pytest_mqchaos.search import place

if TYPE_CHECKING:
    from pytest_mqchaos.chaos.roles import Run


@contextmanager
def standing(item: pytest.Item) -> Iterator[None]:
    """While this test runs, a simulation finds its place here, if it asks."""
    known: list[place.Place] = []

    def look() -> place.Place:
        if not known:
            known.append(_place(item))
        return known[0]

    with _prepared(item), place.standing(look):
        yield
    if known and _draws(item):
        _tell_blank(item)
    # Of several a line of the last would speak for all.
    if item.stash.get(stash.SIMULATIONS, 0) == 1 and not _draws(item):
        from pytest_mqchaos.guest.ending import note

        only = item.stash[stash.SIMULATED]
        if only.verdicts:  # else it raised what the test waited for, or makes its own assertions
            note(item, only)


def _tell_blank(item: pytest.Item) -> None:
    """A property test in which nothing was broken is green, and must say so."""
    runs = item.stash.get(stash.SIMULATIONS, 0)
    rules, fired = item.stash.get(stash.STRUCK, (0, 0))
    if fired:
        return
    if not runs:
        said = "drew plans, and no run had one: give it to simulate(...) or chaos(...)"
    elif rules:
        said = (
            f"{runs} runs, and none of their {rules} faults took effect: check topics=, points= "
            "and nth= against what the service does"
        )
    else:
        said = f"{runs} runs, none of them with a fault"
    stash.say(item, f"mqchaos: {said}")


def _draws(item: pytest.Item) -> bool:
    return getattr(getattr(item, "obj", None), "is_hypothesis_test", False)


def _prepared(item: pytest.Item) -> AbstractContextManager[None]:
    if not _draws(item):
        return nullcontext()
    from pytest_mqchaos.guest import examples

    return examples.prepared(item)


def _place(item: pytest.Item) -> place.Place:
    from pytest_mqchaos.chaos.telling import Telling
    from pytest_mqchaos.guest import replay, settings

    def ended(chaos: Run) -> None:
        item.stash[stash.SIMULATED] = chaos
        item.stash[stash.SIMULATIONS] = item.stash.get(stash.SIMULATIONS, 0) + 1
        told = chaos.last_history.rules
        rules, fired = item.stash.get(stash.STRUCK, (0, 0))
        item.stash[stash.STRUCK] = (rules + len(told), fired + sum(1 for r in told if r.fired))

    kept = item.stash.get(stash.REPLAYED, None)
    return place.Place(
        telling=Telling(
            nodeid=replay.near(item),
            directory=settings.directory_of(item),
            ended=ended,
        ),
        config=settings.config_of(item.config),
        ended=ended,
        plan=kept.plan if kept is not None else settings.plan_of(item.config),
        seed=settings.seed_of(item.config, replay.nodeid_of(item)),
        kind=settings.kind_of(item.config),
    )
