"""What tests of retention and compaction share: keyed batches, and what a log still has."""

from __future__ import annotations

from pytest_mqchaos.frames import Record
from pytest_mqchaos.kafka_cluster.logs.compaction import records
from pytest_mqchaos.wire.kafka.records import build_batch
from tests.kafka_cluster.talking import MS

SECOND = 1_000 * MS


def keyed(*rows, **more):
    """A batch of (key, value) pairs; a value of None is a tombstone."""
    made = [Record("t", 0, -1, key, value, (), 1000) for key, value in rows]
    return build_batch(made, **more)


def stored(brokers, *, node=None, topic="t"):
    """Every record of partition 0 that a node has, as (offset, key)."""
    partition = brokers.state.topics.partition(topic, 0)
    replica = partition.copies[node or partition.leader]
    return [
        (row.offset, row.key)
        for batch in replica.log.batches(replica.log.start)
        if not batch.control
        for row in records(batch)
    ]


def alter(talker, topic="t", **configs):
    """IncrementalAlterConfigs of a topic: None deletes."""
    rows = [
        {
            "name": name.replace("_", "."),
            "config_operation": 1 if value is None else 0,
            "value": value,
        }
        for name, value in configs.items()
    ]
    resource = {"resource_type": 2, "resource_name": topic, "configs": rows}
    answer = talker.ask(44, 1, resources=[resource], validate_only=False)
    return answer.responses[0].error_code
