"""Services for simulations: aiokafka as its users write with it."""

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition


def id_of(record):
    return dict(record.headers).get("mqchaos-id", record.value).decode()


async def consume(servers, chaos, *, topic="orders", group="g", commit_first=False):
    """One effect for each message, committed after it (or, with a bug, before)."""
    consumer = AIOKafkaConsumer(
        topic, bootstrap_servers=servers, group_id=group, auto_offset_reset="earliest",
        enable_auto_commit=False,
    )  # fmt: skip
    await consumer.start()
    try:
        async for record in consumer:
            if commit_first:
                await consumer.commit()
            chaos.effects.record(id_of(record))
            if not commit_first:
                await consumer.commit()
    finally:
        await consumer.stop()


async def once_each(servers, known, do):
    """What is done is kept with its id: a message that comes again is none."""
    consumer = AIOKafkaConsumer(
        "orders", bootstrap_servers=servers, group_id="g", auto_offset_reset="earliest",
        enable_auto_commit=False,
    )  # fmt: skip
    await consumer.start()
    try:
        async for record in consumer:
            if id_of(record) not in known:
                known.add(id_of(record))
                do(id_of(record))
            await consumer.commit()
    finally:
        await consumer.stop()


async def produce(servers, topic, values, **settings):
    """Each value, confirmed before the next; how many were."""
    producer = AIOKafkaProducer(bootstrap_servers=servers, **settings)
    await producer.start()
    try:
        for value in values:
            await producer.send_and_wait(topic, value)
    finally:
        await producer.stop()
    return len(values)


async def forward(servers):
    """Exactly once from one topic to another."""
    consumer = AIOKafkaConsumer(
        "orders", bootstrap_servers=servers, group_id="g", enable_auto_commit=False,
        auto_offset_reset="earliest", isolation_level="read_committed",
    )  # fmt: skip
    producer = AIOKafkaProducer(bootstrap_servers=servers, transactional_id="forward")
    await consumer.start()
    await producer.start()
    try:
        async for record in consumer:
            done = {TopicPartition(record.topic, record.partition): record.offset + 1}
            async with producer.transaction():
                await producer.send("out", record.value, headers=list(record.headers))
                await producer.send_offsets_to_transaction(done, "g")
    finally:
        await consumer.stop()
        await producer.stop()


def payments(count=20):
    return [f"payment {n}" for n in range(count)]
