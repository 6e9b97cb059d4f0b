"""Our own questions to a broker that lives in this process: no socket, and no time passes.

It knows frames, where they go, and when an answer still stands; it must never know what a verdict
needs.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator
from typing import Any, TypeVar, cast

from pytest_mqchaos.brokers.base import Address
from pytest_mqchaos.brokers.kafka_ask import Cluster, Reach, TopicPartition
from pytest_mqchaos.brokers.kafka_connection import Connection
from pytest_mqchaos.brokers.kafka_direct import Direct
from pytest_mqchaos.brokers.kafka_groups import Group
from pytest_mqchaos.frames import Record
from pytest_mqchaos.simulation.plane import READS, VirtualPlane

T = TypeVar("T")


class InProcess(Connection):
    """A connection whose every exchange is one call."""

    def __init__(
        self, address: Address, clock: Callable[[], float], ask: Callable[[int, bytes], bytes]
    ) -> None:
        super().__init__(address, clock)
        self._hand_over = ask

    def _exchange(self, frame: bytes, end: float) -> bytes:
        del end
        return self._hand_over(self.address.port, frame)


class Replies:
    """The brokers' replies to questions that only look, while nothing has changed: several of our
    questions begin with the same request. `state`: as in `Remembered`."""

    def __init__(
        self, state: Callable[[], Hashable], hand_over: Callable[[int, bytes], bytes]
    ) -> None:
        self._state_of = state
        self._state: Hashable = None
        self._hand_over = hand_over
        self._known: dict[tuple[int, bytes, bytes], bytes] = {}

    def ask(self, port: int, frame: bytes) -> bytes:
        """One frame to the broker at a port, one reply."""
        if frame[4:6] not in READS:
            return self._hand_over(port, frame)
        state = self._state_of()
        if state != self._state:
            self._state = state
            self._known.clear()
        question = port, frame[4:8], frame[12:]  # all but its length and its correlation id
        if question not in self._known:
            self._known[question] = self._hand_over(port, frame)
        known = self._known[question]
        return known[:4] + frame[8:12] + known[8:]


class Remembered(Direct):
    """A `Direct` that asks a question again only when something has happened since: between two
    steps of a loop nothing changes by itself. `state` is another one whenever something may have
    changed."""

    def __init__(
        self, nodes: Iterable[tuple[str, int]], *, state: Callable[[], Hashable], reach: Reach
    ) -> None:
        super().__init__(nodes, reach=reach)
        self._state_of = state
        self._state: Hashable = None
        self._answers: dict[Hashable, Any] = {}

    def _kept(self, question: Hashable, ask: Callable[[], T]) -> T:
        state = self._state_of()
        if state != self._state:
            self._state = state
            self._answers.clear()
        if question not in self._answers:
            answer = ask()
            if self._state_of() != state:  # asking has changed something: a group was cleared up
                return answer
            self._answers[question] = answer
        return cast("T", self._answers[question])

    def metadata(self, topics: Iterable[str] | None = None) -> Cluster:
        names = None if topics is None else tuple(topics)
        return self._kept(("metadata", names), lambda: Direct.metadata(self, names))

    def ends(
        self, topics: Iterable[str], *, stable: bool = False
    ) -> dict[TopicPartition, tuple[int, int]]:
        names = tuple(topics)
        found = self._kept(("ends", names, stable), lambda: Direct.ends(self, names, stable=stable))
        return dict(found)

    def read(
        self, topic: str, partition: int, start: int, end: int, *, committed: bool = True
    ) -> Iterator[Record]:
        def ask() -> list[Record]:
            return list(Direct.read(self, topic, partition, start, end, committed=committed))

        return iter(self._kept(("read", topic, partition, start, end, committed), ask))

    def groups(self) -> list[Group]:
        return list(self._kept("groups", lambda: Direct.groups(self)))

    def committed(self, group: str | None = None) -> dict[str, dict[TopicPartition, int]]:
        return dict(self._kept(("committed", group), lambda: Direct.committed(self, group)))


def direct(
    plane: VirtualPlane, seconds: Callable[[], float], nodes: Iterable[tuple[str, int]]
) -> Direct:
    """A client of the brokers of a simulation."""
    replies = Replies(plane.state, plane.ask)
    reach = Reach(
        connection=lambda address: InProcess(address, seconds, replies.ask),
        clock=seconds,
        pause=None,
    )
    return Remembered(nodes, state=plane.state, reach=reach)
