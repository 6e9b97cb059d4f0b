"""A FastStream app as its documentation writes one: `faststream run tests.shapes.apps.orders:app`.

It knows nothing of us. Its settings are the environment's: KAFKA_URL, DATABASE, ACK_POLICY, CLIENT.
"""

from __future__ import annotations

import asyncio
import os
import sqlite3

from faststream import AckPolicy, FastStream
from pydantic import BaseModel

if os.environ.get("CLIENT") == "confluent":
    from faststream.confluent import KafkaBroker
    from faststream.confluent.annotations import KafkaMessage
else:
    from faststream.kafka import KafkaBroker
    from faststream.kafka.annotations import KafkaMessage

POLICY = AckPolicy(os.environ.get("ACK_POLICY", "ack"))
AT_ONCE = POLICY is AckPolicy.ACK_FIRST
ROW = "insert or ignore into done (id, key) values (?, ?)"

broker = KafkaBroker(os.environ["KAFKA_URL"])
app = FastStream(broker)


class Order(BaseModel):
    id: str


@broker.subscriber(
    "orders", group_id="orders", auto_offset_reset="earliest", ack_policy=POLICY,
    **({"auto_commit_interval_ms": 100} if AT_ONCE else {}),
)  # fmt: skip
async def place(order: Order, message: KafkaMessage) -> None:
    await asyncio.sleep(0.25 if AT_ONCE else 0.02)
    key = message.raw_message.key
    with sqlite3.connect(os.environ["DATABASE"], timeout=5) as database:
        database.execute(ROW, (order.id, (key() if callable(key) else key).decode()))
    database.close()
