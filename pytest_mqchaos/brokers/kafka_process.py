"""The `process` broker for Kafka: Apache Kafka, one node or several, as plain subprocesses.

It knows the order of things: jars, class-data archive, start, readiness, what is done to a node,
mending. What a cluster is made of stands in kafka_nodes.py, what a node is in kafka_node.py, what
it is told in kafka_config.py. Nothing outlives the test run (leash.py).
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Mapping
from pathlib import Path

from pytest_mqchaos.brokers.base import Address
from pytest_mqchaos.brokers.java import find_java, lacking_java
from pytest_mqchaos.brokers.kafka_archive import trained
from pytest_mqchaos.brokers.kafka_direct import Direct
from pytest_mqchaos.brokers.kafka_jars import kafka_jars, lacking_jars
from pytest_mqchaos.brokers.kafka_node import KafkaNode, Software
from pytest_mqchaos.brokers.kafka_nodes import Nodes, count, new_nodes
from pytest_mqchaos.errors import BrokerError, UsageError, WaitTimeout

_JAVA = 17  # Kafka 4 brokers need it (KIP-1013)
_READY = 60.0  # seconds; two shared cores under load, measured start is 1 to 3
_ASK = 10.0  # for a question while a frame waits
# Seconds after which a paused follower has nothing more to come: longer than its last fetch may
# have waited at the leader (replica.fetch.wait.max.ms), measured; without it half of the trials
# still copied what came next.
_HELD = 0.3
_PROBE = "mqchaos-replicated"


def lacking() -> str | None:
    """What to install before this broker can be used here, or None."""
    return lacking_java(_JAVA, "Apache Kafka") or lacking_jars()


class KafkaProcess:
    """Killable, Pausable, Restartable, Healable, Mortal, Placed, LeaderMovable and
    ReplicationHoldable. It cannot lose power (what a process wrote stays in the system's cache when
    it is killed) nor be partitioned (that takes the rights of an administrator). `nodes`: how many
    brokers; `settings` are broker properties (Kafka's own names) that win over ours; `archive`
    False starts without the class-data archive. Safe to use from several threads: one action at a
    time."""

    kind = "process"

    def __init__(
        self, *, nodes: int = 1, settings: Mapping[str, str] | None = None, archive: bool = True
    ) -> None:
        self.version = ""
        self._count = count(nodes)
        self._settings = dict(settings or {})
        self._use_archive = archive
        self._archive: Path | None = None
        self._nodes = Nodes({}, ())
        self._held: set[int] = set()
        self._directs: dict[int, Direct] = {}
        self._lock = threading.RLock()

    def start(self) -> None:
        """Fetch what is missing, start, return when a topic could be created; with several nodes,
        when a message was stored by all of them."""
        with self._lock:
            if self._nodes.brokers:
                return
            software = _software()
            self.version = software.version
            if self._use_archive:
                self._archive = trained(software)
            self._nodes = new_nodes(self._count, software, self._settings)
            try:
                self._start_all()
                with Direct(self.addresses().values(), timeout=_READY, check=self._check) as direct:
                    direct.finalize_features()
                    if self._count > 1:
                        self._replicates(direct)
                self._directs = {
                    node: Direct(address, timeout=_ASK, check=self._check)
                    for node, address in self.addresses().items()
                }
            except BaseException:  # also a Ctrl-C: nothing that was started stays
                self.stop()
                raise

    def stop(self) -> None:
        with self._lock:
            for direct in self._directs.values():
                direct.close()
            self._directs.clear()
            for node in self._nodes.every():
                node.close()
            self._nodes = Nodes({}, ())
            self._held.clear()

    def addresses(self) -> dict[int, Address]:
        return {node.id: node.address for node in self._nodes.brokers.values()}

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
            self._held.clear()
            for node in self._nodes.every():
                if node.paused:
                    node.resume()
                if not node.child.alive():
                    node.start(self._archive)
            for node in self._nodes.brokers.values():
                self._wait_ready(node)
            if self._count > 1:
                self._wait_replicated()

    def leader(self, topic: str, partition: int) -> int | None:
        leader = self._asked.placing(topic, partition)[0]
        return leader if leader >= 0 else None

    def followers(self, topic: str, partition: int) -> tuple[int, ...]:
        leader, copies = self._asked.placing(topic, partition)
        return tuple(node for node in copies if node != leader)

    def coordinator(self, kind: str, key: str) -> int | None:
        place = self._asked.coordinating(kind, key)
        return self.leader(*place) if place is not None else None

    def move_leader(self, topic: str, partition: int, to: int | None = None) -> int:
        with self._lock:
            return self._asked.move_leader(topic, partition, to)

    def move_coordinator(self, kind: str, key: str, to: int | None = None) -> int:
        place = self._asked.coordinating(kind, key)
        if place is None:
            raise UsageError(f"nobody coordinates the {kind} {key!r}: it was never used")
        return self.move_leader(*place, to)

    def hold_replication(
        self, topic: str | None = None, partition: int | None = None, follower: int | None = None
    ) -> None:
        """The followers copy what there is, then stand still (SIGSTOP), with whatever else they do;
        1.5 s later they are no longer in sync (broker.session.timeout.ms,
        replica.lag.time.max.ms)."""
        if topic is None or partition is None:
            raise UsageError(
                "real nodes can hold the replication of one partition only, by standing still: say "
                "which topic and partition"
            )
        self._asked.wait_copied(topic, partition)
        with self._lock:
            for node in self._followers(topic, partition, follower):
                if not self._node(node).paused:
                    self._node(node).pause()
                    self._held.add(node)
        time.sleep(_HELD)

    def release_replication(self) -> None:
        with self._lock:
            for node in self._held:
                self._node(node).resume()
            self._held.clear()

    def died(self) -> str | None:
        for node in self._nodes.every():
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
            for node in self._nodes.every():
                node.kill()
            self._start_nodes()
            if not isinstance(error.__cause__, WaitTimeout):  # slow is the machine, not the archive
                blamed.unlink(missing_ok=True)

    def _start_nodes(self) -> None:
        for node in self._nodes.every():
            node.start(self._archive)
        for node in self._nodes.brokers.values():
            self._wait_ready(node)

    def _wait_ready(self, node: KafkaNode) -> None:
        try:
            with Direct(node.address, timeout=_READY) as direct:
                direct.wait_ready(check=self._check)
        except WaitTimeout as error:
            words = node.child.last_lines()
            raise BrokerError(f"{error}. {node.child.name} said last:\n{words}") from error

    def _replicates(self, direct: Direct) -> None:
        """That nodes are there does not yet say that they copy: a message that all must have."""
        everywhere = {"min.insync.replicas": self._count}
        direct.create_topic(_PROBE, 1, self._count, everywhere)
        direct.write(_PROBE, 0, b"copied")
        direct.delete_topic(_PROBE)
        self._wait_replicated()

    def _wait_replicated(self) -> None:
        """Every node has to say so: one that was paused still believes what was before."""
        for node in self._nodes.brokers.values():
            with Direct(node.address, timeout=_READY, check=self._check) as direct:
                direct.wait_replicated(self._nodes.brokers)

    def _followers(self, topic: str, partition: int, follower: int | None) -> tuple[int, ...]:
        found = self.followers(topic, partition)
        if follower is None:
            return found
        if follower not in found:
            raise UsageError(
                f"node {follower} does not follow in {topic}-{partition}: {list(found)} do"
            )
        return (follower,)

    @property
    def _asked(self) -> Direct:
        """A node that can answer now: waiting for a paused one would take longer than followers
        stay in sync, and more than a frame can wait."""
        if not self._directs:
            raise BrokerError("this Kafka is not started")
        nodes = self._nodes.brokers.values()
        awake = (node.id for node in nodes if node.child.alive() and not node.paused)
        return self._directs[next(awake, min(self._directs))]

    def _check(self) -> None:
        """No answer can come any more when a node has ended that nobody had asked to."""
        for node in self._nodes.every():
            if node.died:
                node.child.check()

    def _node(self, node: int) -> KafkaNode:
        if node not in self._nodes.brokers:
            known = ", ".join(map(str, self._nodes.brokers)) or "none, it is not started"
            raise UsageError(f"this Kafka has no node {node}; it has: {known}")
        return self._nodes.brokers[node]


def _software() -> Software:
    java = find_java(_JAVA, "Apache Kafka")
    classpath, version = kafka_jars()
    return Software(java=java, classpath=classpath, version=version)
