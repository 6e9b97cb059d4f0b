"""AlterConfigs and IncrementalAlterConfigs of topics."""

from __future__ import annotations

import pytest

from tests.kafka_cluster.keeping import alter
from tests.kafka_cluster.talking import Talker, batch, cluster


@pytest.fixture
def talker():
    talker = Talker(cluster())
    talker.create("t", retention_ms="1000")
    return talker


def _own(talker):
    return talker.cluster.state.topics.get("t").configs


def _set(talker, configs, *, kind=2, name="t", only_check=False):
    rows = [{"name": key, "value": value} for key, value in configs]
    resource = {"resource_type": kind, "resource_name": name, "configs": rows}
    answer = talker.ask(33, 1, resources=[resource], validate_only=only_check)
    return answer.responses[0].error_code


def _step(talker, operation, name, value):
    row = {"name": name, "config_operation": operation, "value": value}
    resource = {"resource_type": 2, "resource_name": "t", "configs": [row]}
    answer = talker.ask(44, 1, resources=[resource], validate_only=False)
    return answer.responses[0].error_code


def test_all_of_a_topics_configs_are_replaced(talker):
    assert _set(talker, [("segment.bytes", "100")], only_check=True) == 0
    assert _own(talker) == {"retention.ms": "1000"}
    assert _set(talker, [("segment.bytes", "100")]) == 0
    assert _own(talker) == {"segment.bytes": "100"}


def test_single_configs_are_set_deleted_and_listed(talker):
    assert alter(talker, retention_bytes="5") == 0
    assert _step(talker, 2, "cleanup.policy", "compact") == 0
    assert _own(talker)["cleanup.policy"] == "delete,compact"
    assert _step(talker, 3, "cleanup.policy", "delete") == 0
    assert alter(talker, retention_ms=None) == 0
    assert _own(talker) == {"retention.bytes": "5", "cleanup.policy": "compact"}


def test_what_cannot_be_is_told(talker):
    assert _set(talker, [("retention.ms", "1")], name="x") == 3
    assert _set(talker, [("retention.ms", "1")], kind=4, name="1") == 42
    assert _set(talker, [("retention.ms", "1"), ("retention.ms", "2")]) == 42
    for name, value in (
        ("nothing", "1"),
        ("retention.ms", "x"),
        ("retention.ms", "-2"),
        ("segment.bytes", "13"),
        ("min.cleanable.dirty.ratio", "x"),
        ("cleanup.policy", "compact,burn"),
        ("flush.ms", "1"),
    ):
        assert _step(talker, 0, name, value) == 40, (name, value)
    assert _step(talker, 2, "retention.ms", "1") == 40
    assert _step(talker, 0, "retention.ms", None) == 42
    assert _own(talker) == {"retention.ms": "1000"}


def test_a_smaller_in_sync_set_is_enough_at_once():
    brokers = cluster(brokers=2)
    talker = Talker(brokers)
    talker.create("t", replicas=1, min_insync_replicas="1")
    node = brokers.state.topics.partition("t", 0).leader
    mine = Talker(brokers, node=node)
    assert alter(mine, min_insync_replicas="2") == 0  # never more than there are replicas
    assert mine.produce(batch()).error_code == 0
