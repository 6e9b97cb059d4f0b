"""Real clients through the death, the pause and the move of a leader: acks=all loses nothing."""

from __future__ import annotations

import asyncio
import contextlib
import time

import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.errors import NodeNotReadyError, RequestTimedOutError
from confluent_kafka import Consumer, Producer, TopicPartition
from kafka import KafkaProducer

from tests.kafka_cluster.hosting import hosted

LIMIT, HALF = 20, 20
IMPATIENT = (NodeNotReadyError, RequestTimedOutError)
PATIENCE = 1500  # ms for an answer: a paused broker gives none
THREE = {"default_replication_factor": 3, "min_insync_replicas": 2}


def _confluent(host, befall):
    told = []
    producer = Producer(
        {
            "bootstrap.servers": host.bootstrap,
            "acks": "all",
            "socket.timeout.ms": PATIENCE,
            "topic.metadata.refresh.interval.ms": 100,
        }
    )
    for at in range(2 * HALF):
        if at == HALF:
            assert producer.flush(LIMIT) == 0
            befall()
        producer.produce("t", b"%d" % at, on_delivery=lambda error, one: told.append((error, one)))
    assert producer.flush(LIMIT) == 0
    return [one.value() for error, one in told if error is None]


def _aiokafka(host, befall):
    async def main():
        confirmed = []
        async with AIOKafkaProducer(
            bootstrap_servers=host.bootstrap, acks="all", request_timeout_ms=PATIENCE
        ) as producer:
            for at in range(2 * HALF):
                if at == HALF:
                    await asyncio.to_thread(befall)
                limit = time.monotonic() + LIMIT
                while len(confirmed) == at and time.monotonic() < limit:
                    with contextlib.suppress(*IMPATIENT):  # its own time for a batch
                        await asyncio.wait_for(producer.send_and_wait("t", b"%d" % at), LIMIT)
                        confirmed.append(b"%d" % at)
        return confirmed

    return asyncio.run(main())


def _kafka_python(host, befall):
    producer = KafkaProducer(
        bootstrap_servers=host.bootstrap,
        acks="all",
        retries=50,
        enable_idempotence=False,
        request_timeout_ms=PATIENCE,
    )
    confirmed = []
    for at in range(2 * HALF):
        if at == HALF:
            befall()
        producer.send("t", b"%d" % at).get(LIMIT)
        confirmed.append(b"%d" % at)
    producer.close()
    return confirmed


def _stored(host):
    consumer = Consumer({"bootstrap.servers": host.bootstrap, "group.id": "g"})
    _, end = consumer.get_watermark_offsets(TopicPartition("t", 0), LIMIT)
    consumer.assign([TopicPartition("t", 0, 0)])
    found = []
    while len(found) < end:
        message = consumer.poll(LIMIT)
        assert message is not None
        assert message.error() is None
        found.append(message.value())
    consumer.close()
    return found


@pytest.mark.parametrize(
    "deed",
    ["kill", *(pytest.param(deed, marks=pytest.mark.wide) for deed in ("pause", "move_leader"))],
)
@pytest.mark.parametrize("client", [_confluent, _aiokafka, _kafka_python])
def test_what_was_confirmed_is_there_after_the_leader_is_gone(client, deed):
    with hosted(3, **THREE) as host:
        leaders = []

        def befall():
            leaders.append(host.cluster.leader("t", 0))
            given = ("t", 0, None) if deed == "move_leader" else leaders[:1]
            host.do(deed, *given)

        confirmed = client(host, befall)
        assert confirmed == [b"%d" % at for at in range(2 * HALF)]
        host.do("heal")
        limit = time.monotonic() + LIMIT
        while len(host.cluster.state.topics.partition("t", 0).in_sync) < 3:
            assert time.monotonic() < limit, "not all came back in sync"
            host.do("release_replication")
        assert host.cluster.leader("t", 0) not in leaders
        assert set(_stored(host)) == set(confirmed)
