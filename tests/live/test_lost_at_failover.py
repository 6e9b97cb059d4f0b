"""R15 on three real brokers: what only the leader had is gone with it, and said to be."""

import pytest

from fixtures.kafka import r15_acks_one as r15
from pytest_mqchaos import on
from pytest_mqchaos.chaos.config import Config
from pytest_mqchaos.chaos.host import ChaosBroker
from pytest_mqchaos.plan.rules import Plan

pytestmark = pytest.mark.live
KILL = on.publish(topic=r15.TOPIC, nth=2).kill_broker("leader", unreplicated=True)
GONE = "stored then gone (leader change)"


@pytest.fixture(scope="module")
def cluster(kafka_installed):
    with ChaosBroker("kafka", "process", config=Config(nodes=3)) as host:
        yield host


def judged(cluster, acks):
    """The verdict on three orders, of which the second is confirmed by a leader that then dies."""
    with cluster.chaos(Plan(), id="json:/order_id", own_assertions=True) as chaos:
        least = 1 if acks == 1 else 2
        chaos.topic(r15.TOPIC, replication=2 if acks == 1 else 3, min_insync=least)
        armed = chaos.arm(KILL)
        with chaos.worker(r15.place_orders, chaos.bootstrap_servers, acks):
            chaos.settle()
        with chaos.worker(r15.ship, chaos.bootstrap_servers, chaos.effects.record):
            chaos.settle()
        assert armed.fired == 1, armed
        return chaos.check("lossless")


def test_with_acks_1_the_confirmed_order_is_gone(cluster):
    verdict = judged(cluster, 1)
    assert verdict.status == "failed"
    assert [(f.id, f.what, f.where) for f in verdict.findings] == [("order-2", "lost", GONE)]
    assert "min.insync.replicas=2" in verdict.advice


def test_with_acks_all_and_two_in_sync_nothing_is(cluster):
    assert judged(cluster, "all").status == "passed"
