"""Transactions whose producer dies or whose end is lost: what who reads which level is shown."""

from __future__ import annotations

import asyncio

import pytest
from aiokafka import AIOKafkaProducer
from confluent_kafka import Producer

from pytest_mqchaos import on
from tests.conformance.consuming import TAKERS
from tests.conformance.conversing import conversation, shows

LIMIT = 20


async def commit(servers, topic, ids, txn="pay"):
    """One transaction; whoever starts it again sends all of it again under the same id."""
    producer = AIOKafkaProducer(bootstrap_servers=servers, transactional_id=txn)
    await producer.start()
    try:
        async with producer.transaction():
            for one in ids:
                await producer.send_and_wait(topic, one.encode())
    finally:
        await producer.stop()


async def transact(servers, topic, ids, told):
    """The same, as a worker."""
    await commit(servers, topic, ids)
    told.append("committed")
    await asyncio.Event().wait()


def by_aiokafka(servers, topic, ids):
    asyncio.run(asyncio.wait_for(commit(servers, topic, ids), LIMIT))


def by_confluent(servers, topic, ids):
    producer = Producer(
        {"bootstrap.servers": servers, "transactional.id": "pay", "reconnect.backoff.ms": 20}
    )
    producer.init_transactions(LIMIT)
    producer.begin_transaction()
    for one in ids:
        producer.produce(topic, one.encode())
    producer.commit_transaction(LIMIT)


def read(seen, client, level, count):
    """What a consumer of this isolation level is handed first, so many messages."""
    word = {"confluent": "isolation.level"}.get(client, "isolation_level")
    group = f"{seen.group}-{level}"

    def enough(steps):
        return len(steps) >= count

    steps = TAKERS[client](seen.servers, seen.topic, group, last=enough, **{word: level})
    return [step.id for step in steps]


@shows("control", "sever")
@pytest.mark.parametrize("send", [by_aiokafka, by_confluent])
def test_a_lost_end_is_sent_again_and_the_transaction_stands_once(kafka_chaos_broker, send):
    with conversation(kafka_chaos_broker, on.control(api="EndTxn", nth=1).sever()) as seen:
        send(seen.servers, seen.topic, ["p1", "p2"])
        # Kafka answers before its markers are written.
        seen.chaos.wait_for(lambda: seen.stored == ["p1", "p2"], LIMIT, "the markers")
        assert seen.fired == [1]
        ends = seen.chaos.view.transcript().ends
        assert [end.committed for end in ends if not end.anew] == [True, True]


@shows("control", "crash_worker")
@pytest.mark.parametrize(
    ("when", "committed", "uncommitted"),
    [("before", ["p1", "p2"], ["p1", "p2"] * 2), ("after", ["p1", "p2"] * 2, ["p1", "p2"] * 2)],
)
@pytest.mark.parametrize("client", TAKERS)
def test_a_producer_that_dies_at_the_end_of_its_transaction(
    kafka_chaos_broker, client, when, committed, uncommitted
):
    """before: it is aborted when the producer is back, and sent again: only who reads uncommitted
    messages sees it twice. after: it was committed, and the copy is one too."""
    rule = on.control(api="EndTxn", nth=1).crash_worker(when)
    with conversation(kafka_chaos_broker, rule) as seen:
        told = []
        args = (seen.chaos.bootstrap_servers, seen.topic, ["p1", "p2"], told)
        with seen.chaos.worker(transact, *args):
            seen.chaos.wait_for(lambda: told == ["committed"], LIMIT, "a commit")
        seen.chaos.wait_for(lambda: seen.stored == committed, LIMIT, "the markers")
        assert read(seen, client, "read_committed", len(committed)) == committed
        assert read(seen, client, "read_uncommitted", len(uncommitted)) == uncommitted
        assert seen.fired == [1]
