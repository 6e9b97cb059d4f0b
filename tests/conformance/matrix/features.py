"""The rows of the matrix: what is asked of every client, on every broker. Data alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from tests.conformance.matrix import admins, consumers, load, members, producers, transactions

A, C, K = "aiokafka", "confluent", "kafka-python"


class Feature(NamedTuple):
    """`ask(seen, client)` does it on a fresh topic and raises AssertionError if it is not right.
    `usual` are the clients that the default test run asks on the embedded cluster. With more than
    one of the `nodes` a rule is armed, so not every publish and commit has to be confirmed."""

    name: str
    ask: Callable[..., None]
    partitions: int = 1
    usual: tuple[str, ...] = (A,)
    nodes: int = 1

    @property
    def shape(self):
        """The topic's settings beside its partitions."""
        return load.SHAPE if self.nodes > 1 else {}


FEATURES = (
    Feature("produce", producers.plain, 2, (A, C, K)),
    Feature("idempotent produce", producers.idempotent, 2, (A, C, K)),
    Feature("gzip", producers.COMPRESSED["gzip"], 2, (A, C, K)),
    Feature("snappy", producers.COMPRESSED["snappy"], 2),
    Feature("lz4", producers.COMPRESSED["lz4"], 2),
    Feature("zstd", producers.COMPRESSED["zstd"], 2),
    Feature("keys and headers", producers.keys_and_headers, 2, (A, C, K)),
    Feature("header without a value", producers.null_header, usual=(K,)),
    Feature("group of two", consumers.group_of_two, 2, (A, C, K)),
    Feature("manual commit", consumers.manual_commit, usual=(C,)),
    Feature("auto commit", consumers.auto_commit),
    Feature("seek", consumers.seek, usual=(K,)),
    Feature("pause and resume", consumers.pause_and_resume, 2),
    Feature("batch consume", consumers.batch_consume),
    Feature("create topic", admins.create_topic, usual=(C,)),
    Feature("delete topic", admins.delete_topic, usual=(K,)),
    Feature("list groups", admins.list_groups),
    Feature("describe groups", admins.describe_groups, usual=(K,)),
    Feature("transactional produce", transactions.transactional_produce),
    Feature("read_committed consume", transactions.read_committed, usual=()),
    Feature("static membership", members.static_members, 2, (K,)),
    Feature("cooperative-sticky", members.cooperative, 4, (C,)),
    Feature("newer group protocol (KIP-848)", members.newer_protocol, 4, (C,)),
    Feature("broker killed under load", load.broker_kill, load.PARTITIONS, (C,), nodes=load.NODES),
    Feature("leader moved under load", load.leader_move, load.PARTITIONS, (), nodes=load.NODES),
)
