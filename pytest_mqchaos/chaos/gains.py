"""Whether anything comes of what moves: a message that is handed out, fails and is handed out again
moves for ever, and brings nobody forward.

It counts rows; what to do about a loop is for those to say who wait, or who start workers again.
"""

from __future__ import annotations

from collections.abc import Callable

from pytest_mqchaos.relay.transcript import Transcript

_LEAST = -(1 << 62)


class Gains:
    """A number that grows with messages that were never handed out or published before, and with
    positions that go forward by more than what is published meanwhile (a message that is put at the
    end of its own topic again brings no position nearer to it)."""

    def __init__(self, transcript: Callable[[], Transcript]) -> None:
        self._transcript = transcript
        self._best = (0, 0, _LEAST)

    def __call__(self) -> int:
        """Gained so far. It reads all that has passed: for now and then."""
        seen = self._transcript()
        handed = {(row.topic, row.id or row.content) for row in seen.deliveries if row.reached}
        sent = {(row.topic, row.id or row.content) for row in seen.attempts}
        stands: dict[tuple[str, str, int], int] = {}
        for ack in seen.acks:
            if ack.reached and ack.outcome != "refused":
                place = (ack.group, ack.topic, ack.partition)
                stands[place] = max(ack.offset, stands.get(place, 0))
        now = (len(handed), len(sent), sum(stands.values()) - len(seen.attempts))
        first, second, third = map(max, self._best, now)
        self._best = (first, second, third)
        return sum(self._best)
