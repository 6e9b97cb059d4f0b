"""DescribeTransactions, ListTransactions, DescribeProducers: what an operator asks (KIP-664).

It knows how to show what others keep. Instants are shown in ms of the cluster's own clock, which
begins anywhere: only their differences mean something; 0 is where Kafka says -1, for none.
"""

from __future__ import annotations

import re
from typing import Any

from kio.schema.errors import ErrorCode

from pytest_mqchaos.kafka_cluster.api.transactions import refuse
from pytest_mqchaos.kafka_cluster.registry import Call
from pytest_mqchaos.kafka_cluster.schema import Values
from pytest_mqchaos.kafka_cluster.timers import MILLISECOND
from pytest_mqchaos.kafka_cluster.transactions.transaction import Phase, Transaction

_STATES = {phase.value for phase in Phase} | {"PrepareEpochFence", "Dead"}
_ANY_AGE = -1


def describe_transactions(call: Call) -> Values:
    """DescribeTransactions: by transactional id."""
    return {"transaction_states": [_described(call, name) for name in call.body.transactional_ids]}


def list_transactions(call: Call) -> Values:
    """ListTransactions: those that this node coordinates, by state, producer id, age and name."""
    body = call.body
    try:
        named = re.compile(getattr(body, "transactional_id_pattern", None) or ".*", re.DOTALL)
    except re.error:
        code = ErrorCode.invalid_regular_expression
        return {"error_code": code, "unknown_state_filters": (), "transaction_states": ()}
    oldest = getattr(body, "duration_filter", _ANY_AGE)
    wanted = [
        {
            "transactional_id": one.name,
            "producer_id": one.producer_id,
            "transaction_state": one.phase.value,
        }
        for one in call.state.transactions.all()
        if refuse(call, one.name) is ErrorCode.none
        and (not body.state_filters or one.phase.value in body.state_filters)
        and (not body.producer_id_filters or one.producer_id in body.producer_id_filters)
        and (oldest <= 0 or _age(call, one) > oldest)
        and named.fullmatch(one.name)
    ]
    return {
        "error_code": ErrorCode.none,
        "unknown_state_filters": [one for one in body.state_filters if one not in _STATES],
        "transaction_states": wanted,
    }


def describe_producers(call: Call) -> Values:
    """DescribeProducers: what this node's copy of a partition remembers of each producer id."""
    return {
        "topics": [
            {
                "name": topic.name,
                "partitions": [_producers(call, topic.name, at) for at in topic.partition_indexes],
            }
            for topic in call.body.topics
        ]
    }


def _described(call: Call, name: str) -> dict[str, Any]:
    found = call.state.transactions.get(name)
    code = refuse(call, name)
    if code is ErrorCode.none and found is None:
        code = ErrorCode.transactional_id_not_found
    if found is None or code is not ErrorCode.none:
        return {
            "error_code": code,
            "transactional_id": name,
            "transaction_state": "",
            "transaction_timeout": 0,
            "transaction_start_time": 0,
            "producer_id": 0,
            "producer_epoch": 0,
            "topics": (),
        }
    topics: dict[str, list[int]] = {}
    for topic, at in sorted(found.places):
        topics.setdefault(topic, []).append(at)
    return {
        "error_code": code,
        "transactional_id": name,
        "transaction_state": found.phase.value,
        "transaction_timeout": found.timeout,
        "transaction_start_time": max(found.began, 0) // MILLISECOND,
        "producer_id": found.producer_id,
        "producer_epoch": found.epoch,
        "topics": [{"topic": name, "partitions": parts} for name, parts in topics.items()],
    }


def _age(call: Call, one: Transaction) -> int:
    return -1 if one.phase is Phase.EMPTY else (call.now - one.began) // MILLISECOND


def _producers(call: Call, topic: str, index: int) -> dict[str, Any]:
    partition = call.state.topics.partition(topic, index)
    replica = None if partition is None else partition.copies.get(call.node)
    if replica is None:
        missing, elsewhere = ErrorCode.unknown_topic_or_partition, ErrorCode.not_leader_or_follower
        code = missing if partition is None else elsewhere
        return {
            "partition_index": index,
            "error_code": code,
            "error_message": None,
            "active_producers": (),
        }
    return {
        "partition_index": index,
        "error_code": ErrorCode.none,
        "error_message": None,
        "active_producers": [
            {
                "producer_id": one.producer_id,
                "producer_epoch": one.epoch,
                "last_sequence": one.last_sequence,
                "last_timestamp": one.last_timestamp,
                "coordinator_epoch": one.coordinator_epoch,
                "current_txn_start_offset": replica.transactions.first_open(one.producer_id),
            }
            for one in replica.producers.shown()
        ],
    }
