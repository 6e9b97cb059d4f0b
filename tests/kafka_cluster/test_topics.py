"""Topics, configs, metadata: what exists and where."""

from __future__ import annotations

from uuid import UUID

import pytest

from tests.kafka_cluster.talking import Talker, cluster


def _metadata(talker, *names, version=12, create=True):
    topics = [{"name": name, "topic_id": None} for name in names] if names else None
    return talker.ask(3, version, topics=topics, allow_auto_topic_creation=create)


def test_metadata_tells_brokers_leaders_and_ids():
    talker = Talker(cluster(brokers=3))
    made = talker.create("t", partitions=6, replicas=2)
    answer = _metadata(talker, "t")
    assert [(one.node_id, one.host, one.port) for one in answer.brokers] == [
        (node, "host", 9000 + node) for node in (1, 2, 3)
    ]
    (topic,) = answer.topics
    assert topic.topic_id == made.topic_id
    assert sorted(one.leader_id for one in topic.partitions) == [1, 1, 2, 2, 3, 3]
    for one in topic.partitions:
        assert one.leader_id == one.replica_nodes[0]
        assert len(set(one.isr_nodes)) == 2
    (by_id,) = talker.ask(3, 12, topics=[{"name": None, "topic_id": made.topic_id}]).topics
    assert by_id.name == "t"
    unknown = {"name": None, "topic_id": UUID(int=7)}
    assert talker.ask(3, 12, topics=[unknown]).topics[0].error_code == 100


def test_topics_are_created_when_asked_for_unless_switched_off():
    talker = Talker(cluster(num_partitions=3))
    assert _metadata(talker, "t", create=False).topics[0].error_code == 3
    assert len(_metadata(talker, "t").topics[0].partitions) == 3
    assert _metadata(talker, "bad name").topics[0].error_code == 17
    strict = Talker(cluster(auto_create_topics_enable=False))
    assert _metadata(strict, "t").topics[0].error_code == 3
    assert _metadata(strict).topics == ()


def test_no_topics_means_none_and_in_v0_all():
    talker = Talker(cluster())
    talker.create("t")
    assert talker.ask(3, 1, topics=[]).topics == ()
    assert [one.name for one in talker.ask(3, 0, topics=[]).topics] == ["t"]
    assert [one.name for one in _metadata(talker).topics] == ["t"]


@pytest.mark.parametrize(
    ("name", "more", "code"),
    [
        ("t", {}, 36),
        ("a/b", {}, 17),
        (".", {}, 17),
        ("x" * 250, {}, 17),
        ("n", {"partitions": 0}, 37),
        ("n", {"replicas": 3}, 38),
        ("n", {"retention_hours": "1"}, 40),
        ("n", {"cleanup_policy": "burn"}, 40),
        ("n", {"retention_ms": "long"}, 40),
    ],
)
def test_bad_creations_are_told(name, more, code):
    talker = Talker(cluster(brokers=2))
    talker.create("t")
    refused = talker.create(name, **more)
    assert refused.error_code == code
    assert refused.error_message
    assert [one.name for one in _metadata(talker).topics] == ["t"]


def test_a_null_config_is_told():
    asked = _creation("t") | {"configs": [{"name": "retention.ms", "value": None}]}
    assert Talker(cluster()).ask(19, 7, topics=[asked], timeout=0).topics[0].error_code == 40


def _creation(name, assignments=(), count=-1, copies=-1):
    given = [{"partition_index": at, "broker_ids": nodes} for at, nodes in assignments]
    counts = {"num_partitions": count, "replication_factor": copies}
    return {"name": name, "assignments": given, "configs": [], **counts}


def test_replicas_can_be_assigned():
    talker = Talker(cluster(brokers=3))
    asked = [
        _creation("good", [(0, [3, 1]), (1, [2, 3])]),
        _creation("gap", [(1, [1])]),
        _creation("twice", [(0, [1, 1])]),
        _creation("both", [(0, [1])], count=1),
        _creation("same"),
        _creation("same"),
    ]
    answer = talker.ask(19, 7, topics=asked, timeout=0)
    codes = {one.name: one.error_code for one in answer.topics}
    assert codes == {"good": 0, "gap": 39, "twice": 39, "both": 42, "same": 42}
    (topic,) = _metadata(talker, "good").topics
    assert [one.replica_nodes for one in topic.partitions] == [(3, 1), (2, 3)]


