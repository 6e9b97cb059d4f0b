"""The transaction coordinator's memory: every transactional id, its time-out, its markers.

It knows when a transaction has to end and sees to it; what an end means is `transaction.py`'s,
where markers go `markers.py`'s. It must never know a request.

    begin --time-out, in steps of the interval--> fence, abort --errand--> markers --> complete
    end ---------------------------------------------------------^   '--again until all are written
"""

from __future__ import annotations

from collections.abc import Callable

from kio.schema.errors import ErrorCode

from pytest_mqchaos.kafka_cluster.groups.offsets import Offsets
from pytest_mqchaos.kafka_cluster.settings import Settings
from pytest_mqchaos.kafka_cluster.timers import MILLISECOND, Timer, Timers
from pytest_mqchaos.kafka_cluster.topics import Topics
from pytest_mqchaos.kafka_cluster.transactions.markers import Ending
from pytest_mqchaos.kafka_cluster.transactions.transaction import (
    Identity,
    Phase,
    Place,
    Transaction,
)

_AGAIN = 100 * MILLISECOND  # between two tries to write what could not be written


class Transactions:
    """`term(name)` gives the leader epoch of the coordinator of a transactional id, which markers
    carry; None while there is none: then nothing times out and no marker is written."""

    def __init__(
        self,
        *,
        settings: Settings,
        timers: Timers,
        topics: Topics,
        offsets: Offsets,
        new_id: Callable[[], int],
        soon: Callable[[Callable[[int], None]], None],
        term: Callable[[str], int | None],
    ) -> None:
        self._settings = settings
        self._timers = timers
        self._topics = topics
        self._offsets = offsets
        self._new_id = new_id
        self._soon = soon
        self._term = term
        self._known: dict[str, Transaction] = {}
        self._overdue: dict[str, Timer] = {}

    def get(self, name: str) -> Transaction | None:
        return self._known.get(name)

    def all(self) -> list[Transaction]:
        """Give every transactional id, by name."""
        return [self._known[name] for name in sorted(self._known)]

    def init(
        self, name: str, timeout: int, expected: Identity | None, now: int
    ) -> tuple[ErrorCode, Identity]:
        """Give the next producer epoch of this id (`timeout` in ms). An open transaction of the one
        before is aborted first, and the client asked to come again."""
        found = self._known.get(name)
        if found is None:
            found = self._known[name] = Transaction(name, self._new_id(), timeout)
        if found.phase is Phase.ONGOING:
            if expected is not None and expected.producer_id != found.producer_id:
                return ErrorCode.producer_fenced, Identity()
            self._abort(found, now)
            return ErrorCode.concurrent_transactions, Identity()
        code = found.init(timeout, expected, self._new_id)
        return code, found.identity if code is ErrorCode.none else Identity()

    def check(self, name: str, given: Identity) -> ErrorCode:
        """Say whether these may work on the transaction now."""
        found = self._known.get(name)
        return ErrorCode.invalid_producer_id_mapping if found is None else found.check(given)

    def add(self, name: str, given: Identity, places: set[Place], now: int) -> ErrorCode:
        """Put partitions into a transaction; the first one begins it."""
        found = self._known.get(name)
        code = ErrorCode.invalid_producer_id_mapping if found is None else found.check(given)
        if found is not None and code is ErrorCode.none:
            begins = found.phase is not Phase.ONGOING
            found.add(places, now)
            if begins:
                self._expect_end(found, now)
        return code

    def holds(self, name: str, given: Identity, place: Place) -> ErrorCode:
        """Say whether a partition is part of a transaction: TRANSACTION_ABORTABLE if not."""
        code = self.check(name, given)
        if code is ErrorCode.none and place not in self._known[name].places:
            return ErrorCode.transaction_abortable
        return code

    def end(
        self, name: str, given: Identity, now: int, *, commit: bool, bump: bool
    ) -> tuple[ErrorCode, Identity]:
        """End a transaction; its markers are written right after the answer. `bump`: the client
        takes its next epoch from the answer (KIP-890)."""
        found = self._known.get(name)
        if found is None:
            return ErrorCode.invalid_producer_id_mapping, Identity()
        before = found.phase
        if bump:
            code = found.end_and_bump(commit, given, now, self._new_id)
        else:
            code = found.end(commit, given, now)
        if code is ErrorCode.none and found.prepared and found.phase is not before:
            self._write(found)
        return code, found.identity if code is ErrorCode.none else Identity()

    def _abort(self, found: Transaction, now: int) -> None:
        found.fence(now)
        self._write(found)

    def _expect_end(self, found: Transaction, now: int) -> None:
        if found.name in self._overdue:
            self._overdue.pop(found.name).cancel()
        step = max(self._settings.transaction_abort_timed_out_transaction_cleanup_interval_ms, 1)
        after = -(-found.timeout // step) * step
        name = found.name

        def look(then: int) -> None:
            if self._term(name) is not None:
                self._abort(found, then)
            else:
                self._overdue[name] = self._timers.at(then + step * MILLISECOND, look)

        self._overdue[name] = self._timers.at(now + after * MILLISECOND, look)

    def _write(self, found: Transaction) -> None:
        if found.name in self._overdue:
            self._overdue.pop(found.name).cancel()
        ending = Ending(found, self._topics, self._offsets)

        def go(now: int) -> None:
            epoch = self._term(found.name)
            if epoch is not None and ending.go(epoch, now):
                found.complete()
            else:
                self._timers.at(now + _AGAIN, go)

        self._soon(go)
