"""One script about replicas for any cluster of three brokers: what it answers, as plain facts.

Waiting is for a state that the cluster tells; facts hold no ids or times that may differ.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

from tests.kafka_cluster.dialing import Dialer
from tests.kafka_cluster.talking import batch

LIMIT = 20
ALL, LEADER = -1, 1


class Script:
    """Questions to nodes of a broker with the abilities of `brokers.base`."""

    def __init__(self, broker: Any) -> None:
        self.broker = broker

    def to(self, node: int) -> Dialer:
        return Dialer(tuple(self.broker.addresses()[node]))

    def ask(self, node: int, api: int, version: int, **values: Any) -> Any:
        with self.to(node) as dialer:
            return dialer.ask(api, version, **values)

    def create(self, name: str, nodes: list[int], least: int) -> None:
        topic = {
            "name": name,
            "num_partitions": -1,
            "replication_factor": -1,
            "assignments": [{"partition_index": 0, "broker_ids": nodes}],
            "configs": [{"name": "min.insync.replicas", "value": str(least)}],
        }
        answer = self.ask(1, 19, 7, topics=[topic], timeout=5000)
        assert answer.topics[0].error_code == 0, answer
        for node in nodes:
            self.until(lambda node=node: self.view(node, name)[1] == nodes[0])

    def view(self, node: int, topic: str) -> tuple[Any, ...]:
        """(error, leader, epoch, in sync, offline) as a node tells."""
        one = self.ask(node, 3, 9, topics=[{"name": topic}], allow_auto_topic_creation=False)
        if not one.topics[0].partitions:
            return (int(one.topics[0].error_code), None)
        (at,) = one.topics[0].partitions
        sets = sorted(at.isr_nodes), sorted(at.offline_replicas)
        return (int(at.error_code), at.leader_id, at.leader_epoch, *sets)

    def until(self, true: Callable[[], Any]) -> None:
        limit = time.monotonic() + LIMIT
        while not true():
            assert time.monotonic() < limit, "it did not come to that"
            time.sleep(0.05)  # between two questions to a real broker

    def produce(self, node: int, topic: str, acks: int, count: int = 1, timeout: int = 5000) -> Any:
        data = [{"name": topic, "partition_data": [{"index": 0, "records": batch(count)}]}]
        given = {"acks": acks, "timeout": timeout, "topic_data": data, "transactional_id": None}
        answer = self.ask(node, 0, 11, **given)
        one = answer.responses[0].partition_responses[0]
        leader = (one.current_leader.leader_id, [end.node_id for end in answer.node_endpoints])
        return (int(one.error_code), one.base_offset, *leader)

    def fetch(self, node: int, topic: str, offset: int, version: int = 11, epoch: int = -1) -> Any:
        asked = {"partition": 0, "fetch_offset": offset, "partition_max_bytes": 9999}
        topics = [{"topic": topic, "partitions": [{**asked, "current_leader_epoch": epoch}]}]
        values = {"max_wait": 0, "min_bytes": 1, "max_bytes": 9999, "isolation_level": 0}
        values |= {"replica_id": -1, "forgotten_topics_data": [], "rack_id": "", "topics": topics}
        one = self.ask(node, 1, version, **values).responses[0].partitions[0]
        return int(one.error_code), one.high_watermark, bool(one.records)

    def offsets(self, node: int, topic: str, *stamps: int) -> list[Any]:
        told = []
        for stamp in stamps:
            asked = {"partition_index": 0, "timestamp": stamp, "current_leader_epoch": -1}
            topics = [{"name": topic, "partitions": [asked]}]
            answer = self.ask(node, 2, 7, replica_id=-1, isolation_level=0, topics=topics)
            one = answer.topics[0].partitions[0]
            told.append((int(one.error_code), one.timestamp, one.offset, one.leader_epoch))
        return told

    def ends(self, node: int, topic: str, *epochs: int) -> list[Any]:
        told = []
        for epoch in epochs:
            asked = {"partition": 0, "current_leader_epoch": -1, "leader_epoch": epoch}
            topics = [{"topic": topic, "partitions": [asked]}]
            answer = self.ask(node, 23, 4, replica_id=-1, topics=topics)
            one = answer.topics[0].partitions[0]
            told.append((int(one.error_code), one.leader_epoch, one.end_offset))
        return told


def facts(broker: Any) -> Iterator[tuple[str, Any]]:
    """Ask everything, in order."""
    script = Script(broker)
    for name, nodes, least in (
        ("s", [1], 2),
        ("t", [1, 2, 3], 2),
        ("u", [1, 2, 3], 3),
        ("v", [3], 1),
    ):
        script.create(name, nodes, least)
    yield "one replica, min.insync 2", script.produce(1, "s", ALL)
    yield "acks=all", script.produce(1, "t", ALL, 2)
    script.until(lambda: script.fetch(2, "t", 0)[1] == 2)
    yield "a follower is read", script.fetch(2, "t", 0)
    yield "a follower is read without racks", script.fetch(2, "t", 0, version=10)
    yield "a follower is read in the future", script.fetch(2, "t", 0, epoch=5)
    yield "a follower is read beyond", script.fetch(2, "t", 10)
    yield "a follower is produced to", script.produce(2, "t", ALL)
    yield "a follower is asked for offsets", script.offsets(2, "t", -1)
    yield "offsets", script.offsets(1, "t", -1, -2, -3, 1500, 9999)
    yield "epochs", script.ends(1, "t", 0, 5)
    yield "epochs of a follower", script.ends(2, "t", 0)
    yield from _moved(script)
    yield from _paused(script)
    yield from _killed(script)


def _moved(script: Script) -> Iterator[tuple[str, Any]]:
    assert script.broker.move_leader("t", 0, 2) == 2
    for node in (1, 2, 3):
        script.until(lambda node=node: script.view(node, "t")[1] == 2)
    yield "an old epoch", [script.fetch(node, "t", 0, epoch=0)[0] for node in (1, 2)]
    yield "offsets after a move", script.offsets(2, "t", -2, 1500)
    yield "epochs after a move", script.ends(2, "t", 0)


def _paused(script: Script) -> Iterator[tuple[str, Any]]:
    script.broker.pause(3)
    yield "a follower hangs, acks=all", script.produce(2, "t", ALL, timeout=200)
    yield "a follower hangs, acks=1", script.produce(2, "t", LEADER)
    script.until(lambda: script.view(1, "u")[3] == [1, 2])
    script.until(lambda: script.view(2, "t")[3] == [1, 2])
    yield "enough are left", script.produce(2, "t", ALL)
    yield "too few are left, acks=all", script.produce(1, "u", ALL)
    yield "too few are left, acks=1", script.produce(1, "u", LEADER)
    yield "too few are left, what is read", script.fetch(1, "u", 0)
    script.broker.resume(3)
    script.until(lambda: script.view(1, "u")[3] == [1, 2, 3])
    script.until(lambda: script.view(1, "t")[3] == [1, 2, 3])
    yield "enough again", script.produce(1, "u", ALL)


def _killed(script: Script) -> Iterator[tuple[str, Any]]:
    script.until(lambda: script.view(1, "v")[1] == 3)
    before = script.view(1, "v")[2]
    script.broker.kill(3)
    script.until(lambda: script.view(1, "v")[1] != 3)
    code, leader, epoch, in_sync, gone = script.view(1, "v")
    yield "nobody leads", (code, leader, epoch - before, in_sync, gone)
    yield "one is gone", script.view(1, "u")[3:]
    script.broker.restart(3)
    script.until(lambda: script.view(1, "v")[1] == 3)
    yield "it leads again", script.view(1, "v")[2] - before
    script.until(lambda: script.view(1, "u")[3] == [1, 2, 3])
    yield "enough once more", script.produce(1, "u", ALL)
