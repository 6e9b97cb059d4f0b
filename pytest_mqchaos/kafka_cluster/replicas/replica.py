"""One replica of one partition on one node: its log and all that is derived from the log.

It knows how to append, truncate and be watched; it must never know who leads or who else holds a
copy. What of it survives the end of its process is here too: everything that was appended, or, when
the power went, only what was flushed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from kio.schema.errors import ErrorCode

from pytest_mqchaos.kafka_cluster.logs.batches import Batch
from pytest_mqchaos.kafka_cluster.logs.epochs import Epochs
from pytest_mqchaos.kafka_cluster.logs.flushing import NEVER, Flushed, Policy
from pytest_mqchaos.kafka_cluster.logs.log import Log
from pytest_mqchaos.kafka_cluster.logs.producers import Producers
from pytest_mqchaos.kafka_cluster.logs.transaction_index import TransactionIndex


@dataclass(slots=True, eq=False)
class Watch:
    """Somebody who wants to hear that there is more to read; `cancel` ends it."""

    act: Callable[[int], None] | None

    def cancel(self) -> None:
        self.act = None


class Replica:
    """`high_watermark`: what this node knows of it; readers see what is below."""

    __slots__ = (
        "_flushed",
        "_watches",
        "epochs",
        "high_watermark",
        "log",
        "node",
        "producers",
        "transactions",
    )

    def __init__(self, node: int, flush: Policy = NEVER) -> None:
        self.node = node
        self._flushed = None if flush == NEVER else Flushed(flush)
        self.log = Log()
        self.epochs = Epochs()
        self.producers = Producers()
        self.transactions = TransactionIndex()
        self.high_watermark = 0
        self._watches: list[Watch] = []

    @property
    def last_stable(self) -> int:
        """Below it every transaction has ended, for good."""
        return self.transactions.last_stable(self.high_watermark)

    def append(self, placed: Batch, now: int) -> None:
        """Take a batch that has its offsets already: they must be the log's next."""
        self.log.append(placed, now)
        self.epochs.note(placed.leader_epoch, placed.base)
        self.producers.remember(placed)
        self.transactions.observe(placed)
        if self._flushed is not None:
            self._flushed.appended(self.log.end, now)

    def truncate_to(self, offset: int) -> None:
        """Drop every batch that reaches to `offset` or beyond, and what was derived from it."""
        if offset >= self.log.end:
            return
        self.log.truncate_to(offset)
        self.epochs.truncate_to(self.log.end)
        self.producers = Producers.after(self.producers, self.log)
        self.transactions.truncate_to(self.log.end)
        self.high_watermark = min(self.high_watermark, self.log.end)
        if self._flushed is not None:
            self._flushed.truncated(self.log.end)

    def lose_power(self, now: int) -> None:
        """Keep only what is on the disk."""
        flushed = 0 if self._flushed is None else self._flushed.offset(now)
        self.truncate_to(max(flushed, self.log.start))

    def restart_at(self, offset: int) -> None:
        """Begin anew at `offset`, empty: what the leader has begins behind all that is here."""
        self.log.restart_at(offset)
        self.epochs = Epochs()
        self.producers = Producers()
        self.transactions = TransactionIndex()
        self.high_watermark = offset

    def check_offset(self, offset: int) -> ErrorCode:
        """Say whether a reader may stand at this offset."""
        if self.log.start <= offset <= self.log.end:
            return ErrorCode.none
        return ErrorCode.offset_out_of_range

    def delete_before(self, offset: int) -> None:
        """Move the log's start; nothing below the high watermark may be readable twice."""
        self.log.delete_before(offset)
        self.high_watermark = max(self.high_watermark, self.log.start)

    def learn(self, high_watermark: int, now: int) -> None:
        """Hear of a high watermark; it never goes back, nor beyond what is here."""
        reached = min(high_watermark, self.log.end)
        if reached > self.high_watermark:
            self.high_watermark = reached
            if self._watches:
                self.stir(now)

    def watch(self, act: Callable[[int], None]) -> Watch:
        """Have `act(now)` called at each change that a reader could see, until cancelled."""
        watch = Watch(act)
        self._watches = [one for one in self._watches if one.act is not None]
        self._watches.append(watch)
        return watch

    def stir(self, now: int) -> None:
        """Tell everybody who watches (more to read, another leader, deletion)."""
        for watch in self._watches.copy():
            if watch.act is not None:
                watch.act(now)
