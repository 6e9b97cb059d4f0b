"""Faults of brokers that meet: what befalls one that is down or paused already is no trouble."""

from dataclasses import replace

import pytest

from pytest_mqchaos import Plan, on
from pytest_mqchaos.search.runner import run
from tests.search.scenarios import group

# Who is cancelled while it stops a client leaves that client's connections open, and says so.
pytestmark = [
    pytest.mark.filterwarnings(
        "ignore:Unclosed AIOKafka:ResourceWarning",
        "ignore::pytest.PytestUnraisableExceptionWarning",
    ),
    pytest.mark.wide,
]


@pytest.mark.parametrize(
    "rules",
    [
        # Two consumers ask at once: both requests are held, and each has its broker paused.
        [on.ack(nth=range(6, 9)).pause_broker(for_=60.0)],
        [on.control(api="FindCoordinator", nth=range(1, 4)).kill_broker(restart_after=0)],
        [on.control(api="FindCoordinator", nth=range(1, 4)).restart_broker()],
        [
            on.control(api="JoinGroup", nth=2).pause_broker(for_=10.0),
            on.control(api="JoinGroup", nth=1).kill_broker(restart_after=1.0),
        ],
    ],
    ids=repr,
)
def test_a_correct_service_survives_what_meets(rules):
    outcome = run(group, Plan(*(replace(rule, optional=True) for rule in rules)))
    assert outcome.sentence == ""
    assert outcome.status == "passed"
    assert any(outcome.fired)
