"""Services as users have them: one a coroutine, one a function in a thread, one a process."""

from __future__ import annotations

import json
import os
from pathlib import Path

from aiokafka import AIOKafkaConsumer
from confluent_kafka import Consumer

TOPIC = "orders"


async def read(servers, group):
    consumer = AIOKafkaConsumer(
        TOPIC, bootstrap_servers=servers, group_id=group, auto_offset_reset="earliest",
        enable_auto_commit=False,
    )  # fmt: skip
    await consumer.start()
    try:
        async for message in consumer:
            yield json.loads(message.value)["id"]
            await consumer.commit()
    finally:
        await consumer.stop()


async def coroutine(servers):
    """A view that nobody asks about."""
    async for _ in read(servers, "coroutine"):
        pass


def thread(servers, *, stop):
    """Another, with another client."""
    consumer = Consumer(
        {"bootstrap.servers": servers, "group.id": "thread", "auto.offset.reset": "earliest",
         "enable.auto.commit": False, "log_level": 0}
    )  # fmt: skip
    consumer.subscribe([TOPIC])
    try:
        while not stop.is_set():
            message = consumer.poll(0.05)
            if message is not None and message.error() is None:
                consumer.commit(message, asynchronous=False)
    finally:
        consumer.close()


async def process(servers):
    """The one whose effects are asked for."""
    async for id in read(servers, "process"):
        with Path(os.environ["MQCHAOS_EFFECTS"]).open("a") as ledger:
            ledger.write(json.dumps({"id": id}) + "\n")


async def forgetful(servers):
    """Broken: half of the orders have no effect."""
    async for id in read(servers, "process"):
        if int(id) % 2:
            with Path(os.environ["MQCHAOS_EFFECTS"]).open("a") as ledger:
                ledger.write(json.dumps({"id": id}) + "\n")
