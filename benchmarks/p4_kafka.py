"""P4: a real Kafka, produced to (acks=all) and consumed from: direct, through haproxy, through
Toxiproxy, through the link looking more and more closely (links.py).

    python -m benchmarks.p4_kafka [--repetitions 5] [--scale 1.0]

Every repetition runs every way in turn, another way first each time; ratios are taken within a
repetition. Needs Java, confluent-kafka, haproxy.
"""

from __future__ import annotations

import argparse
import mmap
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TypeAlias

import psutil
from confluent_kafka import Consumer, Producer, TopicPartition

from benchmarks import figures
from benchmarks.figures import Figures, Goal, Table, goal, ratios, spread
from benchmarks.kafka_broker import LIMIT, Ways, ways_to_kafka
from benchmarks.links import LINKS, begin
from benchmarks.proxies import versions

LOADS = {"100 B": (100, 400_000), "1 KiB": (1024, 200_000)}  # name: (size, messages)
Run: TypeAlias = tuple[float, float]
Results: TypeAlias = dict[str, dict[str, list[Run]]]
WARM = 2 << 30  # bytes; what one run's clients, broker log and history take together, and more
# Else a consumer that has 100,000 messages ahead pauses for a second: the fast way would look slow.
CONSUMER = {
    "group.id": "benchmark",
    "queued.min.messages": 10_000_000,
    "queued.max.messages.kbytes": 2_000_000,
    "fetch.queue.backoff.ms": 1,
}


def warm() -> None:
    """Touch memory and give it back. A virtual machine that returns free memory to its host takes
    some 8 us for each page touched anew: whoever comes first would pay for all."""
    pages = min(WARM // mmap.PAGESIZE, os.sysconf("SC_AVPHYS_PAGES") // 4)
    with mmap.mmap(-1, pages * mmap.PAGESIZE) as memory:
        for at in range(0, len(memory), mmap.PAGESIZE):
            memory[at] = 1


def produce(servers: str, topic: str, size: int, count: int) -> float:
    """Messages a second until the last is confirmed."""
    failed: list[str] = []

    def told(error: object, message: object) -> None:
        del message
        if error is not None:
            failed.append(str(error))

    config = {"bootstrap.servers": servers, "acks": "all", "linger.ms": 5}
    producer = Producer({**config, "queue.buffering.max.messages": count + 1})
    producer.list_topics(topic, LIMIT)
    value = os.urandom(size)
    headers: list[tuple[str, str | bytes | None]] = [("mqchaos-id", b"0")]
    began = time.monotonic()
    for _ in range(count):
        producer.produce(topic, value, headers=headers, on_delivery=told)
        producer.poll(0)
    if producer.flush(LIMIT) or failed:
        raise SystemExit(f"not everything was confirmed: {failed[:1]}")
    return count / (time.monotonic() - began)


def consume(servers: str, topic: str, count: int) -> float:
    """Messages a second from the start of the topic."""
    consumer = Consumer({"bootstrap.servers": servers, **CONSUMER})
    consumer.list_topics(topic, LIMIT)
    began, got = time.monotonic(), 0
    consumer.assign([TopicPartition(topic, 0, 0)])
    while got < count:
        messages = consumer.consume(min(10_000, count - got), timeout=LIMIT)
        if not messages:
            raise SystemExit(f"only {got} of {count} messages came")
        got += len(messages)
    took = time.monotonic() - began
    consumer.close()
    return count / took


def measured(work: Callable[[], float], pid: int | None, count: int) -> Run:
    """Do it; (messages a second, the proxy's own CPU time in us a message)."""
    proxy = psutil.Process(pid) if pid is not None else None
    before = proxy.cpu_times() if proxy else None
    rate = work()
    if proxy is None or before is None:
        return rate, 0.0
    after = proxy.cpu_times()
    return rate, (after.user + after.system - before.user - before.system) / count * 1e6


def table(results: Results) -> Table:
    """Thousands of messages a second, the part of direct's, the proxy's CPU time a message."""
    rows = []
    for load, ways in results.items():
        direct = [rate for rate, _ in ways["direct"]]
        for way, runs in ways.items():
            rates = [rate for rate, _ in runs]
            part = statistics.median(ratios(rates, direct))
            cpu = statistics.median(used for _, used in runs)
            shown = spread([rate / 1e3 for rate in rates])
            rows.append((load, way, shown, f"{part:.0%}", f"{cpu:.2f}" if cpu else "-"))
    return Table(
        title="P4: Kafka",
        head=("load", "way", "k messages/s", "of direct", "proxy CPU, us a message"),
        rows=tuple(rows),
        note="Median (least - most). 1 partition, acks=all.",
    )


def goals(results: Results) -> list[Goal]:
    """What performance.md wants of each way."""

    def part(value: float) -> str:
        return f"{value:.0%}"

    def rates(load: str, way: str) -> list[float]:
        return [rate for rate, _ in results[load][way]]

    made = []
    for load, by_way in results.items():
        wanted = [("link", 0.95 if load.startswith("100") else 0.75)]
        wanted += [("link, decoded", 0.7), ("link, recorded", 0.7)]
        for way, least in wanted:
            values = ratios(rates(load, way), rates(load, "direct"))
            made.append(goal("P4", f"{load}, {way}, of direct", values, least=least, show=part))
        if "toxiproxy" in by_way and load.startswith("1 KiB"):
            values = ratios(rates(load, "link"), rates(load, "toxiproxy"))
            made.append(goal("P4", f"{load}, link, to Toxiproxy", values, least=1.3))
    return made


def repetition(number: int, ways: Ways, history: Path, scale: float, results: Results) -> None:
    """Every load and every way once."""
    names = [*(way for way in ways.servers if way != "link"), *LINKS]
    turn = number % len(names)  # nobody is always the first
    for load, (size, most) in LOADS.items():
        count = int(most * scale)
        for way in names[turn:] + names[:turn]:
            begin(ways.plane, way, history)
            warm()
            kind = "link" if way in LINKS else way
            topic = f"t-{size}-{number}-{names.index(way)}"
            for what, work in {
                "produce": partial(produce, ways.servers[kind], topic, size, count),
                "consume": partial(consume, ways.servers[kind], topic, count),
            }.items():
                run = measured(work, ways.pids.get(kind), count)
                if number:  # at first the broker's JVM is warming up
                    by_way = results.setdefault(f"{load} {what}", {name: [] for name in names})
                    by_way[way].append(run)
            ways.plane.request("end")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repetitions", type=int, default=5)
    parser.add_argument("--scale", type=float, default=1.0, help="of the number of messages")
    options = parser.parse_args()
    before = figures.load()
    results: Results = {}
    with ways_to_kafka() as ways, tempfile.TemporaryDirectory() as folder:
        for number in range(options.repetitions + 1):
            repetition(number, ways, Path(folder) / "history", options.scale, results)
    figures.done(
        Figures(
            conditions=f"Kafka {ways.version}, {versions()}; "
            f"{options.repetitions} interleaved repetitions after "
            f"one for warming up; load {before:.1f} before, {figures.load():.1f} after (the "
            "benchmark itself is about 2).",
            tables=(table(results),),
            goals=tuple(goals(results)),
        )
    )


if __name__ == "__main__":
    main()
