"""The other clients: batches, stored offsets, and producers, with confluent-kafka and kafka-python.

Consumers are processes with a database; producers are threads that tell when they told success.
"""

from __future__ import annotations

import contextlib
import time
import uuid
from functools import partial

from tests.shapes.services.groups import consumer_of
from tests.shapes.services.processes import _CONFLUENT, store
from tests.shapes.services.world import key_of, order_of


def confluent_batch(bootstrap, path, *, early=False):
    """All of a batch, then one commit that waits for the answer."""
    from confluent_kafka import Consumer, KafkaException

    consumer = Consumer({"bootstrap.servers": bootstrap, **_CONFLUENT})
    consumer.subscribe(["orders"])
    while True:
        messages = [m for m in consumer.consume(3, timeout=0.1) if not m.error()]
        try:
            for number, message in enumerate(messages):
                if early and number == len(messages) - 1:
                    consumer.commit(asynchronous=False)
                store(path, message.value(), message.key())
            if messages:
                consumer.commit(asynchronous=False)
        except KafkaException:
            continue  # put out of the group: it comes again


def confluent_batch_early(bootstrap, path):
    """The commit goes out before the work on the last message."""
    confluent_batch(bootstrap, path, early=True)


def confluent_stored(bootstrap, path, *, after=True):
    """librdkafka commits by itself what the service stored as done."""
    from confluent_kafka import Consumer, KafkaException

    consumer = Consumer({
        "bootstrap.servers": bootstrap, **_CONFLUENT, "enable.auto.commit": True,
        "auto.commit.interval.ms": 100, "enable.auto.offset.store": not after,
    })  # fmt: skip
    consumer.subscribe(["orders"])
    while True:
        message = consumer.poll(0.1)
        if message is None or message.error():
            continue
        time.sleep(0.25)  # the work takes longer than the interval of commits
        store(path, message.value(), message.key())
        if after:
            with contextlib.suppress(KafkaException):  # put out of the group: it comes again
                consumer.store_offsets(message)


def confluent_stored_at_poll(bootstrap, path):
    """The default: what poll() hands out is stored as done."""
    confluent_stored(bootstrap, path, after=False)


def kafka_python_batch(bootstrap, path, *, early=False):
    from kafka import KafkaConsumer
    from kafka.errors import CommitFailedError

    consumer = KafkaConsumer(
        "orders", bootstrap_servers=bootstrap, group_id="orders", enable_auto_commit=False,
        auto_offset_reset="earliest", max_poll_records=3, heartbeat_interval_ms=300,
    )  # fmt: skip
    while True:
        found = consumer.poll(300)
        try:
            if found and early:
                consumer.commit()
            for message in (m for messages in found.values() for m in messages):
                store(path, message.value, message.key)
            if found and not early:
                consumer.commit()
        except CommitFailedError:
            continue  # put out of the group: it comes again


def kafka_python_batch_early(bootstrap, path):
    kafka_python_batch(bootstrap, path, early=True)


async def by_message_id(bootstrap, world):
    """A consumer that knows a message by the id in its header."""
    async with consumer_of(bootstrap, "orders") as consumer:
        async for message in consumer:
            name = dict(message.headers)["message"].decode()
            if name not in world.seen:
                world.tried(name)
                world.again(order_of(message), key=key_of(message))
            await consumer.commit()


def note(told, error, message):
    """A delivery report."""
    told.append(error)


def confluent_outbox(bootstrap, world, stop, *, fresh=False):
    """Sends a row until it is confirmed, each time under the same message id. The client itself
    does not retry."""
    from confluent_kafka import Producer

    producer = Producer({
        "bootstrap.servers": bootstrap, "message.send.max.retries": 0, "acks": "all",
        "reconnect.backoff.ms": 20, "reconnect.backoff.max.ms": 50, "request.timeout.ms": 3000,
    })  # fmt: skip
    for order, body in world.table.items():
        name, told = str(uuid.uuid4()), ["not yet"]
        while told[-1] is not None and not stop.is_set():
            name = str(uuid.uuid4()) if fresh else name
            producer.produce(
                "orders", body, key=b"k", headers={"message": name.encode()},
                on_delivery=partial(note, told),
            )  # fmt: skip
            producer.flush(5)
        world.accepted(order)
    stop.wait()


def confluent_outbox_new_id(bootstrap, world, stop):
    """Every try has an id of its own: copies are strangers to each other."""
    confluent_outbox(bootstrap, world, stop, fresh=True)


def confluent_idempotent(bootstrap, world, stop, *, waits=True):
    """The idempotent producer; success is told when the confirm is there."""
    from confluent_kafka import Producer

    producer = Producer({
        "bootstrap.servers": bootstrap, "reconnect.backoff.ms": 20, "retry.backoff.ms": 50,
        "reconnect.backoff.max.ms": 50,
        **({"enable.idempotence": True} if waits else {"message.send.max.retries": 0}),
    })  # fmt: skip
    for order, body in world.table.items():
        told = []
        if waits:
            producer.produce("orders", body, key=b"k", on_delivery=partial(note, told))
        else:
            producer.produce("orders", body, key=b"k")
        producer.flush(10)
        if told == [None] or not waits:
            world.accepted(order)
    stop.wait()


def confluent_no_callback(bootstrap, world, stop):
    """Nobody looks at the delivery report, and the client does not retry."""
    confluent_idempotent(bootstrap, world, stop, waits=False)


def kafka_python_outbox(bootstrap, world, stop, *, looks=True):
    """`send().get()` before anybody is told; a failed send is sent again."""
    from kafka import KafkaProducer
    from kafka.errors import KafkaError

    # Before 2.2 it knew no idempotence to be turned off.
    known = "enable_idempotence" in KafkaProducer.DEFAULT_CONFIG
    plain = {"enable_idempotence": False} if known else {}
    producer = KafkaProducer(
        bootstrap_servers=bootstrap, acks="all", retries=5 if looks else 0, retry_backoff_ms=50,
        reconnect_backoff_ms=20, request_timeout_ms=3000, **plain,
    )  # fmt: skip
    for order, body in world.table.items():
        while not stop.is_set():
            sent = producer.send("orders", body, key=b"k")
            if not looks:
                producer.flush(5)
                break
            try:
                sent.get(timeout=10)
                break
            except KafkaError:
                continue
        world.accepted(order)
    stop.wait()
    producer.close(timeout=1)


def kafka_python_without_get(bootstrap, world, stop):
    """Nobody looks at the future, and the client does not retry."""
    kafka_python_outbox(bootstrap, world, stop, looks=False)
