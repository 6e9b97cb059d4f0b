"""Positions and attempts: 1-based, checked, and answered."""

import pytest

from pytest_mqchaos.errors import UsageError
from pytest_mqchaos.plan.nth import Every, attempted, check_attempt, check_nth, every, hits, last


@pytest.mark.parametrize(
    ("nth", "meant", "end"),
    [
        (None, [1, 2, 3, 4, 5, 6], None),
        (2, [2], 2),
        (range(2, 5), [2, 3, 4], 4),
        (range(1, 7, 2), [1, 3, 5], 5),
        (every(3), [3, 6], None),
        (every(1), [1, 2, 3, 4, 5, 6], None),
    ],
)
def test_a_position_means_these_messages(nth, meant, end):
    check_nth(nth)
    assert [count for count in range(1, 7) if hits(nth, count)] == meant
    assert last(nth) == end


@pytest.mark.parametrize(
    ("attempt", "meant"), [(1, [1]), (2, [2]), (range(1, 3), [1, 2]), (range(2, 9), [2, 3, 4])]
)
def test_an_attempt_means_these_passages(attempt, meant):
    check_attempt(attempt)
    assert [number for number in range(1, 5) if attempted(attempt, number)] == meant


@pytest.mark.parametrize("nth", [0, -1, 1.0, "2", True, [1], 2 + 0j])
def test_a_position_that_cannot_be(nth):
    with pytest.raises(UsageError, match=r"nth=.*1 for the first"):
        check_nth(nth)


@pytest.mark.parametrize("given", [range(3), range(5, 5), range(5, 1, -1), range(-2, 3)])
def test_a_range_counts_upwards_from_one(given):
    with pytest.raises(UsageError, match=r"nth=range.*the first is 1, not 0"):
        check_nth(given)
    with pytest.raises(UsageError, match=r"attempt=range"):
        check_attempt(given)


@pytest.mark.parametrize("attempt", [0, None, "1", True, every(2)])
def test_an_attempt_that_cannot_be(attempt):
    with pytest.raises(UsageError, match=r"attempt=.*2 its first retry"):
        check_attempt(attempt)


@pytest.mark.parametrize("step", [0, -3, 1.5, "2", None, True])
def test_a_step_is_a_whole_number(step):
    with pytest.raises(UsageError, match=r"every\(.*the 3rd, 6th, 9th"):
        every(step)


def test_every_is_a_value_with_its_source():
    assert every(3) == Every(3)
    assert repr(every(3)) == "every(3)"
    assert len({every(3), every(3), every(4)}) == 2


def test_a_range_of_more_messages_than_a_machine_word_counts():
    check_nth(range(1, 2**70))
    with pytest.raises(UsageError, match="must count upwards"):
        check_nth(range(2**70))
