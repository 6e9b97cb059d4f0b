"""A real Kafka node for the benchmarks, reached directly and through every proxy.

    with ways_to_kafka() as ways: ways.servers["haproxy"], ways.plane, ways.pids

A proxy that rewrites nothing needs a listener of its own on the broker, which names the proxy as
its address; our links rewrite, so they use the plain one.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from benchmarks.proxies import haproxy, toxiproxy, toxiproxy_program
from pytest_mqchaos.brokers.java import find_java
from pytest_mqchaos.brokers.kafka_config import new_cluster_id
from pytest_mqchaos.brokers.kafka_direct import Direct
from pytest_mqchaos.brokers.kafka_jars import kafka_jars
from pytest_mqchaos.brokers.kafka_node import KafkaNode, Software
from pytest_mqchaos.brokers.ports import LOOPBACK, Reservation
from pytest_mqchaos.dataplane.controller import DataPlane

LIMIT = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Ways:
    """`servers`: bootstrap addresses by way ("direct", "haproxy", "toxiproxy", "link"); `pids`:
    the proxies' processes."""

    servers: Mapping[str, str]
    pids: Mapping[str, int]
    plane: DataPlane
    version: str


@contextlib.contextmanager
def kafka(fronts: Mapping[str, int]) -> Iterator[tuple[int, Mapping[str, int], str]]:
    """One node with a plain listener and one that names each front as its address: (port of the
    plain one, port of the others by name, version)."""
    classpath, version = kafka_jars()
    software = Software(java=find_java(17, "Apache Kafka"), classpath=classpath, version=version)
    with contextlib.ExitStack() as stack:
        backs = {name: stack.enter_context(Reservation()).port for name in fronts}
        ports = Reservation(), Reservation()  # the node gives them back
        port, control = ports[0].port, ports[1].port
        names = {name: name.upper() for name in fronts}
        extra = {
            "listeners": ",".join((
                f"PLAINTEXT://{LOOPBACK}:{port}", f"CONTROLLER://{LOOPBACK}:{control}",
                *(f"{names[name]}://{LOOPBACK}:{back}" for name, back in backs.items()),
            )),
            "advertised.listeners": ",".join((
                f"PLAINTEXT://{LOOPBACK}:{port}",
                *(f"{names[name]}://{LOOPBACK}:{front}" for name, front in fronts.items()),
            )),
            "listener.security.protocol.map": ",".join(
                f"{name}:PLAINTEXT" for name in ("PLAINTEXT", "CONTROLLER", *names.values())
            ),
        }  # fmt: skip
        node = KafkaNode(
            1, new_cluster_id(), port=ports[0], held=ports, voters={1: control}, brokers=1,
            software=software, extra=extra,
        )  # fmt: skip
        stack.callback(node.close)
        node.start(None)
        with Direct(node.address, timeout=LIMIT) as direct:
            direct.wait_ready(check=node.child.check)
        yield port, backs, version


@contextlib.contextmanager
def ways_to_kafka() -> Iterator[Ways]:
    """The broker, its proxies and a data plane, all started; ended afterwards."""
    makers = {"haproxy": haproxy, "toxiproxy": toxiproxy}
    if toxiproxy_program() is None:
        print("without Toxiproxy: install Go, or name a 2.12 server in TOXIPROXY_SERVER")
        del makers["toxiproxy"]
    with contextlib.ExitStack() as stack:
        fronts = {name: stack.enter_context(Reservation()).port for name in makers}
        port, backs, version = stack.enter_context(kafka(fronts))
        servers = {"direct": f"{LOOPBACK}:{port}"}
        pids = {}
        for name, make in makers.items():
            pid = stack.enter_context(make({fronts[name]: backs[name]}))
            if pid is not None:
                servers[name], pids[name] = f"{LOOPBACK}:{fronts[name]}", pid
        plane = stack.enter_context(DataPlane())
        plane.request("upstream", node=1, host=LOOPBACK, port=port)
        servers["link"] = "{}:{}".format(*plane.address("benchmark", 1))
        pids["link"] = plane.pid
        yield Ways(servers=servers, pids=pids, plane=plane, version=version)
        if plane.troubles:
            raise SystemExit(f"the data plane had troubles: {plane.troubles}")
