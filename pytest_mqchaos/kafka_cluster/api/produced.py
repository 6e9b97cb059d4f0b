"""What became of each batch of a produce request, and waiting until all in-sync replicas have it.

It knows high watermarks and the time that a request gives (Kafka's produce purgatory); it must
never know how a batch was judged or stored.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from kio.schema.errors import ErrorCode

from pytest_mqchaos.kafka_cluster.api.current_leader import current_leader, endpoints
from pytest_mqchaos.kafka_cluster.registry import Call
from pytest_mqchaos.kafka_cluster.replicas.leader import Appended, Leader
from pytest_mqchaos.kafka_cluster.schema import Values
from pytest_mqchaos.kafka_cluster.timers import MILLISECOND


class Produced(NamedTuple):
    """One batch. `leader` stored it, if it was stored; `final`: nothing changes any more."""

    topic: str
    at: int
    leader: Leader | None
    done: Appended
    final: bool = False

    def judged(self) -> Produced:
        """Say what acks=all says now: unchanged as long as it has to wait."""
        leader = self.leader
        if self.final:
            return self
        if leader is None or self.done.code is not ErrorCode.none:
            return self._replace(final=True)
        if leader.ended:
            return self._ended(ErrorCode.not_leader_or_follower)
        if leader.high_watermark < self.done.end:
            return self
        if not leader.enough:  # stored, and the in-sync set shrank since
            return self._ended(ErrorCode.not_enough_replicas_after_append)
        return self._replace(final=True)

    def late(self) -> Produced:
        """Give up waiting. The batch stays in the leader's log."""
        return self if self.final else self._ended(ErrorCode.request_timed_out)

    def _ended(self, code: ErrorCode) -> Produced:
        return self._replace(done=self.done._replace(code=code), final=True)


class Waiting:
    """A produce request of which some batch is not yet everywhere."""

    __slots__ = ("_asked", "_call", "_produced", "_timer", "_watches")

    def __init__(self, call: Call, produced: Sequence[Produced], timeout: int) -> None:
        self._call = call
        self._produced = produced
        self._asked = False
        self._timer = call.state.timers.at(call.now + timeout * MILLISECOND, self._expire)
        leaders = {one.leader for one in produced if one.leader is not None and not one.final}
        self._watches = [leader.replica.watch(self._changed) for leader in leaders]

    def _changed(self, now: int) -> None:
        del now
        self._produced = [one.judged() for one in self._produced]  # what is reached stays reached
        if not self._asked and all(one.final for one in self._produced):
            self._asked = True
            self._call.state.soon(self._finish)

    def _expire(self, now: int) -> None:
        self._produced = [one.judged().late() for one in self._produced]
        self._finish(now)

    def _finish(self, now: int) -> None:
        self._timer.cancel()
        for watch in self._watches:
            watch.cancel()
        self._call.reply(answer(self._call, self._produced), now)


def answer(call: Call, produced: Sequence[Produced]) -> Values:
    """Give the response; after a wrong leader with who leads, as this node knows it (KIP-951)."""
    topics: dict[str, list[dict[str, Any]]] = {}
    leaders = []
    for one in produced:
        values = _one(one)
        topics.setdefault(one.topic, []).append(values)
        if one.done.code is not ErrorCode.none:
            values["current_leader"] = current_leader(call, one.done.code, one.topic, one.at)
            leaders.append(values["current_leader"]["leader_id"])
    responses = [{"name": name, "partition_responses": ones} for name, ones in topics.items()]
    return {"responses": responses, "node_endpoints": endpoints(call, leaders)}


def _one(one: Produced) -> dict[str, Any]:
    start = one.leader.log.start if one.leader is not None and one.done.in_log else -1
    return {
        "index": one.at,
        "error_code": one.done.code,
        "base_offset": one.done.offset,
        "log_append_time": one.done.timestamp,
        "log_start_offset": start,
        "record_errors": (),
        "error_message": one.done.message,
    }
