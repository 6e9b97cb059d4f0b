"""A simulation inside of a pytest test: what it is told of the test, what the test is told of it.

It knows pytest's items; it must never know how a simulation runs.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from pytest_mqchaos.guest import stash
from pytest_mqchaos.search import place

if TYPE_CHECKING:
    from pytest_mqchaos.chaos.session import Chaos


@contextmanager
def standing(item: pytest.Item) -> Iterator[None]:
    """While this test runs, a simulation finds its place here, if it asks."""
    known: list[place.Place] = []

    def look() -> place.Place:
        if not known:
            known.append(_place(item))
        return known[0]

    if getattr(getattr(item, "obj", None), "is_hypothesis_test", False):
        from pytest_mqchaos.guest import examples

        examples.patient(item)
    with place.standing(look):
        yield


def _place(item: pytest.Item) -> place.Place:
    from pytest_mqchaos.chaos.telling import Telling
    from pytest_mqchaos.guest import replay, settings

    def ended(chaos: Chaos) -> None:
        item.stash[stash.SIMULATED] = chaos

    kept = item.stash.get(replay.REPLAYED, None)
    return place.Place(
        telling=Telling(nodeid=item.nodeid, directory=settings.directory_of(item)),
        config=settings.config_of(item.config),
        ended=ended,
        plan=kept.plan if kept is not None else settings.plan_of(item.config),
        seed=settings.seed_of(item.config, item.nodeid),
        kind=settings.kind_of(item.config),
    )
