"""Faults at requests by their names: the client asks again, and the application sees nothing."""

from __future__ import annotations

import pytest

from pytest_mqchaos import on
from tests.conformance.consuming import CLIENTS, TAKERS, well
from tests.conformance.conversing import FIVE, conversation, shows
from tests.conformance.producing import SENDERS, errors

each_client = pytest.mark.parametrize("client", CLIENTS)
BEATS = {
    "aiokafka": {"heartbeat_interval_ms": 50},
    "confluent": {"heartbeat.interval.ms": 50},
    "kafka-python": {"heartbeat_interval_ms": 50},
}
# What a consumer in a group asks, with errors that a broker may answer.
ASKED = [
    ("FindCoordinator", 15), ("FindCoordinator", 14),
    ("JoinGroup", 15), ("JoinGroup", 14), ("JoinGroup", 16), ("SyncGroup", 27), ("SyncGroup", 15),
    ("SyncGroup", 16), ("OffsetFetch", None), ("OffsetFetch", 15), ("OffsetFetch", 16),
    ("ListOffsets", 6), ("ListOffsets", 5), ("Heartbeat", 15), ("Heartbeat", 16),
    ("LeaveGroup", 15), ("LeaveGroup", 16),
]  # fmt: skip
CUT = [
    "ApiVersions", "Metadata", "FindCoordinator", "JoinGroup", "SyncGroup", "OffsetFetch",
    "ListOffsets", "Heartbeat", "LeaveGroup",
]  # fmt: skip
# What the application has to live through: it starts its consumer again. aiokafka does not retry
# while it bootstraps; librdkafka keeps waiting for the partitions of an answer that names none.
TOLD = {
    ("aiokafka", "ApiVersions", "cut"): "KafkaConnectionError",
    ("aiokafka", "Metadata", "cut"): "KafkaConnectionError",
    ("aiokafka", "OffsetFetch", 15): "KafkaError: GroupCoordinatorNotAvailableError",
    ("confluent", "OffsetFetch", 15): "COORDINATOR_NOT_AVAILABLE",
    ("confluent", "OffsetFetch", 16): "NOT_COORDINATOR",
}


def taken(seen, client, work=0.05, first=None, **more):
    return TAKERS[client](
        seen.servers, seen.topic, seen.group, last="p5", work=work, first=first,
        **BEATS[client], **more,
    )  # fmt: skip


def goes_well(seen, client, told):
    """Everything is taken, once; `told`: by the next consumer, if the application heard of it."""
    if told is not None:
        with pytest.raises(Exception, match=told):
            taken(seen, client)
    assert taken(seen, client) == well(*FIVE)
    assert seen.delivered == FIVE
    assert seen.fired == [1]


# One client for every error, the others for one error of each request (librdkafka takes seconds to
# find its coordinator again).
REFUSED = [
    (client, api, error)
    for client in CLIENTS
    for at, (api, error) in enumerate(ASKED)
    if client == "aiokafka" or api == "OffsetFetch" or api != ASKED[at - 1][0]
]


@shows("control", "refuse")
@pytest.mark.parametrize(("client", "api", "error"), REFUSED)
def test_a_consumer_asks_again_when_refused(kafka_chaos_broker, client, api, error):
    with conversation(kafka_chaos_broker) as seen:
        seen.publish()
        seen.chaos.arm(on.control(api=api, client="test", nth=1).refuse(error))
        goes_well(seen, client, TOLD.get((client, api, error)))


@shows("control", "refuse")
@pytest.mark.parametrize("client", ["aiokafka", "kafka-python"])
@pytest.mark.parametrize("error", [5, "UNKNOWN_TOPIC_OR_PARTITION"])
def test_metadata_without_leaders_is_asked_for_again(kafka_chaos_broker, client, error):
    """A client's first question is for the brokers alone: there is no topic to refuse in it."""
    with conversation(kafka_chaos_broker) as seen:
        seen.publish()
        rule = on.control(api="Metadata", client="test", nth=range(1, 4)).refuse(error)
        seen.chaos.arm(rule)
        assert taken(seen, client) == well(*FIVE)
        assert seen.fired[0] in (1, 2, 3)


@shows("control", "refuse")
@pytest.mark.parametrize("client", SENDERS)
def test_a_producer_asks_again_when_its_topic_has_no_leader(kafka_chaos_broker, client):
    with conversation(kafka_chaos_broker) as seen:
        rule = on.control(api="Metadata", client="test", nth=range(1, 4)).refuse()
        seen.chaos.arm(rule)
        assert errors(SENDERS[client](seen.servers, seen.topic, FIVE)) == {}
        assert seen.stored == seen.tries == FIVE
        assert seen.fired[0] in (1, 2, 3)


@shows("control", "sever")
@each_client
@pytest.mark.parametrize("api", CUT)
def test_a_consumer_asks_again_when_cut_off(kafka_chaos_broker, client, api):
    with conversation(kafka_chaos_broker) as seen:
        seen.publish()
        seen.chaos.arm(on.control(api=api, client="test", nth=1).sever())
        goes_well(seen, client, TOLD.get((client, api, "cut")))


