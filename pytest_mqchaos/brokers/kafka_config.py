"""What a Kafka node is told: its properties file and its identity. Pure text, no process.

Broker defaults stay as Apache Kafka has them wherever a client could notice, but for the rebalance
delay (150 ms), the session of a broker, and the sizes of internal topics and thread pools. Several
nodes notice a missing one sooner than Kafka would by itself (9 to 12 s).
"""

from __future__ import annotations

import base64
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pytest_mqchaos.brokers.ports import LOOPBACK

_SMALL = {
    "offsets.topic.num.partitions": "1",
    "transaction.state.log.num.partitions": "1",
    "share.coordinator.state.topic.num.partitions": "1",
    # 3000 by default. With 0 kafka-python joins twice, and forgets its assignment if a poll() of
    # the application ends in the middle of the second join (docs/reference/embedded-kafka.md).
    "group.initial.rebalance.delay.ms": "150",
    # A killed node may register again once its old session is over: 9 s by default, which makes
    # 11 s until it answers. These make 2 s, and still bear a second without any processor time.
    "broker.session.timeout.ms": "1500",
    "broker.heartbeat.interval.ms": "300",
    "num.network.threads": "1",
    "num.io.threads": "2",
    "num.recovery.threads.per.data.dir": "1",
    "log.cleaner.dedupe.buffer.size": "4194304",
}
# Of followers: a paused one leaves the in-sync set after 1.5 s, a new leader is found at once.
_QUICK = {
    "replica.lag.time.max.ms": "1500",
    "replica.fetch.wait.max.ms": "100",
    "replica.fetch.backoff.ms": "100",
    "replica.socket.timeout.ms": "1500",
    # Every five minutes Kafka hands leadership back to the preferred nodes: not twice the same run.
    "auto.leader.rebalance.enable": "false",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeConfig:
    """One node. It is a controller if it is among the `voters` (node id -> port of its controller
    listener) and a broker if it has a `port` for clients. `replication` is the number of copies
    that topics have by default; `extra` are the user's own properties and win over ours."""

    node: int
    cluster: str
    port: int | None
    voters: Mapping[int, int]
    data: Path
    replication: int
    extra: Mapping[str, str]

    def properties(self) -> str:
        """The properties file."""
        voters = ",".join(f"{n}@{LOOPBACK}:{port}" for n, port in sorted(self.voters.items()))
        copies = str(self.replication)
        in_sync = str(max(1, self.replication - 1))
        lines = {
            "node.id": str(self.node),
            **self._listeners(),
            "controller.listener.names": "CONTROLLER",
            "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
            "controller.quorum.voters": voters,
            "log.dirs": str(self.data),
            "auto.create.topics.enable": "true",
            "default.replication.factor": copies,
            "offsets.topic.replication.factor": copies,
            "transaction.state.log.replication.factor": copies,
            "transaction.state.log.min.isr": in_sync,
            "share.coordinator.state.topic.replication.factor": copies,
            "share.coordinator.state.topic.min.isr": in_sync,
            **_SMALL,
            **(_QUICK if self.replication > 1 else {}),
            **self.extra,
        }
        return "".join(f"{name}={_escaped(value)}\n" for name, value in lines.items())

    def _listeners(self) -> dict[str, str]:
        """Its roles, and where it listens for each."""
        roles: dict[str, str] = {}
        if self.port is not None:
            roles["broker"] = f"PLAINTEXT://{LOOPBACK}:{self.port}"
        if self.node in self.voters:
            roles["controller"] = f"CONTROLLER://{LOOPBACK}:{self.voters[self.node]}"
        lines = {"process.roles": ",".join(roles), "listeners": ",".join(roles.values())}
        if self.port is not None:
            lines |= {
                "advertised.listeners": roles["broker"],
                "inter.broker.listener.name": "PLAINTEXT",
            }
        return lines

    def meta(self) -> str:
        """`meta.properties` (KIP-631): what the format tool would have written."""
        return f"version=1\ncluster.id={self.cluster}\nnode.id={self.node}\n"


def new_cluster_id() -> str:
    """22 characters of base64url, as Kafka makes them."""
    return base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")


def _escaped(value: str) -> str:
    """Java's properties take a backslash as an escape."""
    return value.replace("\\", "\\\\").replace("\n", "\\n")
