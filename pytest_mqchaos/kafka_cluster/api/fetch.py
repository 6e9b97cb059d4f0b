"""Fetch: whole batches out, waiting for more where there is too little (KIP-74, KIP-227, KIP-516).

Sessions are never granted (session id 0), so every fetch names all its partitions; Kafka answers
the same way when its session cache is full.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from kio.schema.errors import ErrorCode

from pytest_mqchaos.kafka_cluster.api.current_leader import NOBODY, current_leader, endpoints
from pytest_mqchaos.kafka_cluster.registry import Call, Instead
from pytest_mqchaos.kafka_cluster.replicas.partition import Partition
from pytest_mqchaos.kafka_cluster.replicas.replica import Replica, Watch
from pytest_mqchaos.kafka_cluster.schema import Values, milliseconds
from pytest_mqchaos.kafka_cluster.timers import MILLISECOND

_BY_ID_FROM = 13
_FOLLOWERS_FROM = 11  # KIP-392: a consumer that may be told of racks may read from any replica
_LEADERS_FROM = 16  # KIP-951
_NO_SESSION = 0
_FULL_FETCHES = (-1, 0)  # session epochs that ask for everything
_READ_COMMITTED = 1


class _Wanted(NamedTuple):
    """One partition that a fetch names; `code` if it cannot be read, else `replica` is read."""

    topic: Any
    at: int
    partition: Partition | None
    replica: Replica | None
    offset: int
    limit: int
    code: ErrorCode


def fetch(call: Call) -> Values | Instead:
    """Fetch: answer at once with enough data or an error, else when data or the time has come."""
    session = getattr(call.body, "session_id", _NO_SESSION)
    epoch = getattr(call.body, "session_epoch", -1)
    if session != _NO_SESSION or epoch not in _FULL_FETCHES:
        code = ErrorCode.fetch_session_id_not_found
        return {"error_code": code, "session_id": _NO_SESSION, "responses": ()}
    wait = milliseconds(call.body.max_wait)
    if wait <= 0 or _satisfied(call):
        return _read(call)
    _Waiting(call, wait)
    return Instead.LATER


class _Waiting:
    """A fetch that waits: for data on any of its partitions, or for its time."""

    __slots__ = ("_asked", "_call", "_done", "_timer", "_watches")

    def __init__(self, call: Call, wait: int) -> None:
        self._call = call
        self._asked = self._done = False
        until = call.now + wait * MILLISECOND
        self._timer = call.state.timers.at(until, self._answer)
        replicas = (one.replica for one in _wanted(call))
        self._watches: list[Watch] = [
            replica.watch(self._changed) for replica in replicas if replica is not None
        ]

    def _changed(self, now: int) -> None:
        del now
        if not self._asked:
            self._asked = True
            self._call.state.soon(self._look)

    def _look(self, now: int) -> None:
        self._asked = False
        if not self._done and _satisfied(self._call):
            self._answer(now)

    def _answer(self, now: int) -> None:
        self._done = True
        self._timer.cancel()
        for watch in self._watches:
            watch.cancel()
        self._call.reply(_read(self._call), now)


def _wanted(call: Call) -> list[_Wanted]:
    wanted = []
    for topic in call.body.topics:
        known = _topic_name(call, topic)
        for one in topic.partitions:
            partition = None if known is None else call.state.topics.partition(known, one.partition)
            wanted.append(
                _Wanted(
                    topic,
                    one.partition,
                    partition,
                    None if partition is None else partition.copies.get(call.node),
                    one.fetch_offset,
                    one.partition_max_bytes,
                    _check(call, known, partition, one),
                )
            )
    return wanted


def _topic_name(call: Call, topic: Any) -> str | None:
    if call.version < _BY_ID_FROM:
        return str(topic.topic)
    found = call.state.topics.by_id(topic.topic_id)
    return None if found is None else found.name


def _check(call: Call, topic: str | None, partition: Partition | None, one: Any) -> ErrorCode:
    if topic is None:
        return ErrorCode.unknown_topic_id
    if partition is None:
        return ErrorCode.unknown_topic_or_partition
    epoch = getattr(one, "current_leader_epoch", -1)
    code = partition.refuse(call.node, epoch, follower=call.version >= _FOLLOWERS_FROM)
    if code is not ErrorCode.none:
        return code
    return partition.copies[call.node].check_offset(one.fetch_offset)


def _visible(call: Call, replica: Replica) -> int:
    committed = call.body.isolation_level == _READ_COMMITTED
    return replica.last_stable if committed else replica.high_watermark


def _satisfied(call: Call) -> bool:
    size, least = 0, call.body.min_bytes
    wanted = _wanted(call)
    for one in wanted:
        if one.replica is None or one.code is not ErrorCode.none:
            return True
        size += one.replica.log.readable(
            one.offset, up_to=_visible(call, one.replica), limit=max(one.limit, 1)
        )
    return size >= least or not wanted


def _read(call: Call) -> Values:
    left = min(call.body.max_bytes, call.state.settings.fetch_max_bytes)
    nothing_yet = True
    leaders: list[int] = []
    topics: dict[int, dict[str, Any]] = {}
    for one in _wanted(call):
        topic = topics.setdefault(id(one.topic), _named(call, one.topic))
        if one.replica is None or one.code is not ErrorCode.none:
            refused = _refused(call, one)
            topic["partitions"].append(refused)
            leaders.append(refused["current_leader"]["leader_id"])
            continue
        taken = one.replica.log.read(
            one.offset,
            up_to=_visible(call, one.replica),
            limit=min(one.limit, left),
            at_least_one=nothing_yet,
        )
        nothing_yet = nothing_yet and not taken.batches
        left = max(left - len(taken.data), 0)
        topic["partitions"].append(_given(call, one, one.replica, taken.data))
    return {
        "error_code": ErrorCode.none,
        "session_id": _NO_SESSION,
        "responses": list(topics.values()),
        "node_endpoints": endpoints(call, leaders),
    }


def _named(call: Call, topic: Any) -> dict[str, Any]:
    if call.version < _BY_ID_FROM:
        return {"topic": topic.topic, "partitions": []}
    return {"topic_id": topic.topic_id, "partitions": []}


def _given(call: Call, one: _Wanted, replica: Replica, data: bytes) -> dict[str, Any]:
    committed = call.body.isolation_level == _READ_COMMITTED
    return {
        "partition_index": one.at,
        "error_code": ErrorCode.none,
        "high_watermark": replica.high_watermark,
        "last_stable_offset": replica.last_stable,
        "log_start_offset": replica.log.start,
        "aborted_transactions": _aborted(one, replica, data) if committed else None,
        "records": data,
    }


def _aborted(one: _Wanted, replica: Replica, data: bytes) -> list[dict[str, int]]:
    """Give what a reader has to leave out. Kafka looks as far as its index lets it, which is the
    end of a small log."""
    if not data:
        return []
    aborted = replica.transactions.aborted(one.offset, replica.log.end)
    return [{"producer_id": each.producer_id, "first_offset": each.first} for each in aborted]


def _refused(call: Call, one: _Wanted) -> dict[str, Any]:
    leader = NOBODY
    if call.version >= _LEADERS_FROM and one.partition is not None:
        leader = current_leader(call, one.code, one.partition.topic, one.at)
    return {
        "partition_index": one.at,
        "error_code": one.code,
        "high_watermark": -1,
        "last_stable_offset": -1,
        "log_start_offset": -1,
        "aborted_transactions": () if one.partition is None else None,  # as Kafka has it
        "records": b"",
        "current_leader": leader,
    }
