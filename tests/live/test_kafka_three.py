"""Three real brokers beside their controller: what is done to a node, and that it is mended."""

import asyncio
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest
from aiokafka import AIOKafkaProducer

from pytest_mqchaos.brokers.kafka_direct import Direct
from pytest_mqchaos.brokers.kafka_process import KafkaProcess
from pytest_mqchaos.errors import UsageError
from tests.brokers import questions
from tests.brokers.test_child import ended

pytestmark = pytest.mark.live
NODES = (1, 2, 3)


@pytest.fixture(scope="module")
def running(kafka_installed):
    broker = KafkaProcess(nodes=3)
    broker.start()
    yield broker
    broker.stop()


@pytest.fixture
def kafka(running):
    """Three brokers, mended after the test whatever the test did to them."""
    yield running
    running.heal()


@pytest.fixture
def direct(kafka):
    with Direct(kafka.addresses().values(), timeout=20) as direct:
        yield direct


@pytest.fixture
def topic(direct):
    """One partition, three copies, two of which have to confirm; it holds one message."""
    name = questions.fresh("copied")
    direct.create_topic(name, 1, 3, {"min.insync.replicas": 2})
    direct.write(name, 0, b"before")
    return name


def values(direct, topic):
    start, end = direct.ends([topic])[topic, 0]
    return [record.value for record in direct.read(topic, 0, start, end)]


def test_every_node_is_there_with_an_address_of_its_own(kafka, direct):
    assert tuple(kafka.addresses()) == NODES
    assert direct.metadata(()).nodes == kafka.addresses()


@pytest.mark.parametrize("harm", ["kill", "pause"])
def test_another_leads_when_the_leader_is_gone_and_all_are_in_sync_again(
    kafka, direct, topic, harm
):
    before = kafka.leader(topic, 0)
    getattr(kafka, harm)(before)
    direct.write(topic, 0, b"meanwhile")
    assert direct.placing(topic, 0)[0] not in (-1, before)  # of the node that led the writer there
    kafka.heal()
    told = direct.metadata([topic]).topics[topic]
    assert sorted(told.in_sync[0]) == list(NODES)
    # A write whose answer is late is sent again: then the log has it twice.
    assert list(dict.fromkeys(values(direct, topic))) == [b"before", b"meanwhile"]
    assert kafka.died() is None


def test_all_brokers_can_die_and_come_back_with_what_they_had(kafka, direct, topic):
    for node in NODES:
        kafka.kill(node)
    kafka.heal()
    assert values(direct, topic) == [b"before"]


def test_a_restarted_follower_follows_again(kafka, direct, topic):
    follower = kafka.followers(topic, 0)[0]
    kafka.restart(follower)
    kafka.heal()
    assert follower in direct.metadata([topic]).topics[topic].in_sync[0]


def test_leadership_moves_without_harm(kafka, direct, topic):
    seen = [kafka.leader(topic, 0)]
    for _ in range(3):
        seen.append(kafka.move_leader(topic, 0))
        assert kafka.leader(topic, 0) == seen[-1]
    assert set(seen) == set(NODES)
    assert seen[3] == seen[0]
    assert kafka.move_leader(topic, 0, seen[1]) == seen[1]
    with pytest.raises(UsageError, match="node 9 holds no copy of"):
        kafka.move_leader(topic, 0, 9)
    assert values(direct, topic) == [b"before"]


def test_a_coordinator_is_found_and_moved(kafka, direct):
    group = questions.fresh("coordinated")
    assert direct.committed(group) == {group: {}}
    before = kafka.coordinator("group", group)
    assert before in NODES
    after = kafka.move_coordinator("group", group)
    assert kafka.coordinator("group", group) == after != before
    with pytest.raises(UsageError, match=r"a 'group' or of a 'transaction', not of 'queue'"):
        kafka.coordinator("queue", group)


def test_what_is_stored_while_followers_are_held_is_the_leaders_alone(kafka, direct):
    topic = questions.fresh("held")
    direct.create_topic(topic, 1, 2, {"min.insync.replicas": 1})
    direct.write(topic, 0, b"both")
    leader = kafka.leader(topic, 0)

    async def alone():
        """Within 1.5 s: after that the follower is in sync no more, and could not lead."""
        at = str(kafka.addresses()[leader])
        async with AIOKafkaProducer(bootstrap_servers=at, acks=1) as producer:
            await producer.partitions_for(topic)
            assert await producer.client.ready(leader)
            kafka.hold_replication(topic, 0)
            await producer.send_and_wait(topic, b"alone", partition=0)
            kafka.kill(leader)

    asyncio.run(alone())
    kafka.release_replication()
    direct.write(topic, 0, b"after")  # the follower leads now
    kafka.heal()
    assert values(direct, topic) == [b"both", b"after"]


def test_replication_is_held_of_one_partition_only(kafka, topic):
    with pytest.raises(UsageError, match="one partition only"):
        kafka.hold_replication()
    with pytest.raises(UsageError, match=f"node {kafka.leader(topic, 0)} does not follow"):
        kafka.hold_replication(topic, 0, kafka.leader(topic, 0))


PARENT = """
import sys
from pytest_mqchaos.brokers.kafka_process import KafkaProcess
broker = KafkaProcess(nodes=3)
broker.start()
print(*[node.child.pid for node in broker._nodes.every()], flush=True)
print(*[node.child.directory for node in broker._nodes.every()], flush=True)
sys.stdin.read()
"""


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_a_test_run_that_ends_leaves_no_node(kafka_installed, how):
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )  # fmt: skip
    pids = [int(pid) for pid in parent.stdout.readline().split()]
    directories = [Path(each.decode()) for each in parent.stdout.readline().split()]
    assert len(pids) == len(directories) == 4
    assert all(map(psutil.pid_exists, pids))
    leash = psutil.Process(pids[0]).parent().pid
    parent.send_signal(how)
    parent.communicate()
    assert all(map(ended, [*pids, leash]))
    assert not any(map(Path.exists, directories))
