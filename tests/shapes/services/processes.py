"""The plain consumer in processes of its own: confluent-kafka, kafka-python, and a program.

The effect is a row with the order's id as its key: a second insert changes nothing.
"""

from __future__ import annotations

import json
import os
import sqlite3
import sys
import time

TABLE = "create table if not exists done (seq integer primary key, id text unique, key text)"
QUERY = "select id, key from done order by seq"
_ROW = "insert or ignore into done (id, key) values (?, ?)"
_CONFLUENT = {
    "group.id": "orders", "enable.auto.commit": False, "auto.offset.reset": "earliest",
    "reconnect.backoff.ms": 20, "reconnect.backoff.max.ms": 50,
    "fetch.wait.max.ms": 20, "retry.backoff.ms": 100,  # see tests/conformance/consuming.py
    "heartbeat.interval.ms": 300,
}  # fmt: skip


def store(path, value, key):
    with sqlite3.connect(path, timeout=5) as database:
        database.execute(_ROW, (json.loads(value)["id"], (key or b"").decode()))
    database.close()


def by_confluent(bootstrap, path, *, first="work"):
    from confluent_kafka import Consumer, KafkaException

    consumer = Consumer({"bootstrap.servers": bootstrap, **_CONFLUENT})
    consumer.subscribe(["orders"])
    while True:
        message = consumer.poll(0.1)
        if message is None or message.error():
            continue
        try:
            if first == "commit":
                consumer.commit(message, asynchronous=False)
            store(path, message.value(), message.key())
            if first == "work":
                consumer.commit(message, asynchronous=False)
        except KafkaException:
            continue  # put out of the group: it comes again


def by_confluent_commit_first(bootstrap, path):
    by_confluent(bootstrap, path, first="commit")


def by_kafka_python(bootstrap, path, *, first="work"):
    from kafka import KafkaConsumer
    from kafka.errors import CommitFailedError

    consumer = KafkaConsumer(
        "orders", bootstrap_servers=bootstrap, group_id="orders", enable_auto_commit=False,
        auto_offset_reset="earliest", max_poll_records=1, heartbeat_interval_ms=300,
    )  # fmt: skip
    while True:
        for messages in consumer.poll(1000).values():
            for message in messages:
                try:
                    if first == "commit":
                        consumer.commit()
                    store(path, message.value, message.key)
                    if first == "work":
                        consumer.commit()
                except CommitFailedError:
                    continue


def by_kafka_python_commit_first(bootstrap, path):
    by_kafka_python(bootstrap, path, first="commit")


def tell(order, key):
    """What a service in any language does: one line, one append."""
    row = {"id": order, "key": key, "t": time.monotonic_ns()}
    line = json.dumps(row).encode() + b"\n"
    file = os.open(os.environ["MQCHAOS_EFFECTS"], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        os.write(file, line)
    finally:
        os.close(file)


def program(bootstrap, first):
    from kafka import KafkaConsumer
    from kafka.errors import CommitFailedError

    consumer = KafkaConsumer(
        "orders", bootstrap_servers=bootstrap, group_id="orders", enable_auto_commit=False,
        auto_offset_reset="earliest", max_poll_records=1, heartbeat_interval_ms=300,
    )  # fmt: skip
    for message in consumer:
        try:
            if first == "commit":
                consumer.commit()
            tell(json.loads(message.value)["id"], message.key.decode())
            if first == "work":
                consumer.commit()
        except CommitFailedError:
            continue


if __name__ == "__main__":
    program(sys.argv[1], sys.argv[2])
