"""The `process` broker for Kafka: Apache Kafka, one node, as a plain subprocess.

It knows the order of things: jars, class-data archive, ports, start, readiness, mending. What a
node is stands in kafka_node.py, what it is told in kafka_config.py. Nothing outlives the test run
(leash.py).
"""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path

from pytest_mqchaos.brokers.base import Address
from pytest_mqchaos.brokers.java import cache_directory, find_java, lacking_java, only_one
from pytest_mqchaos.brokers.kafka_config import new_cluster_id
from pytest_mqchaos.brokers.kafka_direct import Direct
from pytest_mqchaos.brokers.kafka_jars import kafka_jars, lacking_jars
from pytest_mqchaos.brokers.kafka_node import KafkaNode, Software
from pytest_mqchaos.brokers.ports import Reservation
from pytest_mqchaos.errors import BrokerError, UsageError, WaitTimeout

_JAVA = 17  # Kafka 4 brokers need it (KIP-1013)
_READY = 60.0  # seconds; two shared cores under load, measured start is 1 to 3
_DUMP = 90.0  # seconds that writing an archive at the end may take: 2 when nothing else runs


def lacking() -> str | None:
    """What to install before this broker can be used here, or None."""
    return lacking_java(_JAVA, "Apache Kafka") or lacking_jars()


class KafkaProcess:
    """Killable, Pausable, Restartable, Healable, Mortal. `settings` are broker properties (Kafka's
    own names) that win over ours; `archive` False starts without the class-data archive. Safe to
    use from several threads: one action at a time."""

    kind = "process"

    def __init__(
        self, *, nodes: int = 1, settings: Mapping[str, str] | None = None, archive: bool = True
    ) -> None:
        if nodes != 1:
            raise UsageError(f"the process broker of Kafka has one node so far, asked were {nodes}")
        self.version = ""
        self._settings = dict(settings or {})
        self._use_archive = archive
        self._archive: Path | None = None
        self._nodes: dict[int, KafkaNode] = {}
        self._lock = threading.RLock()

    def start(self) -> None:
        """Fetch what is missing, start, return when a topic could be created."""
        with self._lock:
            if self._nodes:
                return
            software = _software()
            self.version = software.version
            if self._use_archive:
                self._archive = _trained(software)
            self._nodes = {1: _new_node(software, self._settings)}
            try:
                self._start_all()
                with Direct(self.addresses().values(), timeout=_READY) as direct:
                    direct.finalize_features()
            except BaseException:  # also a Ctrl-C: nothing that was started stays
                self.stop()
                raise

    def stop(self) -> None:
        with self._lock:
            for node in self._nodes.values():
                node.close()
            self._nodes = {}

    def addresses(self) -> dict[int, Address]:
        return {node.id: node.address for node in self._nodes.values()}

    def kill(self, node: int) -> None:
        with self._lock:
            self._node(node).kill()

    def pause(self, node: int) -> None:
        with self._lock:
            self._node(node).pause()

    def resume(self, node: int) -> None:
        with self._lock:
            self._node(node).resume()

    def restart(self, node: int) -> None:
        with self._lock:
            self._node(node).terminate()
            self._node(node).start(self._archive)
            self._wait_ready(self._node(node))

    def heal(self) -> None:
        with self._lock:
            for node in self._nodes.values():
                if node.paused:
                    node.resume()
                if not node.child.alive():
                    node.start(self._archive)
            for node in self._nodes.values():
                self._wait_ready(node)

    def died(self) -> str | None:
        for node in tuple(self._nodes.values()):
            if node.died:
                return (
                    f"{node.child.name} (pid {node.child.pid}) is gone: it ended with status "
                    f"{node.child.returncode} and no rule had asked for that. It said last:\n"
                    f"{node.child.last_lines()}"
                )
        return None

    def memory(self, node: int) -> int:
        """Resident bytes of a node's process (Linux)."""
        pid = self._node(node).child.pid
        fields = Path(f"/proc/{pid}/statm").read_text().split()
        return int(fields[1]) * os.sysconf("SC_PAGE_SIZE")

    def _start_all(self) -> None:
        """A class-data archive that this JVM chokes on must not keep anybody from testing: then
        once more without, and if that goes well, the archive was to blame."""
        try:
            self._start_nodes()
        except BrokerError as error:
            if self._archive is None:
                raise
            blamed, self._archive = self._archive, None
            for node in self._nodes.values():
                node.kill()
            self._start_nodes()
            if not isinstance(error.__cause__, WaitTimeout):  # slow is the machine, not the archive
                blamed.unlink(missing_ok=True)

    def _start_nodes(self) -> None:
        for node in self._nodes.values():
            node.start(self._archive)
        for node in self._nodes.values():
            self._wait_ready(node)

    def _wait_ready(self, node: KafkaNode) -> None:
        try:
            with Direct(node.address, timeout=_READY) as direct:
                direct.wait_ready(check=node.child.check)
        except WaitTimeout as error:
            words = node.child.last_lines()
            raise BrokerError(f"{error}. {node.child.name} said last:\n{words}") from error

    def _node(self, node: int) -> KafkaNode:
        if node not in self._nodes:
            known = ", ".join(map(str, self._nodes)) or "none, it is not started"
            raise UsageError(f"this Kafka has no node {node}; it has: {known}")
        return self._nodes[node]


def _software() -> Software:
    java = find_java(_JAVA, "Apache Kafka")
    classpath, version = kafka_jars()
    return Software(java=java, classpath=classpath, version=version)


def _new_node(software: Software, settings: Mapping[str, str]) -> KafkaNode:
    with ExitStack() as undo:
        ports = undo.enter_context(Reservation()), undo.enter_context(Reservation())
        node = KafkaNode(
            1,
            new_cluster_id(),
            ports=ports,
            voters={1: ports[1].port},
            software=software,
            extra=settings,
        )
        undo.pop_all()
        return node


def _trained(software: Software) -> Path | None:
    """The class-data archive for this Java and these jars, made by one short run if there is none.
    None while another test process makes it, or if the JVM would not."""
    archive = software.java.archive(cache_directory(), software.classpath)
    if archive.exists():
        return archive
    with only_one(archive.with_suffix(".lock"), wait=False) as mine:
        if not mine:
            return None
        if not archive.exists():
            _train(software, archive)
    return archive if archive.exists() else None


def _train(software: Software, archive: Path) -> None:
    node = _new_node(software, {})
    dumped = archive.with_suffix(f".{os.getpid()}")
    try:
        node.start(dump=dumped)
        with Direct(node.address, timeout=_READY) as direct:
            direct.wait_ready(check=node.child.check)
            direct.finalize_features()
            direct.create_topic("mqchaos-warm", 1)
            direct.ends(["mqchaos-warm"])
            direct.committed("mqchaos-warm")
        node.terminate(_DUMP)
        if dumped.exists():
            shutil.move(dumped, archive)
    finally:
        node.close()
        dumped.unlink(missing_ok=True)
