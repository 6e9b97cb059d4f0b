"""Which partition of an internal topic stands for a group or a transactional id, as Kafka chooses.

Its leader is the coordinator. It knows the arithmetic, no broker.
"""

from __future__ import annotations

_BITS = 32


def partition_of(key: str, partitions: int) -> int:
    """`Utils.abs(key.hashCode()) % partitions` (GroupCoordinatorService.partitionFor and
    TransactionStateManager.partitionFor of Kafka)."""
    value = 0
    units = key.encode("utf-16-be", "surrogatepass")
    for at in range(0, len(units), 2):
        value = (value * 31 + int.from_bytes(units[at : at + 2])) & ((1 << _BITS) - 1)
    if value >> (_BITS - 1):
        value = (1 << _BITS) - value
    return value % (1 << (_BITS - 1)) % partitions  # the one number without a positive twin is 0
