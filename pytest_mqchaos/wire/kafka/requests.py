"""The requests that recipes send on connections of their own, as whole frames.

Default versions are old enough for every broker since Kafka 2.4 and still served by 4.x, because a
side connection does not negotiate. Times are milliseconds. `error_reply` and its kin (the answers
that recipes make) are reachable from here too.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pytest_mqchaos.wire.kafka.apis import (
    DELETE_RECORDS,
    END_TXN,
    INIT_PRODUCER_ID,
    JOIN_GROUP,
    LEAVE_GROUP,
)
from pytest_mqchaos.wire.kafka.entities import write_request
from pytest_mqchaos.wire.kafka.error_codes import code_of as error_code
from pytest_mqchaos.wire.kafka.replies import (
    REFUSABLE,
    error_reply,
    reply_error_code,
    with_correlation,
)

__all__ = (
    "REFUSABLE",
    "delete_records",
    "end_txn",
    "error_code",
    "error_reply",
    "init_producer_id",
    "join_group",
    "leave_group",
    "reply_error_code",
    "with_correlation",
)
CLIENT = "mqchaos"


def leave_group(
    group: str,
    member: str,
    *,
    instance: str | None = None,
    version: int = 3,
    correlation: int = 1,
    client: str | None = CLIENT,
) -> bytes:
    """LeaveGroup for one member; `instance` names a static member (KIP-345)."""
    one = {"member_id": member, "group_instance_id": instance}
    fields = {"group_id": group, "member_id": member, "members": [one]}
    return write_request(LEAVE_GROUP, version, correlation, client, fields)


def join_group(  # noqa: PLR0913 - each argument is one field of the request
    group: str,
    member: str = "",
    *,
    protocols: Sequence[tuple[str, bytes]],
    protocol_type: str = "consumer",
    instance: str | None = None,
    session_timeout: int = 10_000,
    rebalance_timeout: int = 60_000,
    version: int = 5,
    correlation: int = 1,
    client: str | None = CLIENT,
) -> bytes:
    """JoinGroup; `protocols` are (assignor name, subscription bytes), best first."""
    fields = {
        "group_id": group,
        "session_timeout": session_timeout,
        "rebalance_timeout": rebalance_timeout,
        "member_id": member,
        "group_instance_id": instance,
        "protocol_type": protocol_type,
        "protocols": [{"name": name, "metadata": metadata} for name, metadata in protocols],
    }
    return write_request(JOIN_GROUP, version, correlation, client, fields)


def delete_records(
    offsets: Mapping[tuple[str, int], int],
    *,
    timeout: int = 10_000,
    version: int = 1,
    correlation: int = 1,
    client: str | None = CLIENT,
) -> bytes:
    """DeleteRecords: (topic, partition) -> the first offset that stays; -1 = the high watermark."""
    topics: dict[str, list[dict[str, int]]] = {}
    for (topic, partition), offset in offsets.items():
        topics.setdefault(topic, []).append({"partition_index": partition, "offset": offset})
    fields = {
        "topics": [{"name": name, "partitions": parts} for name, parts in topics.items()],
        "timeout": timeout,
    }
    return write_request(DELETE_RECORDS, version, correlation, client, fields)


def init_producer_id(
    transactional_id: str | None,
    *,
    transaction_timeout: int = 60_000,
    version: int = 1,
    correlation: int = 1,
    client: str | None = CLIENT,
) -> bytes:
    """InitProducerId; with a transactional id it fences the producer that holds it (90)."""
    fields = {"transactional_id": transactional_id, "transaction_timeout": transaction_timeout}
    return write_request(INIT_PRODUCER_ID, version, correlation, client, fields)


def end_txn(
    transactional_id: str,
    producer_id: int,
    producer_epoch: int,
    *,
    committed: bool,
    version: int = 1,
    correlation: int = 1,
    client: str | None = CLIENT,
) -> bytes:
    """EndTxn: commit or abort the open transaction."""
    fields = {
        "transactional_id": transactional_id,
        "producer_id": producer_id,
        "producer_epoch": producer_epoch,
        "committed": committed,
    }
    return write_request(END_TXN, version, correlation, client, fields)
