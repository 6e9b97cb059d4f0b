"""One transactional id as its coordinator knows it: producer id, epoch, and how far it has come.

It knows the table of states (KIP-98, KIP-360, KIP-890); it must never know a log, a request or a
clock. Methods say what Kafka says; who calls them writes the markers.

    Empty --add--> Ongoing --end--> PrepareCommit / PrepareAbort --complete--> Complete...
      ^               ^---------------------- add -------------------------------'   |
      '------------------------------- init -----------------------------------------'
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum
from typing import NamedTuple

from kio.schema.errors import ErrorCode

LAST_EPOCH = 32_766  # 32,767 is kept for fencing: nobody is ever given it
NOBODY, NO_EPOCH = -1, -1

Place = tuple[str, int]  # topic and partition


class Phase(Enum):
    """Kafka's own names: DescribeTransactions and ListTransactions show them."""

    EMPTY = "Empty"
    ONGOING = "Ongoing"
    PREPARE_COMMIT = "PrepareCommit"
    PREPARE_ABORT = "PrepareAbort"
    COMPLETE_COMMIT = "CompleteCommit"
    COMPLETE_ABORT = "CompleteAbort"


_PREPARED = (Phase.PREPARE_COMMIT, Phase.PREPARE_ABORT)
_WANTED = {True: Phase.PREPARE_COMMIT, False: Phase.PREPARE_ABORT}
_DONE = {
    Phase.PREPARE_COMMIT: Phase.COMPLETE_COMMIT,
    Phase.PREPARE_ABORT: Phase.COMPLETE_ABORT,
}


class Identity(NamedTuple):
    """A producer id with its epoch."""

    producer_id: int = NOBODY
    epoch: int = NO_EPOCH


@dataclass(slots=True, eq=False)
class Transaction:
    """`timeout` in ms, `began` in ns of the cluster's clock (-1: no transaction yet)."""

    name: str
    producer_id: int
    timeout: int
    epoch: int = NO_EPOCH
    previous_id: int = NOBODY
    next_id: int = NOBODY
    last_epoch: int = NO_EPOCH
    phase: Phase = Phase.EMPTY
    places: set[Place] = field(default_factory=set)
    began: int = -1

    @property
    def identity(self) -> Identity:
        """What the client goes on with."""
        if self.next_id != NOBODY:
            return Identity(self.next_id, 0)
        return Identity(self.producer_id, self.epoch)

    @property
    def prepared(self) -> bool:
        """Whether its end is decided and markers are still to be written."""
        return self.phase in _PREPARED

    def init(self, timeout: int, expected: Identity | None, new_id: Callable[[], int]) -> ErrorCode:
        """InitProducerId: the next epoch, so that whoever had the last is fenced. `expected` is
        given by a client that goes on after an error (KIP-360). Not while one is ongoing."""
        if expected is not None and not self._knows(expected):
            return ErrorCode.producer_fenced
        if self.prepared:
            return ErrorCode.concurrent_transactions
        code = self._next_epoch(expected, new_id)
        if code is ErrorCode.none:
            self.timeout, self.phase, self.began = timeout, Phase.EMPTY, -1
            self.places.clear()
        return code

    def check(self, given: Identity) -> ErrorCode:
        """Say whether these may work on the transaction now."""
        if given.producer_id != self.producer_id:
            return ErrorCode.invalid_producer_id_mapping
        if given.epoch != self.epoch:
            return ErrorCode.producer_fenced
        return ErrorCode.concurrent_transactions if self.prepared else ErrorCode.none

    def add(self, places: set[Place], now: int) -> None:
        """Put partitions into it; the first begins it."""
        if self.phase is not Phase.ONGOING:
            self.phase, self.began = Phase.ONGOING, now
        self.places |= places

    def fence(self, now: int) -> None:
        """Abort it over its producer's head: the epoch grows, so that the producer is a zombie."""
        self._prepare(Phase.PREPARE_ABORT, now, NOBODY)
        self.last_epoch = self.epoch
        self.epoch += 1

    def end(self, commit: bool, given: Identity, now: int) -> ErrorCode:  # noqa: FBT001
        """EndTxn below v5: the epoch stays."""
        if given.producer_id != self.producer_id:
            return ErrorCode.invalid_producer_id_mapping
        if given.epoch != self.epoch:
            return ErrorCode.producer_fenced
        if self.phase is Phase.ONGOING:
            self._prepare(_WANTED[commit], now, NOBODY)
            return ErrorCode.none
        return self._again(commit)

    def end_and_bump(
        self,
        commit: bool,  # noqa: FBT001
        given: Identity,
        now: int,
        new_id: Callable[[], int],
    ) -> ErrorCode:
        """EndTxn from v5 on: each end takes the next epoch, or a new producer id when there is none
        (KIP-890). An abort may also end nothing at all."""
        wrapped = (
            self.previous_id == given.producer_id
            and given.epoch == LAST_EPOCH
            and self.epoch == 0
            and self.phase in _DONE.values()
        )
        if given.producer_id != self.producer_id and not wrapped:
            return ErrorCode.invalid_producer_id_mapping
        retry = wrapped or self.epoch == given.epoch + 1
        if self.phase in {Phase.EMPTY, Phase.ONGOING} or not retry:
            if given.epoch != self.epoch or self.prepared:
                return ErrorCode.producer_fenced
            if self.phase is not Phase.ONGOING and commit:
                return ErrorCode.invalid_txn_state
            self._bump(commit, now, new_id)
            return ErrorCode.none
        return self._again(commit)

    def complete(self) -> None:
        """Hear that every marker is written."""
        self.phase = _DONE[self.phase]
        self.places.clear()
        if self.next_id != NOBODY:
            self.previous_id, self.last_epoch = self.producer_id, self.epoch
            self.producer_id, self.epoch, self.next_id = self.next_id, 0, NOBODY

    def _knows(self, expected: Identity) -> bool:
        worn_out = expected.producer_id == self.previous_id and expected.epoch >= LAST_EPOCH
        return self.epoch == NO_EPOCH or expected.producer_id == self.producer_id or worn_out

    def _next_epoch(self, expected: Identity | None, new_id: Callable[[], int]) -> ErrorCode:
        if expected is not None and self.epoch not in {NO_EPOCH, expected.epoch}:
            # A retry of a call whose answer was lost gets that answer once more.
            retry = expected.epoch == self.last_epoch
            return ErrorCode.none if retry else ErrorCode.producer_fenced
        self.previous_id = self.producer_id
        self.last_epoch = NO_EPOCH if expected is None else self.epoch
        if self.epoch >= LAST_EPOCH:
            self.producer_id, self.epoch = new_id(), 0
        else:
            self.epoch += 1
        return ErrorCode.none

    def _bump(self, commit: bool, now: int, new_id: Callable[[], int]) -> None:  # noqa: FBT001
        worn_out = self.epoch >= LAST_EPOCH
        self._prepare(_WANTED[commit], now, new_id() if worn_out else NOBODY)
        self.last_epoch = self.epoch
        self.epoch += 1

    def _prepare(self, phase: Phase, now: int, next_id: int) -> None:
        if self.phase is not Phase.ONGOING:
            self.began = now
        self.phase, self.next_id = phase, next_id

    def _again(self, commit: bool) -> ErrorCode:  # noqa: FBT001
        """Say what a second request to end it the same way gets, or one that wants another end."""
        wanted = _WANTED[commit]
        if self.phase is wanted:
            return ErrorCode.concurrent_transactions
        return ErrorCode.none if self.phase is _DONE[wanted] else ErrorCode.invalid_txn_state
