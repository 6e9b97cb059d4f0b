"""How much of a log is on the disk: what a power loss leaves (flush.messages, flush.ms).

It knows offsets and instants. By default nothing is ever flushed: Kafka leaves that to the page
cache and trusts in its replicas.
"""

from __future__ import annotations

from typing import NamedTuple


class Policy(NamedTuple):
    """Flush at the latest after so many messages, or so long (ns) after they came; None: never."""

    messages: int | None = None
    after: int | None = None


NEVER = Policy()
_NEVER, _MILLISECOND = 9_223_372_036_854_775_807, 1_000_000  # Kafka's word for never; ns


def policy(messages: str, milliseconds: str) -> Policy:
    """Read a topic's flush.messages and flush.ms."""
    count, after = int(messages), int(milliseconds)
    return Policy(
        messages=None if count >= _NEVER else count,
        after=None if after >= _NEVER else after * _MILLISECOND,
    )


class Flushed:
    """Of one log. What was flushed stays so even where nobody asked for it: offsets only grow,
    except that a log is truncated."""

    __slots__ = ("_offset", "_policy", "_waiting")

    def __init__(self, policy: Policy) -> None:
        self._policy = policy
        self._offset = 0
        self._waiting: list[tuple[int, int]] = []

    def appended(self, end: int, now: int) -> None:
        """Hear that the log ends at `end` now."""
        if self._policy.messages is not None and end - self._offset >= self._policy.messages:
            self._offset = end
            self._waiting.clear()
        elif self._policy.after is not None:
            self._waiting.append((now, end))

    def truncated(self, end: int) -> None:
        """Hear that the log is shorter now: what is written over is not on the disk yet."""
        self._offset = min(self._offset, end)
        self._waiting = [(when, min(upto, end)) for when, upto in self._waiting]

    def offset(self, now: int) -> int:
        """Give the offset below which everything survives a power loss at this instant."""
        after = self._policy.after
        if after is not None:
            due = [upto for when, upto in self._waiting if when + after <= now]
            self._offset = max([self._offset, *due])
            self._waiting = self._waiting[len(due) :]
        return self._offset
