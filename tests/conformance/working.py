"""Code under test that a rule may kill: coroutines for `chaos.worker`."""

from __future__ import annotations

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer


async def publish_once(bootstrap, topic, ids, told):
    """Publishes one after the other and notes what was confirmed to it."""
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap, acks="all", linger_ms=0)
    await producer.start()
    try:
        for one in ids:
            await producer.send_and_wait(topic, one.encode())
            told.append(one)
    finally:
        await producer.stop()


async def handle(bootstrap, topic, group, effects, settings=None):
    """Does its work and then commits, message by message."""
    consumer = AIOKafkaConsumer(
        topic, bootstrap_servers=bootstrap, group_id=group, enable_auto_commit=False,
        auto_offset_reset="earliest", **(settings or {}),
    )  # fmt: skip
    await consumer.start()
    try:
        async for message in consumer:
            effects.record(message.value.decode())
            await consumer.commit()
    finally:
        await consumer.stop()
