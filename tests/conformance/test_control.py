"""Faults at requests by their names: the client asks again, and the application sees nothing."""

from __future__ import annotations

import pytest

from pytest_mqchaos import on
from tests.conformance.consuming import CLIENTS, TAKERS, Step, well
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
    ("Metadata", "LEADER_NOT_AVAILABLE"), ("FindCoordinator", 15), ("FindCoordinator", 14),
    ("JoinGroup", 15), ("JoinGroup", 14), ("JoinGroup", 16), ("SyncGroup", 27), ("SyncGroup", 15),
    ("SyncGroup", 16), ("OffsetFetch", 14), ("OffsetFetch", 15), ("OffsetFetch", 16),
    ("ListOffsets", 6), ("ListOffsets", 5), ("Heartbeat", 15), ("Heartbeat", 16),
    ("LeaveGroup", 15), ("LeaveGroup", 16),
]  # fmt: skip
CUT = [
    "ApiVersions", "Metadata", "FindCoordinator", "JoinGroup", "SyncGroup", "OffsetFetch",
    "ListOffsets", "Heartbeat", "LeaveGroup",
]  # fmt: skip


def taken(seen, client):
    return TAKERS[client](
        seen.servers, seen.topic, seen.group, last="p5", work=0.05, **BEATS[client]
    )


@shows("control", "refuse")
@each_client
@pytest.mark.parametrize(("api", "error"), ASKED)
def test_a_consumer_asks_again_when_refused(kafka_chaos_broker, client, api, error):
    with conversation(kafka_chaos_broker) as seen:
        seen.publish()
        seen.chaos.arm(on.control(api=api, client="test", nth=1).refuse(error))
        assert taken(seen, client) == well(*FIVE)
        assert seen.delivered == FIVE
        assert seen.fired == [1]


@shows("control", "sever")
@each_client
@pytest.mark.parametrize("api", CUT)
def test_a_consumer_asks_again_when_cut_off(kafka_chaos_broker, client, api):
    with conversation(kafka_chaos_broker) as seen:
        seen.publish()
        seen.chaos.arm(on.control(api=api, client="test", nth=1).sever())
        assert taken(seen, client) == well(*FIVE)
        assert seen.delivered == FIVE
        assert seen.fired == [1]
