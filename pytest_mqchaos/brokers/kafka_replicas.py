"""Copies of partitions: who leads, who follows, who is in sync; moving leadership; one write that
every copy confirms. It must never know processes, nor what is done to them.
"""

from __future__ import annotations

import time
from collections.abc import Collection

from pytest_mqchaos.brokers.kafka_ask import (
    LEADER_NOT_AVAILABLE,
    Asker,
    Topic,
    TopicPartition,
    milliseconds,
)
from pytest_mqchaos.brokers.kafka_request import refuse
from pytest_mqchaos.errors import BrokerRefused, Impossible, UsageError
from pytest_mqchaos.frames import Record
from pytest_mqchaos.wire.kafka.coordinators import partition_of
from pytest_mqchaos.wire.kafka.records import build_batch

_ELECTION_NOT_NEEDED = 84
_PREFERRED = 0
_ALL = -1  # acks
_CONSUMER, _DEBUGGING = -1, -2  # who asks for offsets (replica ids)
_KINDS = {"group": (0, "__consumer_offsets"), "transaction": (1, "__transaction_state")}


def replicated(ask: Asker, nodes: Collection[int], left: float) -> None:
    """Raise unless every node is there and every partition has a leader and all its copies in
    sync, as the node that is asked knows it."""
    told = ask.look(None, left)
    if set(told.nodes) != set(nodes):
        raise _not_yet(f"of nodes {sorted(nodes)} only {sorted(told.nodes)} are there")
    for topic in told.topics.values():
        for number, leader in topic.leaders.items():
            if leader < 0 or set(topic.in_sync[number]) != set(topic.copies[number]):
                raise _not_yet(
                    f"of {topic.name}-{number} nodes {sorted(topic.in_sync[number])} are in sync, "
                    f"wanted are {sorted(topic.copies[number])}"
                )


def write(ask: Asker, topic: str, partition: int, value: bytes) -> None:
    """Store one message, confirmed by all that are in sync (min.insync.replicas says how many have
    to be). Where an answer is lost it is written again."""
    now = time.time_ns() // 1_000_000  # one of 1970 would be gone with the next look at retention
    batch = build_batch([Record(topic, partition, -1, None, value, timestamp=now)])

    def attempt(left: float) -> None:
        found = _topic(ask, topic, left)
        one = {"index": partition, "records": batch}
        values = {"transactional_id": None, "acks": _ALL, "timeout": milliseconds(left),
                  "topic_data": [{"name": topic, "partition_data": [one]}]}  # fmt: skip
        reply = ask.call(found.leaders[partition], "Produce", values, left)
        for each in (p for t in reply.responses for p in t.partition_responses):
            refuse(f"writing to {topic}-{partition}", each.error_code)

    ask.persist(f"write to {topic}-{partition}", attempt)


def placing(ask: Asker, topic: str, partition: int, left: float) -> tuple[int, tuple[int, ...]]:
    """The leader of a partition (-1: none) and the nodes that hold it."""
    found = _topic(ask, topic, left)
    if partition not in found.leaders:
        raise UsageError(f"topic {topic!r} has partitions {sorted(found.leaders)}, not {partition}")
    return found.leaders[partition], found.copies[partition]


def coordinating(ask: Asker, kind: str, key: str, left: float) -> TopicPartition | None:
    """The partition whose leader coordinates this group or transactional id; None before the
    first of its kind."""
    if kind not in _KINDS:
        raise UsageError(f"a coordinator is of a 'group' or of a 'transaction', not of {kind!r}")
    name = _KINDS[kind][1]
    found = ask.look([name], left).topics[name]
    if found.error or not found.leaders:
        return None
    return name, partition_of(key, len(found.leaders))


def caught_up(ask: Asker, topic: str, partition: int) -> None:
    """Wait until whatever the leader holds now has been copied by all that are in sync."""
    goal: list[int] = []

    def attempt(left: float) -> None:
        found = _topic(ask, topic, left)
        if not goal:
            goal.append(_latest(ask, found, partition, _DEBUGGING, left))
        copied = _latest(ask, found, partition, _CONSUMER, left)
        if copied < goal[0]:
            raise _not_yet(f"{topic}-{partition} is copied up to {copied} of {goal[0]}")

    ask.persist(f"see {topic}-{partition} copied", attempt)


