"""When what was done inside a transaction happened: all of it together, at its commit.

    ack, publish --same owner, same transactional id, next end--> EndTxn
        commit: both happened at the instant of its confirm (of its request, if none was heard)
        abort, refused, never asked or never arrived: the ack is withdrawn; so it is if a producer
        begins anew under the same id

It knows rows and no protocol. An ack that is withdrawn is nobody's: neither early nor late.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterator
from typing import TYPE_CHECKING

from pytest_mqchaos.history.rows import Ack, Attempt

if TYPE_CHECKING:
    from pytest_mqchaos.relay.transcript import Transcript
    from pytest_mqchaos.relay.transcript_ends import TransactionEnd


class Transactions:
    """The ends that one transcript saw. A commit whose answer nobody heard may have been taken:
    it counts, as an ack does whose answer was lost."""

    def __init__(self, transcript: Transcript) -> None:
        self._acks = transcript.acks
        self._attempts = transcript.attempts
        self._names = transcript.transactional
        self._work: dict[tuple[str, str], list[int]] | None = None
        self._ends: dict[tuple[str, str], list[TransactionEnd]] = defaultdict(list)
        for end in sorted(transcript.ends, key=lambda end: end.seq):
            # Who is refused when it begins has not begun, and has ended nothing.
            counts = not end.anew or end.outcome == "confirmed"
            if end.transactional_id is not None and counts:
                self._ends[end.owner, end.transactional_id].append(end)

    def _end(self, owner: str, name: str, seq: int) -> TransactionEnd | None:
        """The end of the transaction that this owner was in at `seq`. A successor with the same id
        ends its own transactions: the broker has aborted those of the one before."""
        ends = self._ends.get((owner, name), [])
        at = bisect_right(ends, seq, key=lambda end: end.seq)
        while at + 1 < len(ends) and self._asked_again(ends[at], ends[at + 1]):
            at += 1
        return ends[at] if at < len(ends) else None

    def _asked_again(self, end: TransactionEnd, after: TransactionEnd) -> bool:
        """Whether the second is the first once more, because that was lost or refused: then nothing
        was done in between."""
        if after.anew or (end.reached and end.outcome == "confirmed"):
            return False
        work = self._working().get((end.owner, str(end.transactional_id)), [])
        return bisect_right(work, end.seq) == bisect_right(work, after.seq)

    def _working(self) -> dict[tuple[str, str], list[int]]:
        """When each owner did something in a transaction of this id."""
        if self._work is None:
            done = {(row.owner, row.transactional_id, row.seq) for row in self._attempts}
            done |= {(row.owner, self._names.get(row.seq), row.seq) for row in self._acks}
            found: dict[tuple[str, str], list[int]] = defaultdict(list)
            for owner, name, seq in done:
                if name is not None:
                    found[owner, name].append(seq)
            self._work = {key: sorted(each) for key, each in found.items()}
        return self._work

    def committed(self) -> dict[int, int]:
        """The `seq` of every publish in a transaction that the broker said is committed, and when
        it said so."""
        found = {}
        for row in self._attempts:
            if row.transactional_id is not None:
                end = self._end(row.owner, row.transactional_id, row.seq)
                if end is not None and end.committed and end.outcome == "confirmed":
                    found[row.seq] = end.end_t
        return found

    def acks(self) -> Iterator[Ack]:
        """Acks as they took effect: in order of `seq`, those of a transaction at its commit."""
        yield from sorted(self._settled(), key=lambda ack: ack.seq) if self._names else self._acks

    def _settled(self) -> Iterator[Ack]:
        for ack in self._acks:
            name = self._names.get(ack.seq)
            if name is None:
                yield ack
                continue
            end = self._end(ack.owner, name, ack.seq)
            if end is not None and _taken(end):
                outcome = "refused" if ack.outcome == "refused" else end.outcome
                yield ack._replace(
                    seq=end.seq, t=instant(end), reached=ack.reached, outcome=outcome,
                    end_seq=end.end_seq, end_t=end.end_t,
                )  # fmt: skip

    def span(self, attempt: Attempt) -> tuple[int, int]:
        """Between which instants a publish took effect (0: no upper bound is known)."""
        name = attempt.transactional_id
        end = None if name is None else self._end(attempt.owner, name, attempt.seq)
        if end is None or not _taken(end):
            return attempt.t, attempt.end_t
        return instant(end), instant(end)


def _taken(end: TransactionEnd) -> bool:
    """Whether the broker took it as a commit, or may have."""
    return end.committed and end.reached and end.outcome != "refused"


def instant(end: TransactionEnd) -> int:
    """One instant for all that a transaction did: against each other nothing is early."""
    return end.end_t or end.t
