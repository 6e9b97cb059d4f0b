"""Values that a test says are right, and whether a value is such a one.

It knows values and the user's function that gives them; it must never know where they were seen.
"""

from __future__ import annotations

from collections.abc import Callable
from numbers import Number

from pytest_mqchaos.errors import UsageError
from pytest_mqchaos.frames import Message
from pytest_mqchaos.history.rows import Attempt, Stored

Expected = Callable[[Message], object]


def right(expected: Expected, name: str | None, row: Attempt | Stored) -> object:
    """What `expected=` says of a message, of which this is a row. Raises UsageError: what it cannot
    take is no error of a checker."""
    try:
        return expected(Message(value=row.value, key=row.key, id=name))
    except Exception as error:
        called = getattr(expected, "__qualname__", repr(expected))
        raise UsageError(
            f"expected= ({called}) raised {type(error).__name__}: {error}, for the message "
            f"{name!r} with key {row.key!r} and value {row.value!r}: it must take any message that "
            "is published (id, key, value; a deletion has the value None) and give the value that "
            "its effect must have"
        ) from error


def alike(one: object, other: object) -> bool:
    """Whether two values are the same; two that are no number are."""
    if one == other:
        return True
    if isinstance(one, Number) and isinstance(other, Number):
        return one != one and other != other  # noqa: PLR0124 - only NaN is not itself
    if isinstance(one, (tuple, list)) and isinstance(other, (tuple, list)):
        same = type(one) is type(other) and len(one) == len(other)
        return same and all(map(alike, one, other))
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(alike(one[k], other[k]) for k in one)
    return False
