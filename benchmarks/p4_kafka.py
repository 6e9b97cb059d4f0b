"""P4: a real Kafka, produced to (acks=all) and consumed from: direct, through haproxy, through the
link with nothing recorded and with everything recorded (the default of a test).

    python benchmarks/p4_kafka.py [--repetitions 5]

Every repetition runs every way in turn; medians are compared. Needs Java, confluent-kafka, haproxy.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from confluent_kafka import Consumer, Producer, TopicPartition

sys.path.insert(0, str(Path(__file__).parents[1]))

from pytest_mqchaos.brokers.java import find_java
from pytest_mqchaos.brokers.kafka_config import new_cluster_id
from pytest_mqchaos.brokers.kafka_direct import Direct
from pytest_mqchaos.brokers.kafka_jars import kafka_jars
from pytest_mqchaos.brokers.kafka_node import KafkaNode, Software
from pytest_mqchaos.brokers.ports import LOOPBACK, Reservation
from pytest_mqchaos.dataplane.controller import DataPlane

LOADS = {"100 B": (100, 200_000), "1 KiB": (1024, 100_000)}  # name: (size, messages)
WAYS = ("direct", "haproxy", "link", "link, recorded")
LIMIT = 60.0
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
    headers = [("mqchaos-id", b"0")]
    began = time.monotonic()
    for _ in range(count):
        producer.produce(topic, value, headers=headers, on_delivery=told)
        producer.poll(0)
    if producer.flush(LIMIT) or failed:
        raise SystemExit(f"not everything was confirmed: {failed[:1]}")
    return count / (time.monotonic() - began)


def consume(servers: str, topic: str, count: int) -> float:
    """Messages a second from the start of the topic."""
    consumer = Consumer({"bootstrap.servers": servers, "group.id": "benchmark"})
    consumer.assign([TopicPartition(topic, 0, 0)])
    consumer.list_topics(topic, LIMIT)
    began, got = time.monotonic(), 0
    while got < count:
        messages = consumer.consume(min(10_000, count - got), timeout=LIMIT)
        if not messages:
            raise SystemExit(f"only {got} of {count} messages came")
        got += len(messages)
    consumer.close()
    return count / (time.monotonic() - began)


def table(results: dict[tuple[str, str], dict[str, list[float]]]) -> None:
    """Medians a second, and each way as a part of direct."""
    print(f"{'load':<18}" + "".join(f"{way:>24}" for way in WAYS))
    for (load, what), ways in results.items():
        mid = {way: statistics.median(rates) for way, rates in ways.items()}
        cells = "".join(f"{mid[w]:>16,.0f} {mid[w] / mid['direct']:>6.0%}" for w in WAYS)
        print(f"{load + ' ' + what:<18}{cells}")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repetitions", type=int, default=5)
    repetitions = parser.parse_args().repetitions
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
        results: dict[tuple[str, str], dict[str, list[float]]] = {}
        for repetition in range(repetitions + 1):
            for load, (size, count) in LOADS.items():
                turn = repetition % len(WAYS)  # nobody is always the first
                for number, way in enumerate(WAYS[turn:] + WAYS[:turn]):
                    history = folder / "history"
                    history.unlink(missing_ok=True)
                    record = way == "link, recorded"
                    plane.request("begin", history=str(history), settings={"record": record})
                    topic = f"t-{size}-{repetition}-{number}"
                    rates = {
                        "produce": produce(servers[way], topic, size, count),
                        "consume": consume(servers[way], topic, count),
                    }
                    plane.request("end")
                    if not repetition:
                        continue  # the broker's JVM is warming up
                    for what, rate in rates.items():
                        results.setdefault((load, what), {}).setdefault(way, []).append(rate)
        print(f"{repetitions} repetitions, messages a second, load {os.getloadavg()[0]:.1f}")
        table(results)
        print(f"troubles: {plane.troubles}")


if __name__ == "__main__":
    main()
