"""One node of Apache Kafka as a process of this machine: start, end, stand still, come back.

It knows the JVM's command line and the node's folder; it must never know how many nodes there are
nor what they are asked. Identity, ports and data stay through every restart.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pytest_mqchaos.brokers.base import Address
from pytest_mqchaos.brokers.child import Child
from pytest_mqchaos.brokers.java import Java
from pytest_mqchaos.brokers.kafka_config import NodeConfig
from pytest_mqchaos.brokers.ports import LOOPBACK, Reservation
from pytest_mqchaos.errors import Impossible, WaitTimeout
from pytest_mqchaos.leash import hold

_MAIN = "kafka.Kafka"
_ORDERLY = 15.0  # seconds that a SIGTERM may take


@dataclass(frozen=True, slots=True, kw_only=True)
class Software:
    """What a node runs on."""

    java: Java
    classpath: Sequence[Path]
    version: str
    heap: str = "192m"


class KafkaNode:
    """Made stopped. `port` is for clients (None: it only controls); `held` are the ports that stay
    reserved while the process is dead and are released by `close`. `voters` maps the controllers'
    node ids to their ports, `brokers` counts those that can hold a copy."""

    def __init__(
        self,
        node: int,
        cluster: str,
        *,
        port: Reservation | None,
        held: Sequence[Reservation],
        voters: Mapping[int, int],
        brokers: int,
        software: Software,
        extra: Mapping[str, str],
    ) -> None:
        self.id = node
        listens = port.port if port is not None else voters[node]
        self.address = Address(LOOPBACK, listens)
        self.paused = False
        self._meant = True  # to be down, if it is
        self._software = software
        self._ports = held
        directory = hold.directory(f"mqchaos-kafka-{node}-")
        self.child = Child(f"Kafka node {node} at {self.address}", directory)
        config = NodeConfig(
            node=node,
            cluster=cluster,
            port=port.port if port is not None else None,
            voters=voters,
            data=directory / "data",
            replication=min(3, brokers),
            extra=extra,
        )
        config.data.mkdir()
        (config.data / "meta.properties").write_text(config.meta())
        self._properties = directory / "server.properties"
        self._properties.write_text(config.properties())

    def start(self, archive: Path | None = None, *, dump: Path | None = None) -> None:
        """Start the process; it does not answer yet. `archive` is a class-data archive to use,
        `dump` one to write at an orderly end."""
        software = self._software
        command = software.java.command(software.classpath, software.heap, archive)
        options = [
            "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
            f"-Djava.io.tmpdir={self.child.directory}",  # of unpacked libraries: goes with it
        ]
        if dump is not None:
            options.append(f"-XX:ArchiveClassesAtExit={dump}")
        argv = [command[0], *options, *command[1:], _MAIN, str(self._properties)]
        self.child.start(argv, _environment())
        self.paused = self._meant = False

    @property
    def died(self) -> bool:
        """It has ended, and not because of us."""
        return not self._meant and not self.child.alive()

    def kill(self) -> None:
        """SIGKILL; returns when it is gone."""
        self._meant = self._meant or self.child.alive()
        self.child.signal(signal.SIGKILL)
        self._gone()

    def terminate(self, patience: float = _ORDERLY) -> None:
        """SIGTERM; SIGKILL after `patience` seconds. Returns when it is gone."""
        self._meant = self._meant or self.child.alive()
        self.resume()
        self.child.signal(signal.SIGTERM)
        if self.child.alive():
            try:
                self.child.wait(patience)
            except WaitTimeout:
                self.child.signal(signal.SIGKILL)
        self._gone()

    def pause(self) -> None:
        """SIGSTOP. Impossible for one that we have ended, BrokerError for one that ended itself."""
        if self._meant and not self.child.alive():
            raise Impossible(f"node {self.id} is down; only one that is up can be paused")
        self.child.check()
        self.child.signal(signal.SIGSTOP)
        self.paused = True

    def resume(self) -> None:
        self.child.signal(signal.SIGCONT)
        self.paused = False

    def close(self) -> None:
        """Kill it, remove its data, give its port back. May be called twice."""
        self.child.close()
        self._meant = True
        for port in self._ports:
            port.release()

    def _gone(self) -> None:
        if self.child.alive():
            self.child.wait(_ORDERLY)
        self.paused = False


def _environment() -> dict[str, str]:
    """The user's, without what would change the JVM behind our back."""
    ours = {"JAVA_TOOL_OPTIONS", "_JAVA_OPTIONS", "JDK_JAVA_OPTIONS", "CLASSPATH"}
    return {name: value for name, value in os.environ.items() if name not in ours}
