"""A worker that dies at an exact frame: before it arrives, or after the broker has answered it."""

from __future__ import annotations

import pytest

from pytest_mqchaos import on
from tests.conformance.conversing import FIVE, LIMIT, conversation, shows
from tests.conformance.working import handle, publish_once


def crashed(seen, who="worker-1#1"):
    return any(e.who == who and e.what == "crashed" for e in seen.chaos.history.processes)


def published(seen):
    """Runs a producer that dies and is not started again; what had been confirmed to it."""
    told = []
    worker = seen.chaos.worker(publish_once, seen.servers, seen.topic, FIVE, told, restart=False)
    with worker:
        seen.chaos.wait_for(lambda: crashed(seen), LIMIT, "the producer to die")
        # The test process knows that before the data plane has heard of it.
        seen.chaos.wait_for(lambda: seen.fired == [1], LIMIT, "the rule's last step")
    return told


# (rule, told to the application, in the log, what became of the third attempt)
PRODUCER_DIES = [
    (on.publish(nth=3).crash_worker("before"), 2, 2, ("p3", False, "unknown")),
    (on.publish(nth=3).crash_worker("after"), 2, 3, ("p3", True, "unknown")),
    (on.confirm(nth=3).crash_worker("before"), 2, 3, ("p3", True, "unknown")),
    (on.confirm(nth=3).crash_worker("after"), None, 3, ("p3", True, "confirmed")),
]


@shows("publish", "crash_worker")
@shows("confirm", "crash_worker")
@pytest.mark.parametrize(("rule", "told", "stored", "third"), PRODUCER_DIES, ids=repr)
def test_a_producer_dies_at_its_third_message(kafka_chaos_broker, rule, told, stored, third):
    with conversation(kafka_chaos_broker, rule) as seen:
        heard = published(seen)
        assert told is None or heard == FIVE[:told]  # None: the answer and the end race each other
        assert seen.stored == FIVE[:stored]
        assert seen.attempts[2] == third
        assert seen.tries == FIVE[:3]
        assert seen.fired == [1]


def consumed(seen):
    """Runs a consumer that is started again after its death, until nothing is left to do."""
    chaos = seen.chaos
    with chaos.worker(handle, chaos.bootstrap_servers, seen.topic, seen.group, chaos.effects):
        seen.publish()
        settled = chaos.settle()
    assert settled.waiting == ()
    assert crashed(seen)
    return [effect.id for effect in chaos.history.effects]


@shows("ack", "crash_worker")
def test_dying_before_the_commit_arrives_means_the_work_is_done_twice(kafka_chaos_broker):
    with conversation(kafka_chaos_broker, on.ack(nth=3).crash_worker("before")) as seen:
        assert consumed(seen) == ["p1", "p2", "p3", "p3", "p4", "p5"]
        assert [ack for ack in seen.acks if ack[0] == 3] == [
            (3, False, "unknown"),
            (3, True, "confirmed"),
        ]
        assert seen.fired == [1]


@shows("ack", "crash_worker")
def test_dying_after_the_commit_was_answered_means_it_stands(kafka_chaos_broker):
    with conversation(kafka_chaos_broker, on.ack(nth=3).crash_worker("after")) as seen:
        assert consumed(seen) == FIVE
        assert [ack for ack in seen.acks if ack[0] == 3] == [(3, True, "confirmed")]
        assert seen.fired == [1]


@shows("deliver", "crash_worker")
@pytest.mark.parametrize("when", ["before", "after"])
def test_dying_at_a_delivery_means_it_comes_again(kafka_chaos_broker, when):
    with conversation(kafka_chaos_broker, on.deliver(id="p1").crash_worker(when)) as seen:
        effects = consumed(seen)
        assert sorted(set(effects)) == FIVE
        first = [row.reached for row in seen.chaos.history.deliveries if row.id == "p1"]
        assert first == [when == "after", True]
        if when == "before":
            assert effects == FIVE
        assert seen.fired == [1]


def stubborn(servers, topic, stop):
    """A thread: nothing can kill it."""
    from confluent_kafka import Producer

    producer = Producer({"bootstrap.servers": servers})
    producer.produce(topic, b"p1")
    producer.flush(LIMIT)
    stop.wait(LIMIT)


def test_a_thread_cannot_be_killed_and_says_so(kafka_chaos_broker):
    rule = on.publish(nth=1).crash_worker(optional=True)
    with conversation(kafka_chaos_broker, rule) as seen:
        with seen.chaos.worker(stubborn, seen.servers, seen.topic):
            seen.chaos.wait_for(lambda: seen.stored == ["p1"], LIMIT, "the message")
        assert seen.fired == [0]
        assert "process=True" in seen.reasons[0]


def test_a_client_of_the_test_itself_cannot_be_killed(kafka_chaos_broker):
    from tests.conformance.producing import SENDERS

    rule = on.publish(nth=1).crash_worker(optional=True)
    with conversation(kafka_chaos_broker, rule) as seen:
        SENDERS["aiokafka"](seen.servers, seen.topic, FIVE)
        assert seen.stored == FIVE
        assert seen.fired == [0]
        assert "not to a worker of this test" in seen.reasons[0]
