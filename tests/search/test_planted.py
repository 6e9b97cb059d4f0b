"""Property tests in virtual time: planted bugs are found and shrunk, correct twins survive."""

import logging
from operator import attrgetter

import pytest

from pytest_mqchaos import VerdictFailed, plans
from tests.search.planted.one_by_one import ack_before_work, retry_elsewhere
from tests.search.planted.pairs import BROKEN, CORRECT
from tests.search.planted.searching import search

pytestmark = pytest.mark.usefixtures("same_examples")
NAME = attrgetter("__name__")
# Where the bugs are, to be quick; `anywhere` is all that is drawn by default.
NEAR = {"points": ["publish", "confirm"], "faults": ["delay", "crash_worker"], "longest": 1.0}
NEAR |= {"topics": "receipts", "nth": 2}


@pytest.fixture(autouse=True)
def _quiet(caplog):
    """A client in trouble says so at length."""
    caplog.set_level(logging.CRITICAL)


def found(service, strategy):
    seen = search(service, 500, strategy)
    assert isinstance(seen.error, VerdictFailed), seen
    assert " failed: " in str(seen.error), seen  # and not unknown
    assert 1 <= len(seen.plan.rules) <= 2, seen


@pytest.mark.parametrize("service", [ack_before_work, retry_elsewhere], ids=NAME)
def test_a_narrowed_search_finds_the_bug_and_shrinks_it(service):
    found(service, plans(**NEAR))


@pytest.mark.wide
@pytest.mark.parametrize("service", BROKEN, ids=NAME)
def test_everything_drawn_finds_the_bug_within_500_examples(service):
    found(service, plans())


@pytest.mark.parametrize(
    "count", [5, pytest.param(300, marks=pytest.mark.wide)], ids=["some", "many"]
)
@pytest.mark.parametrize("service", CORRECT, ids=NAME)
def test_the_correct_twin_survives(service, count):
    seen = search(service, count, plans())
    assert seen.error is None, seen
    assert seen.runs >= count
