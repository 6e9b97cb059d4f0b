"""Kafka's scanner and codec: several connections of garbage, every level of looking, one codec.

Held: no exception; what leaves is what came, in order, nothing kept back by a blind link; frames
are pieces of what came; a number of steps that the input bounds.
"""

from __future__ import annotations

from random import Random

from fuzz import mutator, tape
from fuzz import seeds as recorded
from fuzz.tape import Chunk, Entry, Event
from pytest_mqchaos.frames import Direction, Frame
from pytest_mqchaos.wire.base import Interest
from pytest_mqchaos.wire.kafka.codec import KafkaCodec
from pytest_mqchaos.wire.kafka.scanner import KafkaScanner

WHAT = "Kafka framing and decoding, both directions"
NAMES = ("Produce", "Fetch", "Metadata", "Heartbeat", "OffsetCommit", "JoinGroup", "Nope")


def seeds() -> list[bytes]:
    """Recordings under: nothing wanted, recording, everything decided."""
    return recorded.tapes(b"\0\0\0\0", b"\3\0\0\0", b"\17\0\0\0", b"\3\xff\xff\0")


def mutate(data: bytes, size: int, dice: Random) -> bytes:
    """See `mutator`."""
    return mutator.mutate(data, size, dice)


def one(data: bytes) -> None:
    """Feed one tape."""
    options, entries = tape.read(data)
    codec = KafkaCodec()
    links = [_Link(codec, options, number) for number in range(tape.LINKS)]
    for entry in entries:
        if isinstance(entry, Event):
            links[entry.argument % tape.LINKS].scanner.look(interest(entry.kind, entry.argument))
        else:
            links[entry.link].feed(entry)
    for link in links:
        link.check(entries)


def interest(flags: int, names: int) -> Interest:
    """What is wanted, from two bytes."""
    chosen = frozenset(name for at, name in enumerate(NAMES) if names >> at & 1)
    return Interest(
        track=bool(flags & 3), record=bool(flags & 2),
        requests=chosen if names & 128 else frozenset(), replies=chosen,
    )  # fmt: skip


class _Link:
    def __init__(self, codec: KafkaCodec, options: bytes, number: int) -> None:
        self.codec, self.number = codec, number
        self.scanner: KafkaScanner = codec.scanner()
        self.scanner.look(interest(options[0], options[1]))
        self.scanner.every[:] = [bool(options[0] & 4), bool(options[0] & 8)]
        self.ways = _Way(), _Way()
        self.said = bytearray(), bytearray()

    def feed(self, chunk: Chunk) -> None:
        way = self.ways[chunk.to_client]
        way.buf += chunk.data
        self.said[chunk.to_client].extend(chunk.data)
        steps = 0
        while way.parsed <= len(way.buf):
            steps += 1
            assert steps <= 2 + len(way.buf) // 8, "more steps than frames can be there"
            cut = self.scanner.scan(Direction(chunk.to_client), way.buf, way.parsed, len(way.buf))
            assert cut.parsed >= way.parsed, "never backwards"
            assert way.sent <= cut.forward <= len(way.buf), "what left cannot be called back"
            way.out += way.buf[way.sent : cut.forward]
            way.parsed, way.sent = cut.parsed, cut.forward
            if cut.frame is None:
                break
            assert cut.frame.raw == way.buf[way.sent : way.parsed]
            self._decided(cut.frame)
            way.out += cut.frame.raw
            way.sent = way.parsed
        if way.parsed > len(way.buf):
            way.out += way.buf[way.sent :]
            way.sent = len(way.buf)
        self._seen()

    def _decided(self, frame: Frame) -> None:
        frame.link = self.number
        self.codec.decode(frame)
        addresses = []
        self.codec.rewrite_addresses(
            frame, lambda node, host, port: (addresses.append(node), (host, port))[1]
        )
        assert len(addresses) <= len(frame.raw) // 8
        queue = self.scanner.outstanding
        if frame.direction is Direction.TO_CLIENT and frame.request is not None:
            queue.remove(next(p for p in queue if p.frame is frame.request))

    def _seen(self) -> None:
        for frame in self.scanner.seen:
            assert frame.raw in bytes(self.said[frame.direction])
            frame.link = self.number
            self.codec.decode(frame)
        self.scanner.seen.clear()

    def check(self, entries: list[Entry]) -> None:
        said = tape.streams(entries)
        for back in (False, True):
            whole, way = said.get((self.number, back), b""), self.ways[back]
            assert way.out == whole[: len(way.out)], "other bytes left than came"
            held = len(whole) - len(way.out)
            assert not (held and self.scanner.blind and way.blind_since(self.scanner)), held


class _Way:
    __slots__ = ("buf", "out", "parsed", "sent")

    def __init__(self) -> None:
        self.buf, self.out, self.parsed, self.sent = bytearray(), bytearray(), 0, 0

    def blind_since(self, scanner: KafkaScanner) -> bool:
        """Whether a blind link still holds this side's bytes back when it is asked again."""
        end = len(self.buf)
        cut = scanner.scan(Direction.TO_BROKER, self.buf, self.parsed, end)
        return cut.forward != end
