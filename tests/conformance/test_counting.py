"""What `nth` counts: distinct messages, over all links, in the order the data plane saw them."""

from __future__ import annotations

import pytest

from pytest_mqchaos import every, on, where
from tests.conformance.consuming import KAFKA_PYTHON_POLL, TAKERS
from tests.conformance.conversing import FIVE, conversation
from tests.conformance.producing import SENDERS, errors

send, take = SENDERS["aiokafka"], TAKERS["aiokafka"]


def lost(seen):
    """Whose first frame never reached the broker."""
    return [id_ for id_, reached, _ in seen.attempts if not reached]


def test_one_counter_over_all_links(kafka_chaos_broker):
    with conversation(kafka_chaos_broker, on.publish(nth=4).drop()) as seen:
        for client, ids in zip(SENDERS, (["a1", "a2"], ["c1", "c2"], ["k1"]), strict=True):
            SENDERS[client](seen.servers, seen.topic, ids)
        assert lost(seen) == ["c2"]
        assert seen.chaos.armed[0].matched == 5
        assert len({row.link for row in seen.chaos.history.attempts}) >= 3
        assert seen.fired == [1]


def test_a_retry_does_not_count_again(kafka_chaos_broker):
    first, fourth = on.publish(nth=2).drop(), on.publish(nth=4).drop()
    with conversation(kafka_chaos_broker, first, fourth) as seen:
        send(seen.servers, seen.topic, FIVE)
        assert lost(seen) == ["p2", "p4"]
        assert [rule.matched for rule in seen.chaos.armed] == [5, 5]
        assert seen.fired == [1, 1]


def test_a_copy_that_the_application_sends_is_no_new_message(kafka_chaos_broker):
    with conversation(kafka_chaos_broker, on.publish(nth=3).drop()) as seen:
        send(seen.servers, seen.topic, ["p1", "p2", "p1", "p2", "p3"])
        assert lost(seen) == ["p3"]
        assert seen.chaos.armed[0].matched == 3


@pytest.mark.parametrize(
    ("selected", "expected"),
    [
        ({"nth": every(2)}, ["p2", "p4"]),
        ({"nth": range(2, 5)}, ["p2", "p3", "p4"]),
        ({"nth": range(1, 6, 2)}, ["p1", "p3", "p5"]),
        ({}, FIVE),
        ({"id": "p4"}, ["p4"]),
        ({"key": "p4", "nth": 1}, ["p4"]),
        ({"key": b"p2"}, ["p2"]),
        ({"when": where.id("p1") | where.id("p5")}, ["p1", "p5"]),
        ({"when": ~where.value_contains("p3"), "nth": 3}, ["p4"]),
        ({"when": where.header("kind", "x") & where.key("p2")}, ["p2"]),
        ({"nth": 2, "attempt": 2}, ["p2"]),
    ],
    ids=repr,
)
def test_which_messages_are_meant(kafka_chaos_broker, selected, expected):
    with conversation(kafka_chaos_broker, on.publish(**selected).refuse()) as seen:
        if "attempt" in selected:
            seen.chaos.arm(on.publish(nth=2).refuse())
        told = send(seen.servers, seen.topic, FIVE, keys=True, headers=[("kind", b"x")])
        assert errors(told) == {}
        refused = [id_ for id_, reached, _ in seen.attempts if not reached]
        if "attempt" in selected:
            assert refused == ["p2", "p2"]
        else:
            assert refused == expected
        assert seen.fired[0] == len(expected)
        assert seen.stored == FIVE


def test_partition_and_topic(kafka_chaos_broker):
    with conversation(kafka_chaos_broker, partitions=2) as seen:
        other = seen.chaos.topic(f"{seen.topic}-other")
        seen.chaos.arm(
            on.publish(topic=seen.topic, partition=1, nth=2).refuse(),
            on.publish(topic=other, nth=1).refuse(),
        )
        send(seen.servers, seen.topic, ["a1", "a2"], partition=0)
        send(seen.servers, other, ["o1", "o2"])
        send(seen.servers, seen.topic, ["b1", "b2"], partition=1)
        assert lost(seen) == ["o1", "b2"]
        assert [rule.matched for rule in seen.chaos.armed] == [2, 2]
        assert seen.fired == [1, 1]


def test_client_means_its_own_name_or_the_workers(kafka_chaos_broker):
    rules = on.publish(client="second", nth=1).refuse(), on.publish(client="test", nth=4).refuse()
    with conversation(kafka_chaos_broker, *rules) as seen:
        send(seen.servers, seen.topic, ["a1", "a2"], client_id="first")
        send(seen.servers, seen.topic, ["b1", "b2"], client_id="second")
        assert lost(seen) == ["b1", "b2"]
        assert [rule.matched for rule in seen.chaos.armed] == [2, 4]
        assert seen.fired == [1, 1]


