"""Process faults on real Kafka, each at an exact frame: data is kept, and all is healed after."""

from __future__ import annotations

import pytest

from pytest_mqchaos import ChaosBroker, Plan, on
from tests.conformance.consuming import TAKERS, well
from tests.conformance.conversing import FIVE, conversation, shows
from tests.conformance.producing import SENDERS, errors

pytestmark = pytest.mark.live


@pytest.fixture(scope="module")
def real(kafka_installed):
    with ChaosBroker("kafka", "process") as broker:
        yield broker


def kill(place):
    return place.kill_broker(restart_after=0.2)


def pause(place):
    return place.pause_broker(for_=0.5)


def restart(place):
    return place.restart_broker()


VERBS = pytest.mark.parametrize("harm", [kill, pause, restart])
CONSUMED = pytest.mark.parametrize(
    "place",
    [on.deliver(id="p3"), on.ack(nth=3), on.control(api="OffsetFetch", client="test", nth=1)],
    ids=repr,
)


@shows("publish", "kill_broker", "pause_broker", "restart_broker")
@VERBS
@pytest.mark.parametrize("client", ["aiokafka", "confluent"])
def test_an_idempotent_producer_lives_through_it(real, harm, client):
    with conversation(real, harm(on.publish(nth=3))) as seen:
        told = SENDERS[client](seen.servers, seen.topic, FIVE, idempotent=True)
        assert errors(told) == {}
        seen.chaos.host.broker.heal()
        assert seen.stored == FIVE
        seen.chaos.armed[-1].wait()
        assert seen.fired == [1]


@shows("deliver", "kill_broker", "pause_broker", "restart_broker")
@shows("ack", "kill_broker", "pause_broker", "restart_broker")
@shows("control", "kill_broker", "pause_broker", "restart_broker")
@VERBS
@CONSUMED
def test_a_consumer_lives_through_it(real, harm, place):
    """What it had committed stands; at most the message in work comes again."""
    with conversation(real) as seen:
        seen.publish()
        seen.chaos.arm(harm(place))
        steps = TAKERS["confluent"](seen.servers, seen.topic, seen.group, last="p5")
        done = [step for step in steps if step.error is None]
        assert sorted(set(done)) == well(*FIVE)
        assert seen.stored == FIVE
        # The client may be done before the broker has said that it is back.
        seen.chaos.armed[-1].wait()
        assert seen.fired == [1]


def _break_and_fail(real):
    with real.chaos(Plan(on.publish(nth=2).kill_broker()), id="value") as chaos:
        topic = chaos.topic("left-broken")
        chaos.publish(topic, ["p1", "p2"], attempts=1)
        assert chaos.armed[0].fired == 1
        raise ZeroDivisionError


def test_what_a_failed_test_broke_is_healed(real):
    """The broker was killed for the rest of the test; the next Chaos finds it well, data kept."""
    with pytest.raises(ZeroDivisionError):
        _break_and_fail(real)
    with conversation(real) as seen:
        seen.publish()
        assert seen.stored == FIVE