def _latest(ask: Asker, topic: Topic, partition: int, replica: int, left: float) -> int:
    """A consumer is told the high watermark, a debugger the end of the leader's log."""
    one = {"partition_index": partition, "timestamp": -1}
    values = {"replica_id": replica, "isolation_level": 0, "timeout": milliseconds(left),
              "topics": [{"name": topic.name, "partitions": [one]}]}  # fmt: skip
    reply = ask.call(topic.leaders[partition], "ListOffsets", values, left)
    told = reply.topics[0].partitions[0]
    refuse(f"ListOffsets of {topic.name}-{partition}", told.error_code)
    return int(told.offset)


def move(ask: Asker, topic: str, partition: int, to: int | None) -> int:
    """See `LeaderMovable.move_leader`: the wanted node becomes the preferred one, then the
    preferred one is elected (KIP-455, KIP-460)."""
    chosen: list[int] = [] if to is None else [to]

    def reassign(left: float) -> None:
        found = _topic(ask, topic, left)
        leader, copies = found.leaders[partition], found.copies[partition]
        others = [node for node in copies if node in found.in_sync[partition] and node != leader]
        if to is not None and to not in copies:
            raise UsageError(f"node {to} holds no copy of {topic}-{partition}: {list(copies)} do")
        if not chosen:
            if not others:
                raise Impossible(
                    f"{topic}-{partition} has no other copy in sync than node {leader}"
                )
            chosen.append(_next(others, leader))
        order = [chosen[0], *(node for node in copies if node != chosen[0])]
        _reassign(ask, topic, partition, order, left)

    def elect(left: float) -> None:
        _elect(ask, topic, partition, left)

    def led(left: float) -> None:
        leader = _topic(ask, topic, left).leaders[partition]
        if leader != chosen[0]:
            raise _not_yet(f"{topic}-{partition} is led by node {leader}, not yet by {chosen[0]}")

    what = f"leadership of {topic}-{partition}"
    ask.persist(f"make another node the preferred one for the {what}", reassign)
    ask.persist(f"elect the preferred node for the {what}", elect)
    ask.persist(f"see the {what} moved", led)
    return chosen[0]


def _reassign(ask: Asker, topic: str, partition: int, order: list[int], left: float) -> None:
    one = {"partition_index": partition, "replicas": tuple(order)}
    values = {"timeout": milliseconds(left), "allow_replication_factor_change": False,
              "topics": [{"name": topic, "partitions": [one]}]}  # fmt: skip
    reply = ask.seed(lambda c, left: c.call("AlterPartitionReassignments", values, left), left)
    what = f"reordering the copies of {topic}-{partition}"
    refuse(what, reply.error_code, reply.error_message)
    for each in (p for t in reply.responses for p in t.partitions):
        refuse(what, each.error_code, each.error_message)


def _elect(ask: Asker, topic: str, partition: int, left: float) -> None:
    # Fields are `partition_id` up to version 1 and `partitions` from 2 on.
    one = {"topic": topic, "partitions": (partition,), "partition_id": (partition,)}
    values = {"election_type": _PREFERRED, "topic_partitions": [one],
              "timeout": milliseconds(left)}  # fmt: skip
    reply = ask.seed(lambda c, left: c.call("ElectLeaders", values, left), left)
    refuse("ElectLeaders", reply.error_code)
    for each in (p for t in reply.replica_election_results for p in t.partition_result):
        if each.error_code != _ELECTION_NOT_NEEDED:
            refuse(f"electing for {topic}-{partition}", each.error_code, each.error_message)


def _topic(ask: Asker, name: str, left: float) -> Topic:
    found = ask.look([name], left).topics[name]
    refuse(f"finding topic {name!r}", found.error)
    return found


def _next(nodes: Collection[int], after: int) -> int:
    """The next in turn, so that moving again and again visits all."""
    return min((node for node in nodes if node > after), default=min(nodes))


def _not_yet(why: str) -> BrokerRefused:
    return BrokerRefused(why, LEADER_NOT_AVAILABLE)
