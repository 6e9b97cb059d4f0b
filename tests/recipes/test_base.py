"""What holds for every recipe: the registry is complete, scripts end with their outcome."""

from __future__ import annotations

import pytest

from pytest_mqchaos.errors import UsageError
from pytest_mqchaos.faults.drop import Drop
from pytest_mqchaos.frames import Point
from pytest_mqchaos.plan import legality
from pytest_mqchaos.recipes import base as act
from pytest_mqchaos.recipes.base import Scripted, until
from pytest_mqchaos.recipes.registry import recipe_for, table
from tests.recipes.steps import T, request, said


def test_every_legal_row_has_a_recipe_and_every_recipe_a_row():
    rows = {(row.point, row.fault) for row in legality.table("kafka").rows}
    assert set(table("kafka")) == rows


def test_an_unknown_protocol_is_named():
    with pytest.raises(UsageError, match=r"unknown protocol 'kafak'. Did you mean 'kafka'"):
        table("kafak")


def test_a_fault_without_a_recipe_is_named():
    with pytest.raises(UsageError, match=r"kafka has no recipe for .drop\(\) at control"):
        recipe_for("kafka", Point.CONTROL, Drop())


def seen():
    return act.FrameSeen(frame=request(), sighting=said(), first=True, t=T)


def test_a_script_begins_with_a_frame():
    recipe = Scripted(lambda first: iter(()))
    assert recipe.on(act.Timer(t=1)) == []


def test_a_script_that_tells_its_outcome_is_over():
    def write(first):
        yield [act.TookEffect("now")]

    recipe = Scripted(write)
    assert recipe.on(seen()) == [act.TookEffect("now"), act.Done()]
    assert recipe.on(act.Timer(t=1)) == []


def test_a_script_that_goes_on_after_its_outcome_is_wrong():
    def write(first):
        yield [act.TookEffect("now")]
        yield [act.Forward(first.frame)]

    with pytest.raises(UsageError, match="goes on after it has told its outcome"):
        Scripted(write).on(seen())


def test_a_script_that_says_nothing_more_is_over():
    def write(first):
        yield [act.WakeAt(5)]

    recipe = Scripted(write)
    assert recipe.on(seen()) == [act.WakeAt(5)]
    assert recipe.on(act.Timer(t=5)) == [act.Done()]
    assert recipe.on(act.Timer(t=6)) == []


def test_darkness_lasts_beyond_its_outcome():
    def write(first):
        yield from until(act.Closed, do=[act.Dark(), act.TookEffect("dark")])

    recipe = Scripted(write)
    assert act.Done() not in recipe.on(seen())
    assert recipe.on(act.Timer(t=5)) == []
    assert recipe.on(act.Closed(by_client=True, t=6)) == [act.Done()]


def test_waiting_ignores_what_was_not_waited_for():
    got = []

    def write(first):
        got.append((yield from until(act.Timer, act.Answer)))
        yield [act.Unharmed("over")]

    recipe = Scripted(write)
    recipe.on(seen())
    assert recipe.on(act.Drained(t=1)) == []
    assert recipe.on(act.Closed(by_client=False, t=2)) == []
    recipe.on(act.Answer(value=3, t=4))
    assert got == [act.Answer(value=3, t=4)]
