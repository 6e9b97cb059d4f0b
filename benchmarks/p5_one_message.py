"""P5: one Kafka message at a time: what each proxy adds to the time until it is confirmed.

    python -m benchmarks.p5_one_message [--repetitions 5] [--messages 2000]

confluent-kafka, acks=all, no linger; the next message is sent when the one before was confirmed.
Blocks of messages on every way take turns. Needs Java, confluent-kafka, haproxy.
"""

from __future__ import annotations

import argparse
import gc
import statistics
import tempfile
import time
from pathlib import Path

import psutil
from confluent_kafka import Producer

from benchmarks import figures
from benchmarks.figures import Figures, Table, goal, spread
from benchmarks.kafka_broker import LIMIT, Ways, ways_to_kafka
from benchmarks.links import LINKS, begin
from benchmarks.proxies import versions

WARM_UP = 200
Run = dict[str, float]


def block(producer: Producer, topic: str, count: int) -> Run:
    """`count` messages, one after the other; p50 and p99 in us."""
    value, headers = bytes(100), [("mqchaos-id", b"0")]
    told: list[object] = []
    took = []
    gc.collect()
    for _ in range(count):
        began = time.perf_counter_ns()
        producer.produce(topic, value, headers=headers, on_delivery=lambda e, _: told.append(e))
        while not told:
            producer.poll(LIMIT)
        took.append((time.perf_counter_ns() - began) / 1e3)
        if told.pop() is not None:
            raise SystemExit("a message was not confirmed")
    took.sort()
    return {"p50": took[count // 2], "p99": took[count * 99 // 100]}


def measured(ways: Ways, way: str, producer: Producer, count: int) -> Run:
    """One block and the proxy's CPU time a message."""
    pid = ways.pids.get("link" if way in LINKS else way)
    times = psutil.Process(pid).cpu_times if pid is not None else None
    before = sum(times()[:2]) if times else 0.0
    run = block(producer, "one", count)
    return {**run, "cpu": (sum(times()[:2]) - before) / count * 1e6 if times else 0.0}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repetitions", type=int, default=5)
    parser.add_argument("--messages", type=int, default=2000)
    options = parser.parse_args()
    before = figures.load()
    found: dict[str, list[Run]] = {}
    with ways_to_kafka() as ways, tempfile.TemporaryDirectory() as folder:
        names = [*(way for way in ways.servers if way != "link"), *LINKS]
        producers = {}
        for kind, server in ways.servers.items():
            config = {"bootstrap.servers": server, "acks": "all", "linger.ms": 0, "log_level": 0}
            producers[kind] = Producer(config)
            producers[kind].list_topics("one", LIMIT)
        for number in range(options.repetitions + 1):
            turn = number % len(names)
            for way in names[turn:] + names[:turn]:
                begin(ways.plane, way, Path(folder) / "history")
                producer = producers["link" if way in LINKS else way]
                block(producer, "one", WARM_UP)
                run = measured(ways, way, producer, options.messages)
                if number:  # at first the broker's JVM is warming up
                    found.setdefault(way, []).append(run)
                ways.plane.request("end")

    def added(way: str) -> list[float]:
        return [
            run["p50"] - direct["p50"]
            for run, direct in zip(found[way], found["direct"], strict=True)
        ]

    def us(value: float) -> str:
        return f"{value:.0f} us"

    rows = tuple(
        (
            way, spread([r["p50"] for r in runs]), spread([r["p99"] for r in runs]),
            spread(added(way)) if way != "direct" else "-",
            f"{statistics.median(r['cpu'] for r in runs):.0f}" if way != "direct" else "-",
        )
        for way, runs in found.items()
    )  # fmt: skip
    figures.done(
        Figures(
            conditions=f"Kafka {ways.version}, {versions()}; "
            f"{options.repetitions} interleaved repetitions of "
            f"{options.messages} messages after one for warming up; load {before:.1f} before, "
            f"{figures.load():.1f} after.",
            tables=(
                Table(
                    title="P5: one message at a time",
                    head=("way", "p50 us", "p99 us", "added p50 us", "proxy CPU, us a message"),
                    rows=rows, words=1, note="Median (least - most) of the repetitions.",
                ),
            ),
            goals=tuple(
                goal("P5", f"one message, {way}: added p50", added(way), most=30, show=us)
                for way in LINKS
            ),
        )
    )  # fmt: skip


if __name__ == "__main__":
    main()
