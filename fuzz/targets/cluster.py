"""The embedded Kafka cluster's request side: four connections to two nodes, and time.

Held: nothing raises and no handler fails (a broken broker proves nothing); every answer is a whole
frame to a request of its connection, in order; what stands in memory is bounded by what was said.
"""

from __future__ import annotations

import struct
from random import Random

from fuzz import mutator, tape
from fuzz import seeds as recorded
from fuzz.tape import Chunk, Event
from pytest_mqchaos.kafka_cluster.cluster import Cluster

WHAT = "the embedded cluster's requests"
MS = 1_000_000
_SETTINGS = {"num.partitions": 2, "socket.request.max.bytes": 1 << 20}


def seeds() -> list[bytes]:
    """What recorded clients asked, and time between."""
    made = []
    for data in recorded.tapes(b"\0\0\0\0"):
        options, entries = tape.read(data)
        asked = [e for e in entries if isinstance(e, Chunk) and not e.to_client]
        made.append(tape.write(options, [*asked, Event(0, 50)]))
    return made


def mutate(data: bytes, size: int, dice: Random) -> bytes:
    """See `mutator`; replies are of no use here."""
    options, entries = tape.read(mutator.mutate(data, size, dice))
    kept = [e for e in entries if isinstance(e, Event) or not e.to_client]
    return tape.write(options, kept)[:size]


def one(data: bytes) -> None:
    """Serve one tape."""
    _, entries = tape.read(data)
    cluster = Cluster(brokers=2, addresses={1: ("one", 9001), 2: ("two", 9002)}, settings=_SETTINGS)
    links = _Links(cluster)
    now = 0
    for entry in entries:
        now += MS
        if isinstance(entry, Event):
            now += entry.argument * 20 * MS
            cluster.wake(now)
            if entry.kind % 4 == 3:
                links.close(entry.argument % tape.LINKS, now)
        elif not entry.to_client:
            links.say(entry, now)
        links.hear()
    while (due := cluster.next_wake()) is not None and due < now + 3_600_000 * MS:
        cluster.wake(due)
        links.hear()
    assert cluster.take_failures() == []
    topics = cluster.state.topics.all()
    asked = sum(map(len, links.asked.values())) + links.answered
    assert sum(len(topic.partitions) for topic in topics) <= 10_000 * (1 + asked)


class _Links:
    """Connections by tape link; a closed one is opened again by the next bytes."""

    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster
        self.numbers: dict[int, int] = {}
        self.asked: dict[int, list[int]] = {}
        self.buffers: dict[int, bytearray] = {}
        self.answered = 0

    def say(self, chunk: Chunk, now: int) -> None:
        if chunk.link not in self.numbers:
            self.numbers[chunk.link] = self.cluster.connect(chunk.link % 2 + 1, now)
        number = self.numbers[chunk.link]
        self._note(number, chunk.data)
        self.cluster.receive(number, chunk.data, now)

    def _note(self, number: int, data: bytes) -> None:
        buffer = self.buffers.setdefault(number, bytearray())
        buffer += data
        while len(buffer) >= 12:
            size = 4 + struct.unpack_from(">i", buffer)[0]
            if size < 12 or len(buffer) < size:
                return
            self.asked.setdefault(number, []).append(struct.unpack_from(">i", buffer, 8)[0])
            del buffer[:size]

    def close(self, link: int, now: int) -> None:
        number = self.numbers.pop(link, None)
        if number is not None:
            self.cluster.disconnect(number, now)

    def hear(self) -> None:
        for number, frame in self.cluster.take_output():
            size, correlation = struct.unpack_from(">ii", frame)
            assert size == len(frame) - 4
            asked = self.asked[number]
            while asked and asked[0] != correlation:
                asked.pop(0)  # acks=0 gets no answer
            assert asked, "an answer to nothing, or out of order"
            asked.pop(0)
            self.answered += 1
        for number in self.cluster.take_closed():
            self.numbers = {link: n for link, n in self.numbers.items() if n != number}
