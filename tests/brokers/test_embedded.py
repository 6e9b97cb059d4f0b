"""The embedded broker's abilities: each deed is done when its call returns."""

from contextlib import contextmanager

import pytest

from pytest_mqchaos.brokers import base
from pytest_mqchaos.brokers.embedded import EmbeddedKafka
from pytest_mqchaos.brokers.kafka_direct import Direct
from pytest_mqchaos.chaos.host import ABILITIES
from pytest_mqchaos.dataplane.controller import DataPlane
from pytest_mqchaos.errors import BrokerRefused, Impossible, UsageError


@pytest.fixture(scope="module")
def plane():
    with DataPlane() as plane:
        yield plane


@contextmanager
def three_nodes(plane, **more):
    """And a topic with a replica on each."""
    broker = EmbeddedKafka(plane=plane, nodes=3, **more)
    broker.start()
    with Direct(broker.addresses().values()) as direct:
        direct.create_topic("t", replication=3)
        yield broker, direct
    broker.stop()


@pytest.fixture
def three(plane):
    with three_nodes(plane) as found:
        yield found


def alone(broker, node):
    """A client that knows of one node only."""
    return Direct(broker.addresses()[node], timeout=0.3)


def answers(broker, node):
    with alone(broker, node) as direct:
        try:
            return bool(direct.metadata([]).nodes)
        except Exception:  # noqa: BLE001 - whatever it was: it does not answer
            return False


def answers_again(direct, broker, node):
    """Ask until it does, however busy the machine is; raises where it never does."""
    direct._ask.persist("have it back", lambda _: alone(broker, node).metadata([]))


def led_anew(direct, before):
    """Wait until somebody else leads; the topic as it is then."""

    def look(_):
        topic = direct.metadata(["t"]).topics["t"]
        if topic.leaders[0] in (before, -1):
            raise BrokerRefused(f"node {before} leads", 5)
        return topic

    return direct._ask.persist("see another leader", look)


def test_it_has_every_ability(plane):
    broker = EmbeddedKafka(plane=plane)
    assert all(isinstance(broker, getattr(base, name)) for name in (*ABILITIES, "Placed"))


def test_who_is_who(three):
    broker, direct = three
    leader = broker.leader("t", 0)
    assert leader == direct.metadata(["t"]).topics["t"].leaders[0]
    assert sorted((leader, *broker.followers("t", 0))) == [1, 2, 3]
    assert broker.coordinator("group", "g") in (1, 2, 3)
    with pytest.raises(UsageError, match="no partition 7"):
        broker.leader("t", 7)


@pytest.mark.parametrize("deed", ["kill", "power_loss"])
def test_a_dead_node_answers_nobody_and_another_leads(three, deed):
    broker, direct = three
    leader = broker.leader("t", 0)
    getattr(broker, deed)(leader)
    assert not answers(broker, leader)
    getattr(broker, deed)(leader)  # it stays dead: no error
    assert led_anew(direct, leader).epochs[0] == 1
    broker.heal()
    answers_again(direct, broker, leader)


def test_a_paused_node_takes_connections_and_answers_nothing_until_it_goes_on(three):
    broker, direct = three
    broker.pause(2)
    assert not answers(broker, 2)
    broker.resume(2)
    answers_again(direct, broker, 2)


def test_a_leader_moves_at_once_and_says_who_leads(three):
    broker, direct = three
    before = broker.leader("t", 0)
    wanted = broker.followers("t", 0)[-1]
    assert broker.move_leader("t", 0, wanted) == wanted != before
    assert direct.metadata(["t"]).topics["t"].leaders[0] == wanted
    assert broker.move_leader("t", 0) != wanted
    with pytest.raises(UsageError, match="cannot be led by 9"):
        broker.move_leader("t", 0, 9)


def test_a_coordinator_moves(three):
    broker, _ = three
    before = broker.coordinator("group", "g")
    assert broker.move_coordinator("group", "g") == broker.coordinator("group", "g") != before


def test_networks_part_and_heal_and_replication_is_held(plane):
    # By default the others elect a leader of their own within half a second.
    patient = {"broker.session.timeout.ms": 60_000}
    with three_nodes(plane, settings=patient) as (broker, direct):
        leader = broker.leader("t", 0)
        broker.isolate([[leader], [node for node in (1, 2, 3) if node != leader]])
        broker.hold_replication("t", 0)
        broker.release_replication()
        broker.reunite()
        broker.heal()
        assert direct.metadata(["t"]).topics["t"].leaders[0] == leader


def test_an_unknown_deed_and_a_node_that_is_not_there_are_told(three, plane):
    broker, _ = three
    with pytest.raises(UsageError, match=r"unknown deed 'kil'. Did you mean 'kill'"):
        plane.request("fault", deed="kil")
    with pytest.raises(UsageError, match="there is no node 9") as told:
        broker.pause(9)
    assert not isinstance(told.value, Impossible)


def test_what_cannot_be_done_to_a_node_as_it_is_now_is_told_as_that(three):
    broker, _ = three
    broker.pause(2)
    try:
        with pytest.raises(Impossible, match="node 2 is paused; only one that is up can be paused"):
            broker.pause(2)
    finally:
        broker.heal()


def test_without_an_embedded_cluster_there_is_nothing_to_befall():
    with DataPlane() as bare, pytest.raises(UsageError, match="no embedded cluster here"):
        bare.request("fault", deed="kill", node=1)
