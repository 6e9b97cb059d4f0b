"""One relay engine in the smallest shell: links, lanes, time and events; what it must keep.

It uses the data plane's own lanes and no socket. Rules are its caller's.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from fuzz import tape
from fuzz.tape import Chunk, Event
from pytest_mqchaos.dataplane.buffers import Pool
from pytest_mqchaos.dataplane.lane import Lane
from pytest_mqchaos.frames import Direction, Frame
from pytest_mqchaos.history.identity import Identity
from pytest_mqchaos.history.spool import read
from pytest_mqchaos.plan.rules import Rule
from pytest_mqchaos.relay.engine import Engine
from pytest_mqchaos.relay.link import Link
from pytest_mqchaos.relay.transcript import transcribe
from pytest_mqchaos.wire.kafka.codec import KafkaCodec

MS = 1_000_000
_ANSWERS = ({"done": True}, {"refused": "not now"}, None, {"done": False}, "what", 7)


class _Codec(KafkaCodec):
    """Remembers which replies the engine changed, and into what."""

    def __init__(self) -> None:
        super().__init__()
        self.changed: dict[int, list[tuple[bytes, bytes]]] = {}

    def rewrite_addresses(
        self, frame: Frame, mapping: Callable[[int, str, int], tuple[str, int]]
    ) -> bytes | None:
        raw = frame.raw
        new = super().rewrite_addresses(frame, mapping)
        if new is not None and new != raw:
            self.changed.setdefault(frame.link, []).append((raw, new))
        return new


class Play:
    """A link that closed is opened again by the next bytes. `quiet`: no rule may fire."""

    def __init__(
        self, rules: Sequence[Rule] = (), *, quiet: bool = False, record: bool = True
    ) -> None:
        self.now = 1
        self.quiet = quiet
        self.packed: list[bytes] = []
        self.codec = _Codec()
        self.engine = Engine(codec=self.codec, sink=self.packed.append, address=_own)
        self.engine.begin({"identity": "value", "record": record}, 0)
        if rules:
            self.engine.arm(enumerate(rules), 0)
        self.pool = Pool()
        self.open: dict[int, _Connection] = {}
        self.all: list[_Connection] = []

    def say(self, chunk: Chunk) -> None:
        connection = self.open.get(chunk.link)
        if connection is None:
            link = self.engine.open(f"worker-{chunk.link % 2}#1", 1, self.now)
            if link is None:
                return
            connection = self.open[chunk.link] = _Connection(link, chunk.link, self.pool)
            self.all.append(connection)
        if not connection.over:
            connection.lanes[chunk.to_client].feed(chunk.data, self.now)
            connection.said[chunk.to_client].extend(chunk.data)
            self.stir()

    def stir(self) -> None:
        """Flush what the engine touched, close what it closes."""
        self.engine.dirty.clear()
        for number, connection in list(self.open.items()):
            connection.pump(self.now)
            if connection.over and number in self.open:
                del self.open[number]

    def event(self, event: Event) -> None:
        handler = _EVENTS[event.kind % len(_EVENTS)]
        handler(self, event.argument)
        self.stir()

    def end(self) -> None:
        """The test is over: heal, let time pass, answer whatever was asked."""
        engine = self.engine
        engine.disarm()
        engine.heal(self.now)
        self.stir()
        for _ in range(1000):
            if engine.questions:
                engine.answer(next(iter(engine.questions)), None, self.now)
            elif engine.next_wake() is not None:
                self.now = max(self.now, engine.next_wake() or 0)
                engine.wake(self.now)
            else:
                break
            self.stir()
        assert not engine.questions, "questions without end"
        assert engine.next_wake() is None, "timers without end"

    def check(self) -> None:
        engine = self.engine
        assert not engine.firings, [firing.label for firing in engine.firings]  # type: ignore[attr-defined]
        fired = any(armed.fired or armed.firing for armed in engine.armory.armed)
        assert not (self.quiet and fired), "a rule fired on a topic that nobody used"
        for connection in self.all:
            if not connection.cut:
                connection.check(self.codec, exact=not fired)
        entries = list(read(b"".join(self.packed)))
        transcribe(entries, codec=KafkaCodec(), identity=Identity.parse("value"))
        engine.end(self.now)


def _own(owner: str, node: int, host: str, port: int) -> tuple[str, int]:
    del owner, node
    return host, port


class _Connection:
    def __init__(self, link: Link, number: int, pool: Pool) -> None:
        self.link, self.number, self.over, self.cut = link, number, False, False
        self.said = bytearray(), bytearray()
        self.heard = bytearray(), bytearray()
        self.lanes = tuple(
            Lane(link, way, self._taker(way), pool) for way in (Direction(0), Direction(1))
        )

    def _taker(self, way: Direction) -> Callable[[bytes | memoryview], int]:
        def take(data: bytes | memoryview) -> int:
            self.heard[way].extend(data)
            return len(data)

        return take

    def pump(self, now: int) -> None:
        for lane in self.lanes:
            if self.link.closing is not None:
                lane.cut()
            lane.pump(now)
        if self.link.closing is not None:
            self.close(now, by_client=False)

    def close(self, now: int, *, by_client: bool) -> None:
        """Both ends are gone."""
        self.over = self.cut = True
        self.link.closed(by_client=by_client, now=now)
        for lane in self.lanes:
            lane.release()

    def check(self, codec: _Codec, *, exact: bool) -> None:
        """An open link after everything was healed."""
        link = self.link
        assert not link.firings
        assert not link.backlog
        assert not link.gates[0]
        assert not link.gates[1]
        assert not link.dark
        queue = link.scanner.outstanding  # what we made may stand behind what the broker still owes
        assert not any(p.held or (p.local and p.answer is None) for p in queue), "somebody waits"
        assert not queue or queue[0].answer is None, "it could leave and does not"
        for way in (0, 1):
            if not exact:
                continue
            left = bytes(self.heard[way])
            changed = codec.changed.get(link.number, []) if way else []
            came = _changed(bytes(self.said[way]), changed, left)
            assert came.startswith(left), "other bytes left than came"
            if link.scanner.blind:
                lane = self.lanes[way]
                lane.pump(0)
                assert bytes(self.heard[way]) == came, "a blind link keeps bytes back"


def _changed(said: bytes, changed: list[tuple[bytes, bytes]], left: bytes) -> bytes:
    """What was said, with each reply that was changed, in order, in its new form. Of several that
    are alike, the one that `left` changed."""
    parts, at, longer = [], 0, 0
    for raw, new in changed:
        found = said.index(raw, at)
        while not new.startswith(left[found + longer : found + longer + len(new)]):
            later = said.find(raw, found + 1)
            if later < 0:
                break
            found = later
        parts += (said[at:found], new)
        at = found + len(raw)
        longer += len(new) - len(raw)
    return b"".join((*parts, said[at:]))


# ---------------------------------------------------------------- events


def _time(played: Play, argument: int) -> None:
    played.now += argument * MS
    played.engine.wake(played.now)


def _answer(played: Play, argument: int) -> None:
    asks, played.engine.asks[:] = list(played.engine.asks), []
    for ask in asks:
        played.engine.answer(int(str(ask["ask"])), _ANSWERS[argument % len(_ANSWERS)], played.now)


def _reply(played: Play, argument: int) -> None:
    """A broker's answer to a request of our own: none, nonsense, or one that says an error."""
    sides, played.engine.sides[:] = list(played.engine.sides), []
    for number, _, asked in sides:
        raw = asked[8:12] + bytes((argument,)) * (argument % 40)
        whole = len(raw).to_bytes(4, "big") + raw
        played.engine.answer(number, (None, whole, raw[:3])[argument % 3], played.now)


def _eof(played: Play, argument: int) -> None:
    connection = played.open.get(argument % tape.LINKS)
    if connection is not None:
        connection.link.eof(Direction(argument >> 2 & 1), played.now)


def _close(played: Play, argument: int) -> None:
    connection = played.open.pop(argument % tape.LINKS, None)
    if connection is not None:
        connection.close(played.now, by_client=bool(argument & 4))


def _closing(played: Play, argument: int) -> None:
    played.engine.closing(f"worker-{argument % 2}#1", played.now)


def _heal(played: Play, argument: int) -> None:
    if argument & 1:
        played.engine.disarm()
    played.engine.heal(played.now)


def _cut(played: Play, argument: int) -> None:
    if argument < 16:
        played.engine.cut(f"worker-{argument % 2}#1", played.now)
    else:
        played.engine.recording.moved()


_EVENTS: tuple[Callable[[Play, int], None], ...] = (
    _time, _answer, _reply, _eof, _close, _closing, _heal, _cut,
)  # fmt: skip
