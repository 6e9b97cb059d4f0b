"""Apache Kafka as a broker to play on: sockets, and real time."""

from __future__ import annotations

import itertools
import select
import socket
import struct
import time
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, Self

from differential import frames
from differential.conversation import Conversation, Step
from differential.embedded import SETTINGS
from differential.families.groups import G
from differential.players import ARRIVES, Answer, Place, Player, own, waits
from differential.probing import known
from pytest_mqchaos.brokers.base import Address
from pytest_mqchaos.brokers.kafka_direct import Direct
from pytest_mqchaos.brokers.kafka_process import KafkaProcess

_WARM = 30.0  # seconds
PATIENCE = 4.0  # seconds for an answer that the embedded cluster gave
_KAFKA = {
    **{name: str(value) for name, value in SETTINGS.items()},
    "log.retention.ms": "-1",  # the timestamps of a conversation are of 2023
    "log.roll.ms": "9000000000000",  # and would begin a new segment beside those of today
    "log.index.size.max.bytes": "4096",  # of thousands of topics
    "log.cleaner.enable": "false",
    "group.coordinator.append.linger.ms": "0",
    "group.consumer.assignment.interval.ms": "0",  # at once, not once a second
}
_numbers = itertools.count(1)


class Sockets:
    """A `Way` to a running Kafka."""

    def __init__(self, addresses: dict[int, Address]) -> None:
        self._addresses = addresses
        self._sockets: dict[Place, socket.socket] = {}

    def close(self) -> None:
        for each in self._sockets.values():
            each.close()
        self._sockets.clear()

    def send(self, place: Place, frame: bytes) -> None:
        if place not in self._sockets:
            made = socket.create_connection(self._addresses[place[1]], timeout=10)
            made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._sockets[place] = made
        self._sockets[place].sendall(frame)

    def take(self, place: Place, patience: float) -> bytes | None:
        sock = self._sockets.get(place)
        if sock is None or not select.select([sock], [], [], patience)[0]:
            return None
        try:
            size = _exactly(sock, 4)
            return size + _exactly(sock, struct.unpack(">i", size)[0])
        except ConnectionError:
            self._sockets.pop(place).close()
            raise


def _exactly(sock: socket.socket, size: int) -> bytes:
    found = b""
    while len(found) < size:
        more = sock.recv(size - len(found))
        if not more:
            raise ConnectionResetError
        found += more
    return found


class Kafka:
    """A running Apache Kafka to play conversations on; use it in `with`."""

    def __init__(self, nodes: int = 1) -> None:
        self.nodes = nodes
        self._broker = KafkaProcess(nodes=nodes, settings=_KAFKA)

    def __enter__(self) -> Self:
        self._broker.start()
        self._addresses = self._broker.addresses()
        self._direct = Direct(self._addresses.values(), timeout=60)
        self.version = self._broker.version
        self.versions = self._direct.api_versions()
        self._warm()
        return self

    def __exit__(self, *_: object) -> None:
        self._direct.close()
        self._broker.stop()

    def _warm(self) -> None:
        """The first group, producer and transaction are refused for a moment while their
        coordinators come up: that is no difference."""
        self._direct.committed("warm")
        for wanted in (None, "warm"):
            values = {"transactional_id": wanted, "transaction_timeout": 60000, "key_type": 1,
                      "coordinator_keys": ["warm"]}  # fmt: skip
            self._until_none(Step(api="FindCoordinator", version=4, values=values))
            at = f"transaction:{wanted}" if wanted else "any"
            self._until_none(Step(api="InitProducerId", version=2, values=values, at=at))

    def _until_none(self, step: Step) -> None:
        conversation = Conversation(family="warm", topics=[], steps=[step], nodes=self.nodes)
        end, answer = time.monotonic() + _WARM, Answer(0, None)
        while time.monotonic() < end:
            (answer,) = self.play(conversation, "", [Answer(0, {})])
            if isinstance(answer.what, dict):
                told = answer.what.get("coordinators", [answer.what])[0]
                if told["error_code"] == "none":
                    return
            time.sleep(0.05)
        raise TimeoutError(f"{step.api} is still refused: {answer.what}")

    def prepare(self, conversations: Sequence[Conversation]) -> list[str]:
        """Make the topics of them all; gives the prefix of each."""
        prefixes = [f"c{next(_numbers)}-" for _ in conversations]
        topics = [
            {"name": own(topic.name, prefix), "num_partitions": topic.partitions,
             "replication_factor": topic.replication, "assignments": [],
             "configs": [{"name": name, "value": value} for name, value in topic.configs.items()]}
            for prefix, conversation in zip(prefixes, conversations, strict=True)
            for topic in conversation.topics
        ]  # fmt: skip
        if topics:
            way = Sockets(self._addresses)
            told = self._ask(way, "CreateTopics", 5, {"topics": topics}, None)
            wrong = [t for t in told.topics if t.error_code]
            assert not wrong, wrong
            self._direct.ends([str(topic["name"]) for topic in topics])
            self._tell_coordinators(way, conversations, prefixes)
            way.close()
        return prefixes

    def _tell_coordinators(
        self, way: Sockets, conversations: Sequence[Conversation], prefixes: Sequence[str]
    ) -> None:
        for prefix, conversation in zip(prefixes, conversations, strict=True):
            beats = any(step.api == "ConsumerGroupHeartbeat" for step in conversation.steps)
            if beats and conversation.topics:
                topic = own(conversation.topics[0].name, prefix)
                known(partial(self._ask, way), own(G, prefix), topic)

    def _ask(
        self, way: Sockets, api: str, version: int, values: Mapping[str, Any], node: int | None
    ) -> Any:
        """Ask something of our own and wait for it."""
        place = (0, min(self._addresses) if node is None else node)
        way.send(place, frames.request(api, version, 1, values))
        told = way.take(place, 60.0)
        assert told is not None, f"no answer to {api}"
        return frames.answer(api, version, told)

    def play(
        self, conversation: Conversation, prefix: str, expected: Sequence[Answer],
        arrives: float = ARRIVES,
    ) -> list[Answer]:  # fmt: skip
        """What Kafka answers. `expected` says which answers are to be waited for, `arrives` how
        many seconds a request has to arrive that is not answered yet."""
        way = Sockets(self._addresses)
        try:
            player = Player(way, prefix, sorted(self._addresses), arrives)
            return player.play(conversation, waits(expected), PATIENCE)
        finally:
            way.close()

    def serves(self, api: str, version: int) -> bool:
        low, high = self.versions.get(frames.KEYS[api], (0, -1))
        return low <= version <= high
