"""P4: a real Kafka, produced to (acks=all) and consumed from: direct, through haproxy, through the
link with nothing recorded and with everything recorded (the default of a test).

    python benchmarks/p4_kafka.py [--repetitions 5] [--scale 1.0]

Every repetition runs every way in turn, another way first each time; medians are compared. Needs
Java, confluent-kafka, haproxy.
"""

from __future__ import annotations

import argparse
import contextlib
import mmap
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import TypeAlias

import psutil
from confluent_kafka import Consumer, Producer, TopicPartition

sys.path.insert(0, str(Path(__file__).parents[1]))

from pytest_mqchaos.brokers.java import find_java
from pytest_mqchaos.brokers.kafka_config import new_cluster_id
from pytest_mqchaos.brokers.kafka_direct import Direct
from pytest_mqchaos.brokers.kafka_jars import kafka_jars
from pytest_mqchaos.brokers.kafka_node import KafkaNode, Software
from pytest_mqchaos.brokers.ports import LOOPBACK, Reservation
from pytest_mqchaos.dataplane.controller import DataPlane

LOADS = {"100 B": (100, 600_000), "1 KiB": (1024, 300_000)}  # name: (size, messages)
Run: TypeAlias = tuple[float, float]
Results: TypeAlias = dict[tuple[str, str], dict[str, list[Run]]]
WAYS = ("direct", "haproxy", "link", "link, recorded")
LIMIT = 60.0
WARM = 2 << 30  # bytes; what one run's clients, broker log and history take together, and more
# Else a consumer that has 100,000 messages ahead pauses for a second: the fast way would look slow.
CONSUMER = {
    "group.id": "benchmark",
    "queued.min.messages": 10_000_000,
    "queued.max.messages.kbytes": 2_000_000,
    "fetch.queue.backoff.ms": 1,
}
HAPROXY = """global
  nbthread 1
  tune.bufsize 262144
defaults
  mode tcp
  timeout connect 5s
  timeout client 60s
  timeout server 60s
listen proxy
  bind 127.0.0.1:{front}
  server broker 127.0.0.1:{back}
"""


@contextlib.contextmanager
def kafka(front: int) -> Iterator[tuple[int, int]]:
    """One node with two client listeners; (port of the plain one, port of the one that says that
    it is at `front`)."""
    classpath, version = kafka_jars()
    software = Software(java=find_java(17, "Apache Kafka"), classpath=classpath, version=version)
    with Reservation() as back, contextlib.ExitStack() as stack:
        ports = Reservation(), Reservation()
        port, control = ports[0].port, ports[1].port
        extra = {
            "listeners": f"PLAINTEXT://{LOOPBACK}:{port},VIA://{LOOPBACK}:{back.port},"
            f"CONTROLLER://{LOOPBACK}:{control}",
            "advertised.listeners": f"PLAINTEXT://{LOOPBACK}:{port},VIA://{LOOPBACK}:{front}",
            "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,VIA:PLAINTEXT,"
            "CONTROLLER:PLAINTEXT",
        }
        node = KafkaNode(
            1, new_cluster_id(), ports=ports, voters={1: control}, software=software, extra=extra
        )
        stack.callback(node.close)
        node.start(None)
        with Direct(node.address, timeout=LIMIT) as direct:
            direct.wait_ready(check=node.child.check)
        yield port, back.port


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


def measured(work: Callable[[], float], proxy: psutil.Process | None, count: int) -> Run:
    """Do it; (messages a second, the proxy's own CPU time in us a message)."""
    before = proxy.cpu_times() if proxy else None
    rate = work()
    if proxy is None or before is None:
        return rate, 0.0
    after = proxy.cpu_times()
    return rate, (after.user + after.system - before.user - before.system) / count * 1e6


def table(results: Results) -> None:
    """Thousands of messages a second: median (least-most), the median as a part of direct's, and
    the proxy's CPU time a message."""
    print("| load | way | k messages/s | least - most | of direct | proxy CPU, us a message |")
    print("|---|---|---:|---:|---:|---:|")
    for (load, what), ways in results.items():
        direct = statistics.median(rate for rate, _ in ways["direct"])
        for way in WAYS:
            rates = [rate for rate, _ in ways[way]]
            mid = statistics.median(rates)
            cpu = statistics.median(used for _, used in ways[way])
            print(
                f"| {load} {what} | {way} | {mid / 1e3:,.0f} | {min(rates) / 1e3:,.0f} - "
                f"{max(rates) / 1e3:,.0f} | {mid / direct:.0%} | {f'{cpu:.2f}' if cpu else '-'} |"
            )


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repetitions", type=int, default=5)
    parser.add_argument("--scale", type=float, default=1.0, help="of the number of messages")
    options = parser.parse_args()
    haproxy = shutil.which("haproxy")
    if haproxy is None:
        raise SystemExit("this benchmark needs haproxy on PATH")
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        front = stack.enter_context(Reservation()).port
        port, back = stack.enter_context(kafka(front))
        config = folder / "haproxy.cfg"
        config.write_text(HAPROXY.format(front=front, back=back))
        proxy = stack.enter_context(subprocess.Popen([haproxy, "-f", str(config), "-db"]))
        stack.callback(proxy.terminate)
        plane = stack.enter_context(DataPlane())
        plane.request("upstream", node=1, host=LOOPBACK, port=port)
        link = "{}:{}".format(*plane.address("benchmark", 1))
        servers = {
            "direct": f"{LOOPBACK}:{port}",
            "haproxy": f"{LOOPBACK}:{front}",
            "link": link,
            "link, recorded": link,
        }
        ours = psutil.Process(plane.pid)
        processes = {"haproxy": psutil.Process(proxy.pid), "link": ours, "link, recorded": ours}
        results: Results = {}
        loads = [os.getloadavg()[0]]
        for repetition in range(options.repetitions + 1):
            for load, (size, most) in LOADS.items():
                count = int(most * options.scale)
                turn = repetition % len(WAYS)  # nobody is always the first
                for number, way in enumerate(WAYS[turn:] + WAYS[:turn]):
                    history = folder / "history"
                    history.unlink(missing_ok=True)
                    record = way == "link, recorded"
                    plane.request("begin", history=str(history), settings={"record": record})
                    warm()
                    topic = f"t-{size}-{repetition}-{number}"
                    for what, work in {
                        "produce": partial(produce, servers[way], topic, size, count),
                        "consume": partial(consume, servers[way], topic, count),
                    }.items():
                        run = measured(work, processes.get(way), count)
                        if repetition:  # at first the broker's JVM is warming up
                            results.setdefault((load, what), {}).setdefault(way, []).append(run)
                    plane.request("end")
        loads.append(os.getloadavg()[0])
        print(
            f"{options.repetitions} repetitions; load before {loads[0]:.1f}, after {loads[1]:.1f}"
        )
        table(results)
        print(f"troubles: {plane.troubles}")


if __name__ == "__main__":
    main()
