"""The transaction coordinator on the wire: InitProducerId, AddPartitionsToTxn, AddOffsetsToTxn,
EndTxn (KIP-98, KIP-360, KIP-890).

It knows versions and codes; what they do is `transactions.py`'s. There is nobody to be authorised.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from kio.schema.errors import ErrorCode

from pytest_mqchaos.kafka_cluster.coordinators import TRANSACTION
from pytest_mqchaos.kafka_cluster.internal_topics import OFFSETS_TOPIC, slot
from pytest_mqchaos.kafka_cluster.registry import Call
from pytest_mqchaos.kafka_cluster.schema import Values, milliseconds
from pytest_mqchaos.kafka_cluster.transactions.transaction import NO_EPOCH, NOBODY, Identity, Place

_FENCED_FROM = {22: 4, 24: 2, 25: 2, 26: 2}  # who is older knows INVALID_PRODUCER_EPOCH only
_INIT, _ADD_PARTITIONS, _ADD_OFFSETS, _END = 22, 24, 25, 26
_BATCHED_FROM = 4  # AddPartitionsToTxn: as brokers ask each other
_BUMPED_FROM = 5  # EndTxn: KIP-890


def init_producer_id(call: Call) -> Values:
    """InitProducerId: a new producer id, or the next epoch of a transactional id."""
    body, name = call.body, call.body.transactional_id
    given = Identity(
        getattr(body, "producer_id", NOBODY), getattr(body, "producer_epoch", NO_EPOCH)
    )
    if (given.producer_id == NOBODY) != (given.epoch == NO_EPOCH):
        return _identified(ErrorCode.invalid_request)
    if name is None:
        return _identified(ErrorCode.none, Identity(call.state.new_producer_id(), 0))
    if not name:
        return _identified(ErrorCode.invalid_request)
    timeout = milliseconds(body.transaction_timeout)
    code = refuse(call, name)
    if code is ErrorCode.none and not 0 < timeout <= call.state.settings.transaction_max_timeout_ms:
        code = ErrorCode.invalid_transaction_timeout
    if code is not ErrorCode.none:
        return _identified(code)
    expected = None if given.producer_id == NOBODY else given
    code, identity = call.state.transactions.init(name, timeout, expected, call.now)
    return _identified(_understood(call, _INIT, code), identity)


def add_partitions(call: Call) -> Values:
    """AddPartitionsToTxn: all or none; from v4 on for several transactions at once."""
    body = call.body
    if call.version < _BATCHED_FROM:
        identity = Identity(body.v3_and_below_producer_id, body.v3_and_below_producer_epoch)
        name, topics = body.v3_and_below_transactional_id, body.v3_and_below_topics
        return {"results_by_topic_v3_and_below": _added(call, name, identity, topics, only=False)}
    results = []
    for one in body.transactions:
        identity = Identity(one.producer_id, one.producer_epoch)
        added = _added(call, one.transactional_id, identity, one.topics, only=one.verify_only)
        results.append({"transactional_id": one.transactional_id, "topic_results": added})
    return {"error_code": ErrorCode.none, "results_by_transaction": results}


def add_offsets(call: Call) -> Values:
    """AddOffsetsToTxn: positions of a group become part of the transaction."""
    body = call.body
    identity = Identity(body.producer_id, body.producer_epoch)
    code = refuse(call, body.transactional_id)
    if code is ErrorCode.none:
        places: set[Place] = {(OFFSETS_TOPIC, slot(body.group_id))}
        code = call.state.transactions.add(body.transactional_id, identity, places, call.now)
    return {"error_code": _understood(call, _ADD_OFFSETS, code)}


def end_txn(call: Call) -> Values:
    """EndTxn: commit or abort. From v5 on the answer has the next epoch."""
    body = call.body
    code = refuse(call, body.transactional_id)
    if code is not ErrorCode.none:
        return _identified(code)
    code, identity = call.state.transactions.end(
        body.transactional_id,
        Identity(body.producer_id, body.producer_epoch),
        call.now,
        commit=body.committed,
        bump=call.version >= _BUMPED_FROM,
    )
    return _identified(_understood(call, _END, code), identity)


def refuse(call: Call, name: str) -> ErrorCode:
    """Say why this node does not coordinate a transactional id, or that it does."""
    if not name:
        return ErrorCode.invalid_request
    return call.state.coordinators.check(TRANSACTION, name, call.node)


def _added(
    call: Call, name: str, identity: Identity, topics: Iterable[Any], *, only: bool
) -> list[dict[str, Any]]:
    asked: list[Place] = [(topic.name, at) for topic in topics for at in topic.partitions]
    codes = _missing(call, asked)
    code = refuse(call, name)
    if codes:
        pass
    elif code is not ErrorCode.none:
        codes = dict.fromkeys(asked, code)
    elif only:
        holds = call.state.transactions.holds
        codes = {place: holds(name, identity, place) for place in asked}
    else:
        code = call.state.transactions.add(name, identity, set(asked), call.now)
        codes = dict.fromkeys(asked, _understood(call, _ADD_PARTITIONS, code))
    by_topic: dict[str, list[dict[str, Any]]] = {}
    for (topic, at), said in codes.items():
        answer = {"partition_index": at, "partition_error_code": said}
        by_topic.setdefault(topic, []).append(answer)
    return [{"name": name, "results_by_partition": many} for name, many in by_topic.items()]


def _missing(call: Call, asked: list[Place]) -> dict[Place, ErrorCode]:
    gone = {place for place in asked if call.state.topics.partition(*place) is None}
    if not gone:
        return {}
    unknown, untouched = ErrorCode.unknown_topic_or_partition, ErrorCode.operation_not_attempted
    return {place: unknown if place in gone else untouched for place in asked}


def _understood(call: Call, api: int, code: ErrorCode) -> ErrorCode:
    """Put a code into words that this version of the client knows."""
    if code is ErrorCode.producer_fenced and call.version < _FENCED_FROM[api]:
        return ErrorCode.invalid_producer_epoch
    return code


def _identified(code: ErrorCode, identity: Identity = Identity()) -> Values:  # noqa: B008 - frozen
    return {
        "error_code": code,
        "producer_id": identity.producer_id,
        "producer_epoch": identity.epoch,
    }
