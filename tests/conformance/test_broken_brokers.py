"""What befalls brokers while messages are read, as each consumer sees it: three embedded brokers.

What a consumer had committed stands; at most the message in work comes again.
"""

from __future__ import annotations

import threading

import pytest

from pytest_mqchaos import ChaosBroker, on
from tests.conformance.consuming import TAKERS, well
from tests.conformance.conversing import FIVE, conversation, shows

HARM = {
    "kill": lambda at: at.kill_broker("leader", restart_after=0.1),
    "pause": lambda at: at.pause_broker("leader", for_=0.7),
    "restart": lambda at: at.restart_broker("leader"),
    "power": lambda at: at.power_loss("leader", restart_after=0.1),
    "partition": lambda at: at.partition("leader", for_=0.7),
    "move": lambda at: at.move_leader(),
    "coordinator": lambda at: at.kill_broker("coordinator"),
    "all": lambda at: at.kill_broker("all", restart_after=0.1),
}
PLACES = {
    "deliver": on.deliver(id="p3"),
    "ack": on.ack(nth=3),
    "control": on.control(api="JoinGroup", client="test", nth=1),
}
IMPOSSIBLE = {("deliver", "coordinator"), ("control", "move")}
OWN_WAYS = {
    # poll() raises when nobody at all can be reached, and when the coordinator is lost in a join.
    *(("kafka-python", place, "all") for place in PLACES),
    ("kafka-python", "control", "coordinator"),
    # aiokafka 0.14 takes a ListOffsets that is answered NOT_LEADER to the same node again and again
    # and does not look for another leader: a consumer that begins then is stuck for minutes.
    *(
        ("aiokafka", "control", harm)
        for harm in ("all", "kill", "pause", "power", "restart", "coordinator")
    ),
}
CASES = [
    (client, place, harm)
    for client in TAKERS
    for place in PLACES
    for harm in HARM
    if (place, harm) not in IMPOSSIBLE and (client, place, harm) not in OWN_WAYS
]
VERBS = ("kill_broker", "pause_broker", "restart_broker", "power_loss", "partition")


@pytest.fixture(scope="module")
def embedded():
    with ChaosBroker("kafka", "embedded") as broker:
        yield broker


@shows("deliver", *VERBS, "move_leader")
@shows("ack", *VERBS, "move_leader")
@shows("control", *VERBS)
@pytest.mark.parametrize(("client", "place", "harm"), CASES)
def test_a_consumer_lives_through_it(embedded, client, place, harm):
    with conversation(embedded, nodes=3) as seen:
        seen.publish()
        seen.chaos.arm(HARM[harm](PLACES[place]))
        steps = TAKERS[client](seen.servers, seen.topic, seen.group, last="p5")
        done = [step for step in steps if step.error is None]
        assert sorted(set(done)) == well(*FIVE), (steps, seen.acks)
        seen.chaos.armed[-1].wait()
        seen.chaos.settle()
        assert seen.stored == FIVE
        assert seen.fired == [1]


@shows("deliver", "expire")
@pytest.mark.parametrize("client", TAKERS)
def test_what_expired_before_it_was_read_is_never_read(embedded, client):
    with conversation(embedded) as seen:
        seen.publish("p1", "p2")
        rule = seen.chaos.arm(on.deliver(nth=1).expire())

        def later():
            rule.wait()
            seen.publish("p3", "p4", "p5")

        others = threading.Thread(target=later)
        others.start()
        steps = TAKERS[client](seen.servers, seen.topic, seen.group, last="p5")
        others.join()
        assert steps == well("p3", "p4", "p5")
        assert seen.stored == ["p3", "p4", "p5"]
        assert seen.chaos.history.starts == {(seen.topic, 0): 2}
        for step in steps:
            seen.chaos.effects.record(step.id)
        verdict = seen.chaos.check("lossless")
        assert [(f.id, f.where) for f in verdict.findings] == [
            (one, "stored then gone (retention)") for one in ("p1", "p2")
        ]
