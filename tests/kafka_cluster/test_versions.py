"""Every version of every served API is answered whole."""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from types import UnionType
from typing import get_args

import pytest
from kio.index import load_request_schema

from pytest_mqchaos.kafka_cluster.apis import APIS
from tests.kafka_cluster.talking import MS, Talker, batch, cluster, frame

VALUES = {
    "acks": 1,
    "min_bytes": 0,
    "session_timeout": 10_000,
    "rebalance_timeout": 10_000,
    "member_id": "",
    "group_instance_id": None,
    "generation_id": -1,
    "generation_id_or_member_epoch": -1,
    "replication_factor": 1,
    "num_partitions": 1,
    "broker_ids": [1],
    "resource_type": 2,
    "endpoint_type": 1,
    "session_epoch": -1,
    "current_leader_epoch": -1,
    "configs": [],
    "assignments": [],
    "topic_partitions": [],
    "subscribed_topic_regex": None,
    "server_assignor": "range",
}


def _filled(schema, topic_id):
    """Plain values for each field: one of everything, all names "t", numbers 0 unless above."""
    values = {}
    for field in fields(schema):
        kind = get_args(field.type)[0] if isinstance(field.type, UnionType) else field.type
        inner = get_args(kind)
        if field.metadata.get("tag") is not None:
            continue
        if field.name in VALUES:
            values[field.name] = VALUES[field.name]
        elif inner and is_dataclass(inner[0]):
            values[field.name] = [_filled(inner[0], topic_id)]
        elif inner:
            values[field.name] = ["t" if issubclass(inner[0], str) else 0]
        else:
            values[field.name] = _one(field.metadata["kafka_type"], topic_id)
    return values


def _one(kind, topic_id):
    plain = {"string": "t", "bool": False, "bytes": b"", "records": batch(), "uuid": topic_id}
    return plain.get(kind, 0)


def _topics(api, filled):
    if api == "CreatePartitions":
        return [filled[0] | {"count": 2, "assignments": None}]
    if api == "CreateTopics":
        return [filled[0] | {"name": "new"}]
    return filled


_NO_SUCH_TRANSACTION = {
    "AddPartitionsToTxn": 49,
    "AddOffsetsToTxn": 49,
    "EndTxn": 49,
    "TxnOffsetCommit": 49,
    "DescribeTransactions": 105,
}


def _refused(api, version):
    """What else some versions may say to such a request."""
    ids_are_wanted = api == "ConsumerGroupHeartbeat" and version >= 1
    by_id = api == "Metadata" and version in {10, 11}
    no_such_group = {69} if api == "ConsumerGroupDescribe" else set()
    no_such_transaction = {_NO_SUCH_TRANSACTION[api]} if api in _NO_SUCH_TRANSACTION else set()
    return ({42} if ids_are_wanted or by_id else set()) | no_such_group | no_such_transaction


@pytest.mark.parametrize("api", APIS.values(), ids=lambda api: api.name)
def test_every_version_is_answered_whole(api):
    for version in range(api.low, api.high + 1):
        brokers = cluster()
        talker = Talker(brokers)
        topic_id = talker.create("t").topic_id
        talker.produce(batch())
        brokers.state.groups.get_or_create("t")
        values = _filled(load_request_schema(api.key, version), topic_id)
        if api.name in {"Produce", "InitProducerId"}:
            values["transactional_id"] = None
        values["topics"] = _topics(api.name, values.get("topics"))
        talker.say(api.key, version, **values)
        brokers.wake(1000 * MS)
        assert brokers.take_failures() == []
        (answer,) = talker.heard()
        assert _codes(answer) <= {0, 25, 79} | _refused(api.name, version), (version, answer)


def _codes(entity) -> set[int]:
    found = set()
    for field in fields(entity):
        value = getattr(entity, field.name)
        if field.name in {"error_code", "partition_error_code"}:
            found.add(int(value))
        elif isinstance(value, tuple):
            for one in value:
                found |= _codes(one) if is_dataclass(one) else set()
    return found


def test_an_answer_that_is_built_once_carries_the_number_of_each_question():
    node = cluster()
    answers = []
    for connection in (node.connect(1, 0), node.connect(1, 0)):
        for correlation in (7, 8):
            node.receive(connection, frame(18, 0, correlation, {}), 0)
            [(_, answer)] = node.take_output()
            assert int.from_bytes(answer[4:8], "big") == correlation
            answers.append(answer[8:])
    assert len(set(answers)) == 1