def test_validating_creates_nothing():
    talker = Talker(cluster())
    answer = talker.ask(19, 7, topics=[_creation("t", count=2)], timeout=0, validate_only=True)
    assert (answer.topics[0].error_code, answer.topics[0].num_partitions) == (0, 2)
    assert _metadata(talker).topics == ()


def test_partitions_can_be_added_never_removed():
    talker = Talker(cluster(brokers=2))
    talker.create("t", partitions=2)

    def grow(name, count, assignments=None, check=False):
        given = None if assignments is None else [{"broker_ids": one} for one in assignments]
        topics = [{"name": name, "count": count, "assignments": given}]
        answer = talker.ask(37, 3, topics=topics, timeout=0, validate_only=check)
        return answer.results[0].error_code

    assert grow("t", 4, check=True) == 0
    assert len(_metadata(talker, "t").topics[0].partitions) == 2
    assert [grow("t", 2), grow("t", 1), grow("x", 2), grow("t", 3, [])] == [37, 37, 3, 39]
    assert (grow("t", 3, [[2]]), grow("t", 5)) == (0, 0)
    partitions = _metadata(talker, "t").topics[0].partitions
    assert [one.partition_index for one in partitions] == list(range(5))
    assert partitions[2].leader_id == 2


def test_a_deleted_topic_is_gone_with_its_commits_and_comes_back_with_a_new_id():
    talker = Talker(cluster())
    first = talker.create("t").topic_id
    part = {"partition_index": 0, "committed_offset": 5, "committed_metadata": ""}
    asked = {"group_id": "g", "generation_id_or_member_epoch": -1, "member_id": ""}
    talker.ask(8, 8, topics=[{"name": "t", "partitions": [part]}], **asked)
    deletions = [{"name": None, "topic_id": first}, {"name": "x", "topic_id": None}]
    answer = talker.ask(20, 6, topics=deletions, timeout=0)
    assert [(one.name, one.error_code) for one in answer.responses] == [("t", 0), ("x", 3)]
    assert talker.create("t").topic_id != first
    groups = talker.ask(9, 8, groups=[{"group_id": "g", "topics": None}]).groups
    assert groups[0].topics == ()
    locked = Talker(cluster(delete_topic_enable=False))
    locked.create("t")
    assert locked.ask(20, 4, topic_names=["t"], timeout=0).responses[0].error_code == 73


def test_configs_are_told_with_their_source():
    talker = Talker(cluster(message_max_bytes=5000))
    made = talker.create("t", retention_ms="1000")
    assert {one.name: one.value for one in made.configs}["retention.ms"] == "1000"

    def described(kind, name, keys=None):
        resource = {"resource_type": kind, "resource_name": name, "configuration_keys": keys}
        answer = talker.ask(32, 4, resources=[resource]).results[0]
        rows = {one.name: (one.value, one.config_source) for one in answer.configs}
        return answer.error_code, rows

    code, rows = described(2, "t")
    assert code == 0
    assert rows["retention.ms"] == ("1000", 1)
    assert rows["max.message.bytes"] == ("5000", 4)
    assert rows["cleanup.policy"] == ("delete", 5)
    assert described(2, "t", ["segment.ms"])[1].keys() == {"segment.ms"}
    assert described(4, "1")[1]["message.max.bytes"] == ("5000", 4)
    assert described(4, "1")[1]["auto.create.topics.enable"] == ("true", 5)
    assert described(4, "") == (0, {})
    assert [described(2, "x")[0], described(4, "2")[0], described(8, "1")[0]] == [3, 42, 42]


def test_the_cluster_is_described():
    talker = Talker(cluster(brokers=2))
    answer = talker.ask(60, 1, endpoint_type=1)
    assert [one.broker_id for one in answer.brokers] == [1, 2]
    assert answer.cluster_id == _metadata(talker).cluster_id
    assert talker.ask(60, 1, endpoint_type=2).error_code == 114
