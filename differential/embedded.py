"""The embedded cluster as a broker to play on: in process, in virtual time."""

from __future__ import annotations

from collections import defaultdict, deque

from differential.conversation import Conversation
from differential.marks import Marks
from differential.players import Answer, Place, Player
from pytest_mqchaos.kafka_cluster.cluster import Cluster

SETTINGS = {
    "group.initial.rebalance.delay.ms": 0, "group.min.session.timeout.ms": 100,
    "group.consumer.heartbeat.interval.ms": 5000,
}  # fmt: skip
_MILLISECOND = 1_000_000
_STEP = _MILLISECOND  # between two requests
_SOON = 200 * _MILLISECOND  # what is due by then is not waited for by the next request


class Failed(Exception):
    """The cluster's own code failed on a request."""


class InProcess:
    """A `Way` to a fresh cluster. Nothing passes but time that somebody waits."""

    def __init__(self, nodes: int) -> None:
        self.cluster = Cluster(
            brokers=nodes,
            addresses={node: ("127.0.0.1", 9000 + node) for node in range(1, nodes + 1)},
            settings={**SETTINGS, "default.replication.factor": nodes},
        )
        self._now = 0
        self._numbers: dict[Place, int] = {}
        self._places: dict[int, Place] = {}
        self._output: dict[Place, deque[bytes]] = defaultdict(deque)
        self._closed: set[Place] = set()

    def send(self, place: Place, frame: bytes) -> None:
        self._now += _STEP
        if place not in self._numbers:
            self._numbers[place] = self.cluster.connect(place[1], self._now)
            self._places[self._numbers[place]] = place
        self.cluster.receive(self._numbers[place], frame, self._now)
        self._collect()
        # A fetch's own patience, a delay of 0: nothing that a member's session would need.
        while (due := self.cluster.next_wake()) is not None and due <= self._now + _SOON:
            self._now = max(self._now, due)
            self.cluster.wake(self._now)
            self._collect()

    def take(self, place: Place, patience: float) -> bytes | None:
        del patience
        if self._output[place]:
            return self._output[place].popleft()
        if place in self._closed:
            self._closed.remove(place)
            del self._numbers[place]
            raise ConnectionResetError
        return None

    def _collect(self) -> None:
        for number, frame in self.cluster.take_output():
            self._output[self._places[number]].append(frame)
        self._closed |= {self._places[number] for number in self.cluster.take_closed()}
        failures = self.cluster.take_failures()
        if failures:
            raise Failed("; ".join(failures))


def play(conversation: Conversation) -> list[Answer]:
    """What the embedded cluster answers. Raises `Failed` if its own code breaks."""
    way = InProcess(conversation.nodes)
    _create(way, conversation)
    player = Player(way, "own-", range(1, conversation.nodes + 1))
    return player.play(conversation, None, 0.0)


def _create(way: InProcess, conversation: Conversation) -> None:
    from differential import frames

    marks = Marks("own-")
    topics = [
        {"name": marks.resolve(topic.name), "num_partitions": topic.partitions,
         "replication_factor": topic.replication, "assignments": [],
         "configs": [{"name": name, "value": value} for name, value in topic.configs.items()]}
        for topic in conversation.topics
    ]  # fmt: skip
    if topics:
        way.send((-2, 1), frames.request("CreateTopics", 5, 1, {"topics": topics}))
        told = way.take((-2, 1), 0.0)
        assert told is not None
        wrong = [t for t in frames.answer("CreateTopics", 5, told).topics if t.error_code]
        if wrong:
            raise Failed(f"a topic could not be made: {wrong}")
