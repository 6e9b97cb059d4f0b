"""Instants of what happens in a simulation: no two are the same, all are in order of happening.

It knows the loop's time; it must never know what happened. A network in memory takes no time, so a
delivery, its effect and its ack may fall on one instant of the loop. Rows of a history are compared
by their instants, so each reading is a nanosecond after the one before.
"""

from __future__ import annotations

from typing import Protocol


class _Timed(Protocol):
    now: int


class Instants:
    """A clock in ns: never before the loop's, and ahead of it by as many ns as it was read at one
    instant."""

    __slots__ = ("_last", "_loop")

    def __init__(self, loop: _Timed) -> None:
        self._loop = loop
        self._last = 0

    def __call__(self) -> int:
        now = self._loop.now
        self._last = last = now if now > self._last else self._last + 1
        return last
