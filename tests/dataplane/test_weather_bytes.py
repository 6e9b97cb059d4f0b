"""Original bytes, live: real clients through a link with a plain tap on each of its sides. What no
rule touched is the same on both; the replies in which the link must name itself are compared too,
with its port in the place of the broker's.

    client -> outer link -> tap A -> the link -> tap B -> broker
"""

import asyncio
import contextlib
import struct
from collections import Counter

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from confluent_kafka import Consumer, Producer
from kafka import KafkaConsumer, KafkaProducer

from pytest_mqchaos.brokers.kafka_direct import Direct
from pytest_mqchaos.brokers.kafka_process import KafkaProcess
from pytest_mqchaos.brokers.providers import lacking
from pytest_mqchaos.dataplane.controller import DataPlane
from pytest_mqchaos.plan.on import on
from tests.dataplane.conversations import BROKER, CLIENT, Tap, frames
from tests.dataplane.peers import LIMIT, until
from tests.dataplane.test_weather_cuts import begin

COUNT = 30
VALUES = [b"value %d " % n + b"x" * (n * 40) for n in range(COUNT)]
GROUP = {"group.id": "g", "auto.offset.reset": "earliest"}
PLANS = {
    "recorded": (),
    "armed": (
        on.publish(id="no such one").drop(),
        on.confirm(nth=100_000).drop(),
        on.deliver(id="no such one").sever(),
        on.ack(nth=100_000).drop(),
        on.control(api="EndTxn").sever(),
    ),
}


def confluent(servers, topic):
    producer = Producer({"bootstrap.servers": servers, "linger.ms": 5, "compression.type": "gzip"})
    for value in VALUES:
        producer.produce(topic, value, headers=[("mqchaos-id", value[:8])])
    assert producer.flush(LIMIT) == 0
    consumer = Consumer({"bootstrap.servers": servers, **GROUP})
    consumer.subscribe([topic])
    got = []
    while len(got) < COUNT:
        messages = consumer.consume(COUNT - len(got), timeout=LIMIT)
        assert messages
        got += [message.value() for message in messages if message.error() is None]
    consumer.commit(asynchronous=False)
    consumer.close()
    return got


def aiokafka(servers, topic):
    async def work():
        producer = AIOKafkaProducer(bootstrap_servers=servers, enable_idempotence=True)
        await producer.start()
        for value in VALUES:
            await producer.send_and_wait(topic, value, headers=[("mqchaos-id", value[:8])])
        await producer.stop()
        consumer = AIOKafkaConsumer(
            topic, bootstrap_servers=servers, group_id="g", auto_offset_reset="earliest"
        )
        await consumer.start()
        got = [(await consumer.getone()).value for _ in VALUES]
        await consumer.commit()
        await consumer.stop()
        return got

    return asyncio.run(asyncio.wait_for(work(), 3 * LIMIT))


def kafka_python(servers, topic):
    producer = KafkaProducer(bootstrap_servers=servers, compression_type="gzip")
    for value in VALUES:
        producer.send(topic, value, headers=[("mqchaos-id", value[:8])])
    producer.flush(LIMIT)
    producer.close()
    consumer = KafkaConsumer(
        topic,
        bootstrap_servers=servers,
        group_id="g",
        auto_offset_reset="earliest",
        consumer_timeout_ms=LIMIT * 1000,
    )
    got = [message.value for message, _ in zip(consumer, VALUES, strict=False)]
    consumer.commit()
    consumer.close()
    return got


CLIENTS = {"confluent": confluent, "aiokafka": aiokafka, "kafka-python": kafka_python}


@contextlib.contextmanager
def embedded():
    with DataPlane() as broker:
        yield tuple(broker.request("cluster", brokers=1)["addresses"]["1"])


@contextlib.contextmanager
def real():
    reason = lacking("kafka", "process")
    if reason is not None:
        pytest.skip(reason)
    broker = KafkaProcess()
    try:
        broker.start()
        yield broker.addresses()[1]
    finally:
        broker.stop()


@pytest.fixture(scope="module")
def embedded_kafka():
    with embedded() as address:
        yield address


@pytest.fixture(scope="module")
def real_kafka():
    with real() as address:
        yield address


def mine(port):
    return struct.pack(">i", port)


def by_client(tap):
    """(what the client said, what it was told), for every connection."""
    return sorted(zip(tap.stream(CLIENT), tap.stream(BROKER), strict=True))


def sizes(tap):
    return sorted(map(len, tap.stream(CLIENT))), sorted(map(len, tap.stream(BROKER)))


def differences(inner, outer, theirs, ours):
    """API keys of the replies that are not the same on both sides: in the port alone."""
    found = Counter()
    for (asked, told), (asked_there, told_there) in zip(inner, outer, strict=True):
        assert asked == asked_there
        replies = zip(frames(asked), frames(told), frames(told_there), strict=False)
        for request, reply, passed in replies:
            if reply != passed:
                assert reply.replace(mine(theirs), mine(ours)) == passed
                found[struct.unpack_from(">h", request, 4)[0]] += 1
        assert len(told) == len(told_there)
    return found


def through_two_taps(address, client, plan, history, topic):
    """Run the client; which replies had to name the link."""
    port = address[1]
    with DataPlane() as first, DataPlane() as plane, contextlib.ExitStack() as stack:
        inner = Tap(address)
        stack.callback(inner.close)
        plane.request("upstream", node=1, host="127.0.0.1", port=inner.port)
        ours = plane.address("w", 1)
        outer = Tap(ours)
        stack.callback(outer.close)
        first.request("upstream", node=1, host="127.0.0.1", port=outer.port)
        begin(plane, history, PLANS[plan])
        with Direct(address) as direct:
            direct.create_topic(topic, 2)
        servers = "{}:{}".format(*first.address("outer", 1))
        assert sorted(CLIENTS[client](servers, topic)) == sorted(VALUES)
        first.stop()
        until(lambda: not plane.request("status")["links"], "the links to end")
        until(lambda: sizes(inner) == sizes(outer), lambda: f"{sizes(inner)} to be {sizes(outer)}")
        assert plane.troubles == []
        assert plane.request("status")["undecoded"] == 0
        return differences(by_client(inner), by_client(outer), port, ours[1])


METADATA, FIND_COORDINATOR = 3, 10


def same_bytes(address, client, plan, tmp_path):
    changed = through_two_taps(address, client, plan, tmp_path / "history", f"{client}-{plan}")
    assert METADATA in changed, "the link names itself"
    assert set(changed) <= {METADATA, FIND_COORDINATOR}


QUICK = ("aiokafka", "armed")
cells = pytest.mark.parametrize(
    ("client", "plan"),
    [
        pytest.param(client, plan, marks=() if (client, plan) == QUICK else pytest.mark.wide)
        for client in CLIENTS
        for plan in PLANS
    ],
)


@cells
def test_bytes_are_the_same_on_both_sides_of_the_link(embedded_kafka, client, plan, tmp_path):
    same_bytes(embedded_kafka, client, plan, tmp_path)


@pytest.mark.live
@pytest.mark.parametrize("plan", PLANS)
@pytest.mark.parametrize("client", CLIENTS)
def test_bytes_are_the_same_with_a_real_kafka(real_kafka, client, plan, tmp_path):
    same_bytes(real_kafka, client, plan, tmp_path)
