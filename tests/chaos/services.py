"""What runs under a Chaos: a publish, two coroutines, what a child process can import or run."""

import asyncio
import json
import os
import socket
import sys
import time
from contextlib import suppress
from pathlib import Path

from aiokafka import AIOKafkaConsumer


def publish(chaos):
    chaos.topic("t")
    chaos.publish("t", ["a"])


async def consume(servers, effects, topic="t"):
    """A plain consumer: work, then commit."""
    consumer = AIOKafkaConsumer(
        topic,
        bootstrap_servers=servers,
        group_id="g",
        enable_auto_commit=False,
        auto_offset_reset="earliest",
    )
    await consumer.start()
    try:
        async for message in consumer:
            effects.record(message.value.decode())
            await consumer.commit()
    finally:
        await consumer.stop()


async def idle(*_):
    """Runs until it is told to stop."""
    await asyncio.Event().wait()


def tell(servers, path, stop=None):
    """Write what it was started with, then wait to be stopped."""
    told = {name: value for name, value in os.environ.items() if name.startswith("MQCHAOS_")}
    beside = f"{path}.{os.getpid()}"  # whoever looks sees all of it, also while we are at it
    with open(beside, "w", encoding="utf-8") as file:  # noqa: PTH123 - a service is not ours
        json.dump({"servers": servers, "environment": told, "pid": os.getpid()}, file)
    os.replace(beside, path)  # noqa: PTH105
    while stop is None or not stop.wait(0.01):
        time.sleep(0.01)


if __name__ == "__main__":
    tell(*sys.argv[1:])


def work_when_cut(servers, path):
    """What a client does whose commit cannot fail: its connection is gone, it goes on working."""
    host, port = str(servers).split(",")[0].split(":")
    with socket.create_connection((host, int(port))) as connection, suppress(ConnectionError):
        # ApiVersions version 0, number 1, no client id
        connection.sendall(bytes.fromhex("0000000a 0012 0000 00000001 ffff"))
        connection.recv(1)
    Path(path).write_text("worked", encoding="utf-8")
    time.sleep(60)


def forking(servers, path):
    """A prefork service whose one child is not replaced: when it is gone, the leader asks for
    ApiVersions and writes down whether it was answered."""
    if not os.fork():
        work_when_cut(servers, path)
        os._exit(0)
    os.wait()
    host, port = str(servers).split(",")[0].split(":")
    with socket.create_connection((host, int(port))) as connection:
        connection.sendall(bytes.fromhex("0000000a 0012 0000 00000001 ffff"))
        answer = connection.recv(1)
    part = Path(path).with_suffix(".part")  # who waits for the file finds all of it
    part.write_text("answered" if answer else "cut", encoding="utf-8")
    part.rename(part.with_suffix(".leader"))
    time.sleep(60)
