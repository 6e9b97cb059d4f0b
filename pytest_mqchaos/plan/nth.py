"""Positions: which of the counted messages a rule means. It knows numbers and nothing else.

nth=2 · nth=range(2, 5) · nth=every(3) · nth=None (every distinct message)
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from pytest_mqchaos.errors import UsageError


def whole(given: object, at_least: int = 1) -> bool:
    """Whether this is an int (no bool) of `at_least` or more."""
    return isinstance(given, int) and not isinstance(given, bool) and given >= at_least


@dataclass(frozen=True, slots=True)
class Every:
    """Every `step`-th message: step, 2 * step, 3 * step... Made by `every(step)`."""

    step: int

    def __post_init__(self) -> None:
        if not whole(self.step):
            raise UsageError(
                f"every({self.step!r}): the step is a whole number of 1 or more; "
                "every(3) means the 3rd, 6th, 9th..."
            )

    def __repr__(self) -> str:
        return f"every({self.step!r})"


def every(step: int) -> Every:
    """`nth=every(3)`: the 3rd, 6th, 9th... message. Raises UsageError for a step below 1."""
    return Every(step)


Nth: TypeAlias = int | range | Every | None
Attempt: TypeAlias = int | range


def _check_range(name: str, given: range) -> None:
    if not given or given[0] < 1 or given.step < 1:
        raise UsageError(
            f"{name}={given!r}: a range must count upwards, start at 1 or later (the first is 1, "
            "not 0) and not be empty; range(2, 5) means the 2nd, 3rd and 4th."
        )


def check_nth(given: object) -> None:
    """Raise UsageError for what is no position."""
    if isinstance(given, range):
        _check_range("nth", given)
    elif not (given is None or isinstance(given, Every) or whole(given)):
        raise UsageError(
            f"nth={given!r}: a position is 1 for the first, a range such as range(2, 5), "
            "every(3), or left out for every message."
        )


def check_attempt(given: object) -> None:
    """Raise UsageError for what is no attempt."""
    if isinstance(given, range):
        _check_range("attempt", given)
    elif not whole(given):
        raise UsageError(
            f"attempt={given!r}: 1 is the first time a message passes, 2 its first retry or "
            "redelivery; a range such as range(1, 4) means several."
        )


def hits(nth: Nth, count: int) -> bool:
    """Whether the `count`-th message (1-based) is meant."""
    if nth is None:
        return True
    if isinstance(nth, Every):
        return count % nth.step == 0
    return count in nth if isinstance(nth, range) else count == nth


def last(nth: Nth) -> int | None:
    """The last position that can be meant, None when there is no last."""
    if nth is None or isinstance(nth, Every):
        return None
    return nth[-1] if isinstance(nth, range) else nth


def attempted(attempt: Attempt, number: int) -> bool:
    """Whether the `number`-th passage of a message (1-based) is meant."""
    return number in attempt if isinstance(attempt, range) else number == attempt
