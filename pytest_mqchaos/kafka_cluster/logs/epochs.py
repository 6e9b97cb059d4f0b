"""Which leader epoch began where in one log (KIP-101, KIP-279): how two logs find where they part.

It knows epochs and offsets, no batch and no node.

    epochs:   0 at 0, 2 at 7, 3 at 9        log end 12
    end_of(0) = (0, 7)   end_of(1) = (0, 7)   end_of(2) = (2, 9)   end_of(3) = (3, 12)
"""

from __future__ import annotations

from bisect import bisect_right
from typing import NamedTuple

NO_EPOCH, NO_OFFSET = -1, -1


class EpochEnd(NamedTuple):
    """Where an epoch ends: the first offset that is not of it; -1, -1 for an unknown one."""

    epoch: int
    offset: int


class Epochs:
    """The epochs of one log, each with the offset of its first record."""

    __slots__ = ("_epochs", "_starts")

    def __init__(self) -> None:
        self._epochs: list[int] = []
        self._starts: list[int] = []

    @property
    def latest(self) -> int:
        """The newest epoch, -1 for none."""
        return self._epochs[-1] if self._epochs else NO_EPOCH

    def note(self, epoch: int, start: int) -> None:
        """Hear that what stands at `start` is of `epoch`; an older or known epoch is no news."""
        if epoch <= self.latest:
            return
        while self._starts and self._starts[-1] >= start:  # those hold nothing
            self._drop_last()
        self._epochs.append(epoch)
        self._starts.append(start)

    def end_of(self, epoch: int, log_end: int) -> EpochEnd:
        """Give the end of `epoch`, or of the newest epoch before it that this log has."""
        if epoch < 0 or epoch > self.latest:
            return EpochEnd(NO_EPOCH, NO_OFFSET)
        at = bisect_right(self._epochs, epoch)
        end = self._starts[at] if at < len(self._starts) else log_end
        return EpochEnd(self._epochs[at - 1] if at else epoch, end)

    def at(self, offset: int) -> int:
        """Give the epoch that the record at `offset` is of, -1 if none is known."""
        at = bisect_right(self._starts, offset)
        return self._epochs[at - 1] if at else NO_EPOCH

    def truncate_to(self, offset: int) -> None:
        """Forget epochs that begin at `offset` or later."""
        while self._starts and self._starts[-1] >= offset:
            self._drop_last()

    def _drop_last(self) -> None:
        del self._epochs[-1], self._starts[-1]