@shows("control", "refuse")
@pytest.mark.parametrize("client", SENDERS)
def test_an_idempotent_producer_asks_again_for_its_number(kafka_chaos_broker, client):
    with conversation(kafka_chaos_broker, on.control(api="InitProducerId", nth=1).refuse()) as seen:
        told = SENDERS[client](seen.servers, seen.topic, FIVE, idempotent=True)
        assert errors(told) == {}
        assert seen.stored == seen.tries == FIVE
        assert seen.fired == [1]


@pytest.mark.parametrize("error", [15, 16, 51])
def test_without_a_transactional_id_there_is_no_coordinator_to_refuse(kafka_chaos_broker, error):
    rule = on.control(api="InitProducerId", nth=1).refuse(error, optional=True)
    with conversation(kafka_chaos_broker, rule) as seen:
        assert errors(SENDERS["aiokafka"](seen.servers, seen.topic, FIVE, idempotent=True)) == {}
        assert seen.fired == [0]
        assert "answered 14 only" in seen.reasons[0]


@shows("control", "sever")
@pytest.mark.parametrize("client", SENDERS)
def test_an_idempotent_producer_asks_again_when_cut_off(kafka_chaos_broker, client):
    with conversation(kafka_chaos_broker, on.control(api="InitProducerId", nth=1).sever()) as seen:
        told = SENDERS[client](seen.servers, seen.topic, FIVE, idempotent=True)
        assert errors(told) == {}
        assert seen.stored == seen.tries == FIVE
        assert seen.fired == [1]


def joined_again(seen, client, rule):
    """Takes everything while the rule waits for the first heartbeat that falls into work."""
    joins, begins = (
        on.control(api=api, client="test", nth=1000).sever(optional=True)
        for api in ("JoinGroup", "OffsetFetch")
    )
    # aiokafka joins while the first message is in work, and asks where to begin: however late.
    more = {"until": lambda: seen.chaos.armed[2].matched} if client == "aiokafka" else {}
    seen.publish()
    steps = taken(
        seen, client, work=0.2, first=lambda: seen.chaos.arm(rule, joins, begins), **more
    )  # fmt: skip
    assert {step.id for step in steps if step.error is None} == set(FIVE)
    assert seen.chaos.armed[1].matched >= 1
    assert seen.fired == [1, 0, 0]
    return steps


@shows("control", "refuse")
@each_client
def test_a_heartbeat_answered_rebalance_makes_the_member_join_again(kafka_chaos_broker, client):
    """aiokafka joins again behind the application's back: the message in work comes again, and no
    commit raises; the others only join."""
    with conversation(kafka_chaos_broker) as seen:
        steps = joined_again(seen, client, on.control(api="Heartbeat", nth=1).refuse(27))
        if client == "aiokafka":
            assert len(steps) == len(FIVE) + 1
        else:
            assert steps == well(*FIVE)


@shows("control", "rebalance")
@each_client
def test_a_member_put_out_at_its_heartbeat_reads_again_what_it_had_not_committed(
    kafka_chaos_broker, client
):
    with conversation(kafka_chaos_broker) as seen:
        steps = joined_again(seen, client, on.control(api="Heartbeat", nth=1).rebalance())
        handed_out = [step.id for step in steps]
        twice = next((one for one in FIVE if handed_out.count(one) == 2), None)
        if twice is None:  # the heartbeat fell between two messages: librdkafka's often do
            assert steps == well(*FIVE)
            return
        rest = FIVE[FIVE.index(twice) :]
        # Three times where a commit of aiokafka's from before is refused (22) while it joins: it
        # joins once more, and the application hears nothing of the fetch in between.
        assert seen.delivered.count(twice) in ((2, 3) if client == "aiokafka" else (2,))
        assert steps[-len(rest) :] == well(*rest)
        if client != "kafka-python":  # it goes on with what it had fetched, and reads all again
            assert len(steps) == len(FIVE) + 1


def test_a_member_of_the_newer_protocol_is_put_out_when_it_has_joined(kafka_chaos_broker):
    """KIP-848: its first heartbeat is how it joins, and no Heartbeat ever comes."""
    rule = on.control(api="Heartbeat|ConsumerGroupHeartbeat", client="test", nth=1).rebalance()
    with conversation(kafka_chaos_broker, rule) as seen:
        seen.publish()
        steps = TAKERS["confluent"](
            seen.servers, seen.topic, seen.group, last="p5", work=1.0,
            **{"group.protocol": "consumer"},
        )  # fmt: skip
        assert seen.fired == [1]
        # Until its next heartbeat it goes on with what it had fetched: one or several in vain.
        vain = [step.id for step in steps if step.error is not None]
        rest = FIVE[FIVE.index(vain[0]) :]
        assert vain == rest[: len(vain)]
        assert steps[-len(rest) :] == well(*rest)
        assert {seen.delivered.count(one) for one in vain} == {2}
