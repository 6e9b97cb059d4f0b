"""A client that gives up on what a rule keeps from it is harmed by the rule."""

import logging

import pytest

from pytest_mqchaos import Plan, on, simulate
from tests.search.planted.one_by_one import dedupe_apart, dedupe_inside
from tests.search.planted.pairs import scenario_of

BATCH = ["a", "b", "c"]


@pytest.fixture(autouse=True)
def _quiet(caplog):
    """A client in trouble says so at length."""
    caplog.set_level(logging.CRITICAL)


@pytest.mark.parametrize(
    "rule",
    [
        # Its time-out comes after 40 s, its error a second later; what it left behind (a generator
        # that stops a consumer while everything is being cancelled) ends too.
        on.publish(nth=4).hang(),
        # It gives up before the rule lets go.
        on.publish(nth=5).hang(60.0),
    ],
    ids=repr,
)
def test_a_correct_service_survives_its_client_giving_up(rule):
    simulate(scenario_of(dedupe_inside, BATCH), plan=Plan(rule))


def test_a_broken_one_is_failed_for_what_it_did():
    with pytest.raises(AssertionError, match=r"^idempotent failed: 1 of 3 messages took effect"):
        simulate(scenario_of(dedupe_apart, BATCH), plan=Plan(on.publish(nth=4).hang()))
