"""What a cluster is made of, without starting it."""

import pytest

from pytest_mqchaos.brokers.java import Java
from pytest_mqchaos.brokers.kafka_node import Software
from pytest_mqchaos.brokers.kafka_nodes import CONTROLLER, count, new_nodes
from pytest_mqchaos.errors import UsageError

SOFTWARE = Software(java=Java(path="java", major=17, banner="none"), classpath=(), version="0")


@pytest.fixture
def made():
    """Makes clusters, and gives their ports and directories back."""
    nodes = []

    def make(brokers):
        nodes.append(new_nodes(brokers, SOFTWARE, {}))
        return nodes[-1]

    yield make
    for each in nodes:
        for node in each.every():
            node.close()


def told(node):
    lines = (node.child.directory / "server.properties").read_text().splitlines()
    return dict(line.split("=", 1) for line in lines)


def test_one_broker_is_its_own_controller(made):
    (node,) = made(1).every()
    assert told(node)["process.roles"] == "broker,controller"
    assert told(node)["default.replication.factor"] == "1"


def test_several_have_a_controller_apart_that_starts_first(made):
    nodes = made(3)
    controller, *brokers = nodes.every()
    assert (controller.id, told(controller)["process.roles"]) == (CONTROLLER, "controller")
    assert [node.id for node in brokers] == list(nodes.brokers) == [1, 2, 3]
    assert {told(node)["process.roles"] for node in brokers} == {"broker"}
    assert len({node.address for node in nodes.every()}) == 4
    voters = {told(node)["controller.quorum.voters"] for node in nodes.every()}
    assert voters == {f"{CONTROLLER}@{controller.address}"}
    identity = {(n.child.directory / "data" / "meta.properties").read_text() for n in brokers}
    assert len({text.split("node.id")[0] for text in identity}) == 1  # of one cluster


@pytest.mark.parametrize("nodes", [0, -1, 6, 2.0, True, "3", None])
def test_a_number_that_cannot_be_is_told_with_what_can(nodes):
    with pytest.raises(UsageError, match=r"has 1 to 5 nodes, asked were .*3 are enough"):
        count(nodes)
