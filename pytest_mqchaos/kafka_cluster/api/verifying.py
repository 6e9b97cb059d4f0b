"""Whether a write belongs to a transaction: asked of its coordinator by whoever takes the write.

It knows KIP-890: new clients' writes add their partition to the transaction, those of older ones
are refused unless the client has added it. It must never know what is written.
"""

from __future__ import annotations

from enum import Enum

from kio.schema.errors import ErrorCode

from pytest_mqchaos.kafka_cluster.coordinators import TRANSACTION
from pytest_mqchaos.kafka_cluster.state import State
from pytest_mqchaos.kafka_cluster.transactions.transaction import Identity, Place


class Support(Enum):
    """What a client's version of a request lets it understand."""

    OLD = "neither"
    ABORTABLE = "TRANSACTION_ABORTABLE"
    ADDS = "partitions are added by writing to them"

    @classmethod
    def of(cls, version: int, *, adds: int, abortable: int) -> Support:
        """Give it for a version, by the first ones that can."""
        if version >= adds:
            return cls.ADDS
        return cls.ABORTABLE if version >= abortable else cls.OLD


def verify(
    state: State, name: str | None, given: Identity, place: Place, support: Support, now: int
) -> ErrorCode:
    """Ask the coordinator of transactional id `name` (whichever node that is)."""
    if not name:
        return ErrorCode.invalid_request
    if not state.coordinators.at_work(TRANSACTION, name):
        return ErrorCode.coordinator_not_available
    if support is Support.ADDS:
        code = state.transactions.add(name, given, {place}, now)
    else:
        code = state.transactions.holds(name, given, place)
    if code is ErrorCode.producer_fenced:
        return ErrorCode.invalid_producer_epoch
    if code is ErrorCode.transaction_abortable and support is Support.OLD:
        return ErrorCode.invalid_txn_state
    return code