def test_a_batch_is_acted_on_as_one_when_its_message_is_in_it(kafka_chaos_broker):
    with conversation(kafka_chaos_broker, on.publish(nth=4).drop()) as seen:
        told = send(seen.servers, seen.topic, FIVE, together=True, linger_ms=100)
        assert errors(told) == {}
        assert len({row.seq for row in seen.chaos.history.attempts}) == 2
        assert lost(seen) == FIVE
        assert seen.stored == FIVE
        assert seen.chaos.armed[0].matched == 5
        assert seen.fired == [1]


def test_of_two_rules_on_one_frame_the_second_acts_on_the_next_with_that_message(
    kafka_chaos_broker,
):
    rules = on.publish(nth=2).refuse(), on.confirm(nth=2).drop()
    with conversation(kafka_chaos_broker, *rules) as seen:
        assert errors(send(seen.servers, seen.topic, FIVE)) == {}
        assert seen.attempts[1:4] == [
            ("p2", False, "refused"),
            ("p2", True, "unknown"),
            ("p2", True, "confirmed"),
        ]
        assert seen.stored == ["p1", "p2", "p2", "p3", "p4", "p5"]
        assert seen.fired == [1, 1]


def test_frames_of_our_own_publisher_count_for_publish_and_confirm_only(kafka_chaos_broker):
    rules = on.publish(nth=2).drop(), on.confirm(nth=3).drop()
    unseen = on.control(api="Metadata").sever(optional=True)
    with conversation(kafka_chaos_broker, *rules, unseen) as seen:
        seen.publish()
        assert lost(seen) == ["p2"]
        assert seen.stored == ["p1", "p2", "p3", "p3", "p4", "p5"]
        assert seen.fired == [1, 1, 0]
        assert seen.chaos.armed[2].matched == 0


def test_an_ack_counts_what_it_newly_covers(kafka_chaos_broker):
    """One commit of five is where the fourth falls."""
    from kafka import KafkaConsumer

    with conversation(kafka_chaos_broker, on.ack(nth=4).refuse()) as seen:
        seen.publish()
        consumer = KafkaConsumer(
            seen.topic, bootstrap_servers=seen.servers, group_id=seen.group,
            enable_auto_commit=False, auto_offset_reset="earliest",
        )  # fmt: skip
        taken = []
        while len(taken) < len(FIVE):
            taken += [m for batch in consumer.poll(KAFKA_PYTHON_POLL).values() for m in batch]
        consumer.commit()
        consumer.close()
        assert seen.acks == [(5, False, "unknown"), (5, True, "confirmed")]
        assert seen.chaos.armed[0].matched == 5
        assert seen.fired == [1]


def test_a_commit_that_covers_nothing_new_does_not_count(kafka_chaos_broker):
    from confluent_kafka import Consumer, TopicPartition

    with conversation(kafka_chaos_broker, on.ack(nth=4).refuse()) as seen:
        seen.publish()
        consumer = Consumer(
            {
                "bootstrap.servers": seen.servers, "group.id": seen.group,
                "enable.auto.commit": False, "auto.offset.reset": "earliest",
            }
        )  # fmt: skip
        consumer.subscribe([seen.topic])
        assert len(consumer.consume(5, timeout=10)) == 5
        for offset in (3, 3, 2, 3, 5):
            spot = TopicPartition(seen.topic, 0, offset)
            consumer.commit(offsets=[spot], asynchronous=False)
        consumer.close()
        assert [ack[0] for ack in seen.acks] == [3, 3, 2, 3, 5, 5]
        assert [ack[1] for ack in seen.acks] == [True, True, True, True, False, True]
        assert seen.fired == [1]


def test_group_means_one_of_them(kafka_chaos_broker):
    with conversation(kafka_chaos_broker) as seen:
        seen.publish()
        rule = seen.chaos.arm(on.ack(group=f"{seen.group}-b", nth=2).refuse())
        take(seen.servers, seen.topic, f"{seen.group}-a", last="p5")
        take(seen.servers, seen.topic, f"{seen.group}-b", last="p5")
        refused = [row for row in seen.chaos.history.acks if not row.reached]
        assert [(row.group, row.offset) for row in refused] == [(f"{seen.group}-b", 2)]
        assert rule.matched == 5
        assert rule.fired == 1


def test_a_redelivery_does_not_count_again(kafka_chaos_broker):
    rules = on.ack(nth=2).redeliver(), on.ack(nth=4).refuse()
    with conversation(kafka_chaos_broker, *rules) as seen:
        seen.publish()
        take(seen.servers, seen.topic, seen.group, last="p5")
        assert [offset for offset, reached, _ in seen.acks if not reached] == [4]
        assert [rule.matched for rule in seen.chaos.armed] == [5, 5]
        assert seen.fired == [1, 1]


def test_frames_of_a_worker_that_is_being_stopped_match_no_rule(kafka_chaos_broker):
    from tests.conformance.working import handle

    leave = on.control(api="LeaveGroup").sever(optional=True)
    with conversation(kafka_chaos_broker, leave) as seen:
        chaos = seen.chaos
        with chaos.worker(handle, chaos.bootstrap_servers, seen.topic, seen.group, chaos.effects):
            seen.publish()
            chaos.settle()
        assert chaos.armed[0].matched == 0
        chaos.assert_exactly_once()
