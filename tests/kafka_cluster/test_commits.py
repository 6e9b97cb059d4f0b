"""Committed offsets, and groups seen from outside."""

from __future__ import annotations

import pytest

from tests.kafka_cluster.joining import Joiner, stable
from tests.kafka_cluster.talking import Talker, cluster


@pytest.fixture
def brokers():
    brokers = cluster()
    Talker(brokers).create("t")
    return brokers


def test_commits_are_kept_per_group_and_fenced_by_generation(brokers):
    (only,) = stable(brokers, 1)
    assert only.commit(7) == 0
    assert only.commit(9, member_id="", generation_id_or_member_epoch=-1) == 25
    assert only.commit(9, group_id="other") == 22
    assert only.commit(3, group_id="own", generation_id_or_member_epoch=-1, member_id="") == 0
    missing = [{"partition_index": 9, "committed_offset": 1, "committed_metadata": ""}]
    assert only.commit(topics=[{"name": "t", "partitions": missing}]) == 3
    long = [{"partition_index": 0, "committed_offset": 1, "committed_metadata": "m" * 5000}]
    assert only.commit(topics=[{"name": "t", "partitions": long}]) == 12
    only.say_join()
    only.joined()
    assert only.commit(9) == 27  # the leader has not synced yet
    asked = [
        {"group_id": "g", "topics": [{"name": "t", "partition_indexes": [0, 1]}]},
        {"group_id": "own", "topics": None},
        {"group_id": "nobody", "topics": None},
    ]
    groups = only.ask(9, 8, groups=asked, require_stable=True).groups
    told = [
        (one.committed_offset, one.metadata)
        for group in groups
        for topic in group.topics
        for one in topic.partitions
    ]
    assert told == [(7, "m"), (-1, ""), (3, "m")]
    one = only.ask(9, 1, group_id="g", topics=[{"name": "t", "partition_indexes": [0]}])
    assert one.topics[0].partitions[0].committed_offset == 7


def test_groups_are_listed_described_and_deleted_when_empty(brokers):
    (only,) = stable(brokers, 1)
    only.commit(7)
    only.commit(3, group_id="own", generation_id_or_member_epoch=-1, member_id="")
    listed = only.ask(16, 5, states_filter=[], types_filter=[]).groups
    assert [(one.group_id, one.group_state) for one in listed] == [
        ("g", "Stable"),
        ("own", "Empty"),
    ]
    empty = only.ask(16, 5, states_filter=["empty"], types_filter=["Classic"]).groups
    assert [one.group_id for one in empty] == ["own"]
    (described,) = only.ask(15, 6, groups=["g"], include_authorized_operations=False).groups
    assert described.members[0].member_assignment == b"c0"
    codes = [one.error_code for one in only.ask(42, 2, groups_names=["g", "own", "x"]).results]
    assert codes == [68, 0, 69]
    (gone,) = only.ask(15, 6, groups=["own"], include_authorized_operations=False).groups
    assert (gone.error_code, gone.group_state) == (69, "Dead")
    assert only.ask(15, 5, groups=["own"]).groups[0].error_code == 0


def test_another_node_says_that_it_does_not_coordinate():
    brokers = cluster(brokers=2)
    asked = Talker(brokers).ask(10, 4, key_type=0, coordinator_keys=["g"]).coordinators[0]
    other = Joiner(brokers, node=3 - asked.node_id)
    other.say_join()
    assert other.joined().error_code == 16
    other.member = "x"
    assert other.beat() == 16
    refused = other.ask(10, 2, key="x", key_type=2)  # share groups
    assert (refused.error_code, refused.node_id) == (42, -1)
    assert other.ask(13, 5, group_id="g", members=[]).error_code == 16
    other.say_sync()
    assert other.synced()[0] == 16
    assert other.ask(15, 5, groups=["g"]).groups[0].error_code == 16
    assert other.ask(42, 2, groups_names=["g"]).results[0].error_code == 16
    assert other.ask(9, 8, groups=[{"group_id": "g", "topics": None}]).groups[0].error_code == 16
    Talker(brokers).create("t")
    assert other.commit() == 16


def test_a_name_alone_is_no_member(brokers):
    stable(brokers, 1)
    assert Joiner(brokers).commit(group_instance_id="static") == 25
    assert Joiner(brokers).commit(group_id="") == 0  # what an old client calls no group
