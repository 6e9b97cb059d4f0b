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
    ("service", "batch", "rules"),
    [
        # The client waits 40 s and gives up: the rule has harmed it, though its end never came.
        (dedupe_inside, BATCH, [on.confirm(nth=5).delay(60.0)]),
        # Three pauses one after the other last longer than a limit that knows one of them.
        (
            ack_after_work,
            BATCH,
            [on.control(api="ListOffsets", nth=range(1, 4)).pause_broker(for_=60.0)],
        ),
        # A worker that gives up while its broker stands still: its membership ends later.
        (dedupe_inside, BATCH, [on.publish(nth=range(2, 5)).pause_broker(for_=60.0)] * 2),
        # Nothing was drawn to be sent; nothing that was sent was ever confirmed.
        (ack_after_work, [], [on.publish(nth=1).drop(optional=True)]),
        (ack_after_work, ["a"], [on.publish(nth=1).pause_broker(for_=60.0, optional=True)]),
    ],
    ids=["late", "paused again", "nobody to hear of a death", "empty", "unconfirmed"],
)
def test_a_correct_service_is_not_failed(service, batch, rules):
    simulate(scenario_of(service, batch), plan=Plan(*rules))
