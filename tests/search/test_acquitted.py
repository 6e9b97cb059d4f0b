"""Plans under which a correct service was once called broken, and the reason why it is not.

Each was drawn by the search of `tests.search.planted` and shrunk; the mend is at its root.
"""

import logging

import pytest

from pytest_mqchaos import Plan, on, simulate
from tests.search.planted.one_by_one import ack_after_work, dedupe_inside
from tests.search.planted.pairs import scenario_of

BATCH = ["a", "b", "c", "d"]


@pytest.fixture(autouse=True)
def _quiet(caplog):
    """A client in trouble says so at length."""
    caplog.set_level(logging.CRITICAL)


@pytest.mark.parametrize(
    ("service", "rules"),
    [
        # The client waits 40 s and gives up: the rule has harmed it, though its end never came.
        (dedupe_inside, [on.confirm(nth=5).delay(60.0)]),
        # Three pauses one after the other last longer than a limit that knows one of them.
        (ack_after_work, [on.control(api="ListOffsets", nth=range(1, 4)).pause_broker(for_=60.0)]),
        # A worker that gives up while its broker stands still: its membership ends later.
        (dedupe_inside, [on.publish(nth=range(2, 5)).pause_broker(for_=60.0)] * 2),
    ],
    ids=["late", "paused again", "nobody to hear of a death"],
)
def test_a_correct_service_is_not_failed(service, rules):
    simulate(scenario_of(service, BATCH), plan=Plan(*rules))
