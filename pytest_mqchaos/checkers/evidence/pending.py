"""Records of an output topic that nobody can read yet, since they stand behind the begin of a
transaction that nobody has ended. Those of that transaction never become effects if it is aborted;
what others committed behind it will. Until it ends an answer that hangs on them is unknown.

It knows which ids they have; it must never know what else a question found.
"""

from __future__ import annotations

from pytest_mqchaos.checkers.doubts import Doubt
from pytest_mqchaos.checkers.evidence.fenced import fenced
from pytest_mqchaos.checkers.wording import listed, number
from pytest_mqchaos.history.index import Index

OPEN = "behind the begin of a transaction that nobody has ended"
PENDING = f"its record in an output topic stands {OPEN}"
END_IT = (
    "wait until that transaction has timed out: chaos.settle(timeout=...), longer than the "
    "transaction.timeout.ms of the producer that left it. A smaller one makes the test quicker; "
    "nothing stays open where the service keeps its transactional.id from start to start"
)


def end_it(index: Index) -> str:
    """What to do about a transaction that nobody has ended."""
    return fenced(index) or END_IT


def pending_doubts(index: Index) -> list[Doubt]:
    """The doubt that touches every question about effects that are there."""
    ids = index.history.pending - index.history.expected.all()
    if not ids:
        return []
    has = "has a record" if len(ids) == 1 else "have records"
    return [
        Doubt(
            sentence=f"{number(len(ids), 'message')} {has} in an output topic {OPEN}, which may "
            f"become effects: {listed(sorted(ids))}",
            missing=end_it(index),
        )
    ]
