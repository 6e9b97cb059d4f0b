"""Property tests in virtual time: planted bugs are found and shrunk, correct twins survive."""

import logging

import pytest

from pytest_mqchaos import VerdictFailed, plans
from tests.search.planted.pairs import BROKEN, CORRECT
from tests.search.planted.searching import search

# Who is cancelled while it stops a client leaves that client's connections open, and says so.
pytestmark = pytest.mark.filterwarnings(
    "ignore:Unclosed AIOKafka:ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"
)
NEAR = {"points": ["publish", "ack"], "faults": ["hang", "crash_worker"], "nth": 6}


@pytest.fixture(autouse=True)
def _quiet(caplog):
    """A client in trouble says so at length."""
    caplog.set_level(logging.CRITICAL)


@pytest.mark.parametrize("service", BROKEN, ids=lambda service: service.__name__)
@pytest.mark.parametrize(
    "where", [NEAR, pytest.param({}, marks=pytest.mark.wide)], ids=["near", "anywhere"]
)
def test_the_bug_is_found_within_500_examples_and_shrunk_to_two_faults_at_most(service, where):
    seen = search(service, 500, plans(**where))
    assert isinstance(seen.error, VerdictFailed), seen
    assert 1 <= len(seen.plan.rules) <= 2, seen


@pytest.mark.parametrize(
    "count", [10, pytest.param(5000, marks=pytest.mark.wide)], ids=["some", "many"]
)
@pytest.mark.parametrize("service", CORRECT, ids=lambda service: service.__name__)
def test_the_correct_twin_survives(service, count):
    seen = search(service, count, plans())
    assert seen.error is None, seen
    assert seen.runs >= count
