"""P14: the memory of the data plane at 100 connections, and whether it stays flat.

    python -m benchmarks.p14_memory [--minutes 10] [--rate 100] [--armed]

Real clients (aiokafka: half of them produce, half consume) keep 100 connections open through one
data plane; everything is recorded, as in a test. The broker is the embedded cluster of a second
data plane, so that what it stores is not in our figure. `--armed` adds rules that wait for a
message that never comes: their counters keep an id of each message that they counted, so that way
grows with the messages.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import itertools
import os
import statistics
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import psutil
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from benchmarks import figures
from benchmarks.figures import Figures, Table, goal
from pytest_mqchaos import on
from pytest_mqchaos.dataplane.controller import DataPlane

CONNECTIONS = 100
VALUE = 1024  # bytes a message
TOPIC = "soak"
EVERY = 1.0  # seconds between two samples
MB = 1 << 20
WARM = 0.5  # of the run: what is kept up to a number (4,096 frames to look into) reaches its size


class Soak:
    """The clients of one run and what was counted."""

    def __init__(self, servers: str, rate: float) -> None:
        self.servers = servers
        self.rate = rate
        self.sent = 0
        self.got = 0
        self.producers: list[AIOKafkaProducer] = []
        self.consumers: list[AIOKafkaConsumer] = []
        self._stack = contextlib.AsyncExitStack()

    async def grow(self) -> None:
        """One more producer and one more consumer of its partition."""
        number = len(self.producers)
        producer = AIOKafkaProducer(bootstrap_servers=self.servers)
        await producer.start()
        self._stack.push_async_callback(producer.stop)
        consumer = AIOKafkaConsumer(bootstrap_servers=self.servers, auto_offset_reset="earliest")
        await consumer.start()
        self._stack.push_async_callback(consumer.stop)
        consumer.assign([TopicPartition(TOPIC, number)])
        await producer.send_and_wait(TOPIC, b"first", partition=number)
        await consumer.getone()
        self.producers.append(producer)
        self.consumers.append(consumer)

    async def produce(self, until: float) -> None:
        """Messages at a steady rate, one producer after the other."""
        value = os.urandom(VALUE)
        due = time.monotonic()
        for number in itertools.cycle(range(len(self.producers))):
            due += 1 / self.rate
            if due > until:
                return
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            headers = [("mqchaos-id", b"%d" % self.sent)]
            await self.producers[number].send(TOPIC, value, partition=number, headers=headers)
            self.sent += 1

    async def consume(self, consumer: AIOKafkaConsumer) -> None:
        async for _ in consumer:
            self.got += 1

    async def close(self) -> None:
        await self._stack.aclose()


async def sample(process: psutil.Process, until: float) -> list[tuple[float, int]]:
    """(seconds since the start, resident bytes), until then."""
    began, found = time.monotonic(), []
    while (now := time.monotonic()) < until:
        found.append((now - began, process.memory_info().rss))
        await asyncio.sleep(EVERY)
    return found


def connections(plane: DataPlane) -> int:
    """How many links are open."""
    return sum(plane.request("status")["links"].values())


async def run(plane: DataPlane, soak: Soak, seconds: float) -> list[tuple[float, int]]:
    """Open the connections, keep them busy, watch the memory."""
    process = psutil.Process(plane.pid)
    try:
        while connections(plane) < CONNECTIONS:
            await soak.grow()
        until = time.monotonic() + seconds
        tasks = [asyncio.create_task(soak.consume(consumer)) for consumer in soak.consumers]
        _, found = await asyncio.gather(soak.produce(until), sample(process, until))
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if soak.got < soak.sent * 0.9:
            raise SystemExit(f"only {soak.got} of {soak.sent} messages came through")
        return found
    finally:
        await soak.close()


def slope(samples: Sequence[tuple[float, int]]) -> float:
    """Bytes that are added in ten minutes, by least squares over what follows the warming up (the
    medians of all tenths are shown beside it)."""
    kept = samples[int(len(samples) * WARM) :]
    line = statistics.linear_regression([t for t, _ in kept], [float(rss) for _, rss in kept])
    return line.slope * 600


def tenths(samples: Sequence[tuple[float, int]]) -> str:
    """The median of each tenth of the run: the shape behind the slope."""
    step = max(1, len(samples) // 10)
    parts = [[rss / MB for _, rss in samples[at : at + step]] for at in range(0, step * 10, step)]
    return ", ".join(f"{statistics.median(part):.1f}" for part in parts if part)


def begin(plane: DataPlane, history: Path, *, armed: bool) -> None:
    """A run that records everything starts."""
    plane.request("begin", history=str(history), settings={})
    if armed:
        rules = [on.publish(id="no such one").drop(), on.deliver(id="no such one").sever()]
        numbered = [{"index": n, "rule": rule.to_json()} for n, rule in enumerate(rules)]
        plane.request("arm", rules=numbered)


def measured(seconds: float, rate: float, *, armed: bool) -> Figures:
    """One soak, as figures."""
    with DataPlane() as broker, DataPlane() as plane, tempfile.TemporaryDirectory() as folder:
        partitions = {"num.partitions": CONNECTIONS}
        host, port = broker.request("cluster", brokers=1, settings=partitions)["addresses"]["1"]
        plane.request("upstream", node=1, host=host, port=port)
        history = Path(folder) / "history"
        begin(plane, history, armed=armed)
        soak = Soak("{}:{}".format(*plane.address("soak", 1)), rate)
        process = psutil.Process(plane.pid)
        before, began = process.cpu_times(), time.monotonic()
        alone = process.memory_info().rss
        samples = asyncio.run(run(plane, soak, seconds))
        took, after = time.monotonic() - began, process.cpu_times()
        busy = (after.user + after.system - before.user - before.system) / took
        recorded = plane.flush()
        if plane.troubles:
            raise SystemExit(f"the data plane had troubles: {plane.troubles}")
    return report(samples, alone, soak, recorded, busy, armed=armed)


def report(
    samples: Sequence[tuple[float, int]], alone: int, soak: Soak, recorded: int, busy: float, *,
    armed: bool,
) -> Figures:  # fmt: skip
    """The table and the goals."""
    sizes = [rss / MB for _, rss in samples]
    grown = slope(samples) / MB
    shown = (alone / MB, sizes[0], min(sizes), statistics.median(sizes), max(sizes), grown)
    minutes = samples[-1][0] / 60
    way = "recorded, rules armed" if armed else "recorded"
    table = Table(
        title="P14: resident memory of the data plane, MB",
        head=("way", "no client yet", "start", "least", "median", "most", "growth in 10 minutes"),
        rows=((way, *(f"{value:.1f}" for value in shown)),),
        words=1,
        note=f"{CONNECTIONS} connections of real clients, {minutes:.1f} minutes, {soak.sent:,} "
        f"messages of {VALUE} B in, {soak.got:,} out, a history of {recorded / MB:.0f} MB; the "
        f"data plane used {busy:.1%} of a core. Growth by least squares over the second half; "
        f"medians of the tenths of the run: {tenths(samples)}.",
    )

    def mb(value: float) -> str:
        return f"{value:.1f} MB"

    goals = [goal("P14", f"memory at {CONNECTIONS} connections", [max(sizes)], most=60, show=mb)]
    if not armed:
        goals.append(goal("P14", "growth in 10 minutes", [grown], most=1, show=mb))
    conditions = f"load {figures.load():.1f} at the end."
    return Figures(conditions=conditions, tables=(table,), goals=tuple(goals))


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--rate", type=float, default=100, help="messages a second, of all clients")
    parser.add_argument("--armed", action="store_true", help="with rules that never fire")
    options = parser.parse_args()
    figures.done(measured(options.minutes * 60, options.rate, armed=options.armed))


if __name__ == "__main__":
    main()
