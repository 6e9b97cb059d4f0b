"""The two topics in which Kafka's coordinators keep what they know, and where a name lands in them.

It knows names and numbers; it must never know what is kept there.
"""

from __future__ import annotations

from pytest_mqchaos.wire.kafka.coordinators import partition_of

OFFSETS_TOPIC, TRANSACTIONS_TOPIC = "__consumer_offsets", "__transaction_state"
_PARTITIONS = 50  # of either: offsets.topic.num.partitions, transaction.state.log.num.partitions


def slot(key: str) -> int:
    """Give the partition of a group (in the one) or of a transactional id (in the other)."""
    return partition_of(key, _PARTITIONS)
