"""P15: the embedded cluster, produced to over sockets with acks=all: one replica and three.

    python -m benchmarks.p15_replicated [--repetitions 5] [--scale 1.0]

Every repetition runs both ways in turn, the other one first each time, each on a fresh cluster;
ratios are taken within a repetition. Needs confluent-kafka, no broker.
"""

from __future__ import annotations

import argparse
import os
import statistics
import time
from functools import partial
from typing import TypeAlias

from confluent_kafka import Producer

from benchmarks import figures
from benchmarks.figures import Figures, Goal, Table, goal, ratios, spread
from benchmarks.kafka_broker import LIMIT
from benchmarks.p4_kafka import Run, measured, produce
from pytest_mqchaos.brokers.embedded import EmbeddedKafka
from pytest_mqchaos.dataplane.controller import DataPlane

LOADS = {"100 B": (100, 100_000), "1 KiB": (1024, 60_000), "100 B, one at a time": (100, 3_000)}
WAYS = {"one replica": 1, "three replicas": 3}
Results: TypeAlias = dict[str, dict[str, list[Run]]]


def one_by_one(servers: str, topic: str, size: int, count: int) -> float:
    """Messages a second when each waits for the confirm of the one before."""
    producer = Producer({"bootstrap.servers": servers, "acks": "all", "linger.ms": 0})
    producer.list_topics(topic, LIMIT)
    value = os.urandom(size)
    began = time.monotonic()
    for _ in range(count):
        producer.produce(topic, value)
        if producer.flush(LIMIT):
            raise SystemExit("not everything was confirmed")
    return count / (time.monotonic() - began)


def once(plane: DataPlane, load: str, nodes: int, scale: float) -> Run:
    """One way once, on a cluster of its own: messages a second, the cluster's CPU time a message in
    us (the data plane's, which hosts it)."""
    size, most = LOADS[load]
    broker = EmbeddedKafka(
        plane=plane, nodes=nodes, settings={"min.insync.replicas": min(nodes, 2)}
    )
    broker.start()
    servers = ",".join(f"{one.host}:{one.port}" for one in broker.addresses().values())
    work = one_by_one if "one" in load else produce
    count = max(int(most * scale), 1)
    found = measured(partial(work, servers, "t", size, count), plane.pid, count)
    broker.stop()
    return found


def table(results: Results) -> Table:
    """Thousands of messages a second, three replicas as a part of one, CPU time a message."""
    rows = []
    for load, ways in results.items():
        cells = [spread([rate / 1e3 for rate, _ in ways[way]], 1) for way in WAYS]
        used = [f"{statistics.median(cpu for _, cpu in ways[way]):.1f}" for way in WAYS]
        rows.append((load, *cells, spread(parts(ways), 2), " / ".join(used)))
    return Table(
        title="P15: the embedded cluster, acks=all",
        head=("load", "one replica, k messages/s", "three replicas", "part", "CPU, us a message"),
        rows=tuple(rows),
        words=1,
        note="Median (least - most). 1 partition; a cluster of as many brokers as replicas.",
    )


def parts(ways: dict[str, list[Run]]) -> list[float]:
    """Three replicas' rates as parts of one's."""
    three, one = ([rate for rate, _ in ways[way]] for way in ("three replicas", "one replica"))
    return ratios(three, one)


def goals(results: Results) -> list[Goal]:
    """Replicated produce is at least half as fast."""
    return [goal("P15", load, parts(ways), least=0.5) for load, ways in results.items()]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repetitions", type=int, default=5)
    parser.add_argument("--scale", type=float, default=1.0, help="of the number of messages")
    options = parser.parse_args()
    before = figures.load()
    results: Results = {load: {way: [] for way in WAYS} for load in LOADS}
    with DataPlane() as plane:
        for number in range(options.repetitions):
            turn = list(WAYS) if number % 2 else list(WAYS)[::-1]  # nobody is always the first
            for load, ways in results.items():
                for way in turn:
                    ways[way].append(once(plane, load, WAYS[way], options.scale))
        if plane.troubles:
            raise SystemExit(f"the data plane had troubles: {plane.troubles}")
    figures.done(
        Figures(
            conditions=f"{options.repetitions} interleaved repetitions; load {before:.1f} before, "
            f"{figures.load():.1f} after (the benchmark itself is about 2).",
            tables=(table(results),),
            goals=tuple(goals(results)),
        )
    )


if __name__ == "__main__":
    main()
