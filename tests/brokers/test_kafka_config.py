"""What a node is told."""

from pathlib import Path

import pytest

from pytest_mqchaos.brokers.kafka_config import NodeConfig, new_cluster_id


def config(**changes):
    given = {"node": 1, "cluster": "c" * 22, "port": 20001, "voters": {1: 20002},
             "data": Path("/data"), "replication": 1, "extra": {}}  # fmt: skip
    return NodeConfig(**{**given, **changes})


def read(text):
    return dict(line.split("=", 1) for line in text.splitlines())


def test_everything_listens_on_the_loopback():
    told = read(config().properties())
    assert told["listeners"] == "PLAINTEXT://127.0.0.1:20001,CONTROLLER://127.0.0.1:20002"
    assert told["advertised.listeners"] == "PLAINTEXT://127.0.0.1:20001"
    assert told["controller.quorum.voters"] == "1@127.0.0.1:20002"


@pytest.mark.parametrize(
    ("nodes", "in_sync"), [(1, "1"), (3, "2")], ids=["one node", "three nodes"]
)
def test_internal_topics_are_replicated_as_far_as_there_are_nodes(nodes, in_sync):
    voters = {n: 20000 + n for n in range(1, nodes + 1)}
    told = read(config(voters=voters, replication=nodes).properties())
    assert told["offsets.topic.replication.factor"] == str(nodes)
    assert told["transaction.state.log.min.isr"] == in_sync
    assert len(told["controller.quorum.voters"].split(",")) == nodes


def test_a_controller_apart_has_no_door_for_clients():
    told = read(config(node=100, port=None, voters={100: 20009}).properties())
    assert told["process.roles"] == "controller"
    assert told["listeners"] == "CONTROLLER://127.0.0.1:20009"
    assert "advertised.listeners" not in told


def test_a_broker_beside_a_controller_is_none_itself():
    told = read(config(node=2, voters={100: 20009}, replication=3).properties())
    assert told["process.roles"] == "broker"
    assert told["listeners"] == "PLAINTEXT://127.0.0.1:20001"
    assert told["controller.quorum.voters"] == "100@127.0.0.1:20009"


def test_only_several_nodes_notice_sooner_that_a_follower_is_missing():
    assert "replica.lag.time.max.ms" not in read(config().properties())
    told = read(config(voters={100: 20009}, replication=3).properties())
    assert int(told["replica.fetch.wait.max.ms"]) < int(told["replica.lag.time.max.ms"]) <= 1500
    assert told["auto.leader.rebalance.enable"] == "false"


def test_defaults_that_clients_notice():
    told = read(config().properties())
    assert told["group.initial.rebalance.delay.ms"] == "150"
    assert told["auto.create.topics.enable"] == "true"


def test_the_users_own_settings_win():
    told = read(config(extra={"auto.create.topics.enable": "false", "x": "a\\b"}).properties())
    assert told["auto.create.topics.enable"] == "false"
    assert told["x"] == "a\\\\b"


def test_the_identity_needs_no_format_tool():
    assert read(config(node=7).meta()) == {"version": "1", "cluster.id": "c" * 22, "node.id": "7"}


def test_cluster_ids_are_as_kafka_makes_them():
    ids = {new_cluster_id() for _ in range(20)}
    assert len(ids) == 20
    assert {len(each) for each in ids} == {22}
