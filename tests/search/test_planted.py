"""Property tests in virtual time: planted bugs are found and shrunk, correct twins survive."""

import logging

import pytest
from hypothesis import Phase, given, settings

from pytest_mqchaos import VerdictFailed, plans, simulate
from tests.search import planted

BROKEN = [planted.ack_before_work, planted.dedupe_apart]
CORRECT = [planted.ack_after_work, planted.dedupe_inside]
TOPICS = ("orders", "receipts")
FRAMES = ["drop", "refuse", "duplicate", "redeliver", "crash_worker"]

# Who is cancelled while it stops a client leaves that client's connections open, and says so.
pytestmark = pytest.mark.filterwarnings(
    "ignore:Unclosed AIOKafka:ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"
)


@pytest.fixture(autouse=True)
def _quiet(caplog):
    """A client in trouble says so at length."""
    caplog.set_level(logging.CRITICAL)


def property_of(service, strategy, count, seen, **more):
    scenario = planted.scenario_of(service)

    @settings(max_examples=count, database=None, deadline=None, derandomize=True, **more)
    @given(plan=strategy)
    def holds(plan):
        failed = True
        try:
            simulate(scenario, plan=plan)
            failed = False
        finally:
            seen.append((plan, failed))

    return holds


def found(service, strategy, count):
    """The smallest plan that fails, after how many examples the first did, and how many in all."""
    seen = []
    with pytest.raises(VerdictFailed):
        property_of(
            service, strategy, count, seen, phases=[Phase.generate, Phase.shrink],
            report_multiple_bugs=False,
        )()  # fmt: skip
    first = next(number for number, (_, failed) in enumerate(seen, 1) if failed)
    return seen[-1][0], first, len(seen)


@pytest.mark.parametrize("service", BROKEN, ids=lambda service: service.__name__)
def test_a_narrowed_search_finds_the_bug_and_shrinks_it_to_one_fault(service):
    """Narrowed to where the bug can be, to be quick; the next test asks of everything."""
    near = plans(points=["publish", "ack"], faults=["drop", "crash_worker"], topics=TOPICS, nth=3)
    plan, _, _ = found(service, near, 200)
    (rule,) = plan.rules
    assert rule.fault.verb == "crash_worker"


@pytest.mark.wide
@pytest.mark.parametrize("service", BROKEN, ids=lambda service: service.__name__)
def test_everything_drawn_finds_the_bug_within_500_examples(service):
    plan, first, _ = found(service, plans(), 500)
    assert first <= 500
    assert 1 <= len(plan.rules) <= 2


@pytest.mark.parametrize(
    "count", [15, pytest.param(5000, marks=pytest.mark.wide)], ids=["some", "many"]
)
@pytest.mark.parametrize("service", CORRECT, ids=lambda service: service.__name__)
def test_the_correct_twin_survives(service, count):
    seen = []
    near = plans(points=["publish", "confirm", "ack"], faults=FRAMES, topics=TOPICS)
    property_of(service, near, count, seen, phases=[Phase.generate])()
    assert len(seen) >= count
