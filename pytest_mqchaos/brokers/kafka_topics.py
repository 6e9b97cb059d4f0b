"""Topics and the ends of their logs: create, delete, where they begin and end.

It must never know records or groups.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from pytest_mqchaos.brokers.kafka_ask import (
    LEADER_NOT_AVAILABLE,
    Asker,
    Topic,
    TopicPartition,
    milliseconds,
)
from pytest_mqchaos.brokers.kafka_connection import Connection
from pytest_mqchaos.brokers.kafka_request import refuse
from pytest_mqchaos.errors import BrokerRefused

_UNKNOWN_TOPIC = 3
_TOPIC_EXISTS = 36
_EARLIEST, _LATEST = -2, -1  # ListOffsets' special timestamps
_UNCOMMITTED, _COMMITTED = 0, 1  # isolation levels (KIP-98)
_GLANCE = 2.0  # seconds for one look at a broker that may be starting, or dead


def could_create(ask: Asker, left: float) -> None:
    """Raise unless a topic could be created now; creates none."""
    left = min(left, _GLANCE)
    if not ask.look((), left).nodes:
        raise BrokerRefused("no node has registered yet", LEADER_NOT_AVAILABLE)
    _request(
        ask, "CreateTopics", _creation("mqchaos-ready", 1, 1, {}, left, validate_only=True), left
    )


def create(
    ask: Asker, name: str, partitions: int, replication: int, settings: Mapping[str, object]
) -> None:
    """See `Direct.create_topic`."""
    asked: list[object] = []

    def attempt(left: float) -> None:
        values = _creation(name, partitions, replication, settings, left, validate_only=False)
        try:
            _request(ask, "CreateTopics", values, left, asked)
        except BrokerRefused as error:
            # Of an earlier try whose answer was lost?
            if not (len(asked) > 1 and error.code == _TOPIC_EXISTS):
                raise

    def led(left: float) -> None:
        topic = ask.look([name], left).topics[name]
        unknown = topic.error == _UNKNOWN_TOPIC  # not here yet, though created
        refuse(f"topic {name!r}", LEADER_NOT_AVAILABLE if unknown else topic.error)
        if len(topic.leaders) < partitions or min(topic.leaders.values()) < 0:
            raise BrokerRefused(f"a partition of {name!r} has no leader", LEADER_NOT_AVAILABLE)

    ask.persist(f"create topic {name!r}", attempt)
    ask.persist(f"find leaders of topic {name!r}", led)
    # Named is not yet serving: what is sent to a new leader at once is often refused with
    # NOT_LEADER_OR_FOLLOWER (6). A leader that tells its ends takes records, too.
    ends(ask, [name], stable=False)


def delete(ask: Asker, name: str) -> None:
    """See `Direct.delete_topic`."""

    def attempt(left: float) -> None:
        values = {"topics": [{"name": name, "topic_id": None}], "topic_names": [name],
                  "timeout": milliseconds(left)}  # fmt: skip
        try:
            _request(ask, "DeleteTopics", values, left)
        except BrokerRefused as error:
            if error.code != _UNKNOWN_TOPIC:
                raise

    def gone(left: float) -> None:
        if ask.look([name], left).topics[name].error != _UNKNOWN_TOPIC:
            raise BrokerRefused(f"topic {name!r} is still there", LEADER_NOT_AVAILABLE)

    ask.persist(f"delete topic {name!r}", attempt)
    ask.persist(f"wait until topic {name!r} is gone", gone)


def ends(
    ask: Asker, topics: Iterable[str], *, stable: bool
) -> dict[TopicPartition, tuple[int, int]]:
    """See `Direct.ends`."""
    names = list(topics)
    level = _COMMITTED if stable else _UNCOMMITTED

    def attempt(left: float) -> dict[TopicPartition, tuple[int, int]]:
        found = ask.look(names, left).topics
        for name in names:
            refuse(f"finding topic {name!r}", found[name].error)
        starts = _offsets(ask, found, _EARLIEST, level, left)
        lasts = _offsets(ask, found, _LATEST, level, left)
        return {place: (start, lasts[place]) for place, start in starts.items()}

    return ask.persist(f"ask for the log ends of {', '.join(names)}", attempt)


def _creation(
    name: str,
    partitions: int,
    replication: int,
    settings: Mapping[str, object],
    left: float,
    *,
    validate_only: bool,
) -> dict[str, object]:
    topic = {
        "name": name,
        "num_partitions": partitions,
        "replication_factor": replication,
        "assignments": (),
        "configs": [{"name": key, "value": _setting(value)} for key, value in settings.items()],
    }
    return {"topics": [topic], "timeout": milliseconds(left), "validate_only": validate_only}


def _request(
    ask: Asker, api: str, values: Mapping[str, object], left: float,
    asked: list[object] | None = None,
) -> None:  # fmt: skip
    """Ask any node; each that was asked is put on the list `asked`."""

    def once(connection: Connection, left: float) -> Any:
        if asked is not None:
            asked.append(connection)
        return connection.call(api, values, left)

    reply = ask.seed(once, left)
    for each in reply.topics if hasattr(reply, "topics") else reply.responses:
        refuse(f"{api} of {each.name!r}", each.error_code, getattr(each, "error_message", None))


def _offsets(
    ask: Asker, topics: Mapping[str, Topic], timestamp: int, level: int, left: float
) -> dict[TopicPartition, int]:
    by_leader: dict[int, dict[str, list[int]]] = {}
    for topic in topics.values():
        for partition, leader in topic.leaders.items():
            by_leader.setdefault(leader, {}).setdefault(topic.name, []).append(partition)
    found: dict[TopicPartition, int] = {}
    for leader, names in by_leader.items():
        asked = [
            {"name": n, "partitions": [{"partition_index": p, "timestamp": timestamp} for p in ps]}
            for n, ps in names.items()
        ]
        values = {"replica_id": -1, "isolation_level": level, "topics": asked,
                  "timeout": milliseconds(left)}  # fmt: skip
        for reply in ask.call(leader, "ListOffsets", values, left).topics:
            for each in reply.partitions:
                place = str(reply.name), int(each.partition_index)
                refuse(f"ListOffsets of {place}", each.error_code)
                found[place] = int(each.offset)
    return found


def _setting(value: object) -> str:
    """Topic settings are text; Python's True is Kafka's true."""
    return str(value).lower() if isinstance(value, bool) else str(value)
