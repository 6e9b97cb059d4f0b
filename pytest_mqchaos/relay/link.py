"""One proxied connection: what leaves when, in both directions.

It knows frames, queues and order; it must never know sockets, clocks, or what a fault is for.

    client --buf--> scan --raw runs-------------------------> broker
                      '--decided frame--> judge --> out[TO_BROKER]
    client <--out[TO_CLIENT]-- replies in request order <--- scan <--buf-- broker

Requests that must wait queue in `backlog`; replies wait in their own place of
`Scanner.outstanding`, so nothing ever overtakes.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, NamedTuple

from pytest_mqchaos.frames import Direction, Frame
from pytest_mqchaos.wire.base import Pending

if TYPE_CHECKING:
    from pytest_mqchaos.relay.engine import Engine
    from pytest_mqchaos.relay.firing import Firing

TO_BROKER, TO_CLIENT = Direction.TO_BROKER, Direction.TO_CLIENT
BACKLOG_LIMIT = 32 << 20  # bytes that may wait behind a gate before we stop reading


class Step(NamedTuple):
    """What a shell does next: send [.., forward) raw, then `Link.out`, then go on at `resume`.

    `again` asks for another scan from `parsed`: a frame was decided and more may follow it.
    """

    parsed: int
    forward: int
    resume: int
    again: bool


class Link:
    """State of one connection; made by `Engine.open`."""

    __slots__ = (
        "_eof", "_waiting", "backlog", "closing", "dark", "engine", "firings", "gates", "gone",
        "node", "number", "out", "owner", "paused", "port", "scanner",
    )  # fmt: skip

    def __init__(self, engine: Engine, number: int, owner: str, node: int, port: int) -> None:
        self.engine = engine
        self.number = number
        self.owner = owner
        self.node = node
        self.port = port
        self.scanner = engine.codec.scanner()
        self.out: tuple[list[bytes], list[bytes]] = ([], [])
        self.backlog: deque[Frame] = deque()
        self.gates: tuple[set[Firing], set[Firing]] = (set(), set())
        self.firings: list[Firing] = []
        self.paused = [False, False]
        self.closing: str | None = None
        self.dark: str | None = None  # None | "kept" (flows on later) | "lost"
        self.gone = False
        self._waiting = 0
        self._eof = False

    # ------------------------------------------------------------ bytes

    def scan(
        self, direction: Direction, buf: bytearray | memoryview, start: int, end: int, now: int
    ) -> Step:
        """Take what was read. `now` is the instant of receipt (CLOCK_MONOTONIC, ns)."""
        if self.dark is not None or self.closing is not None:
            # The network ate it, or the link is ending: nothing more may pass.
            if self.dark == "kept":
                return Step(start, start, start, False)
            return Step(end, start, end, False)
        scanner = self.scanner
        cut = scanner.scan(direction, buf, start, end)
        if scanner.seen:
            self.engine.recorded(self, now)
        if cut.frame is None:
            if self.firings and direction is TO_CLIENT:
                self._tell_drained(now)
            return Step(cut.parsed, cut.forward, cut.forward, False)
        frame = cut.frame
        frame.t, frame.link = now, self.number
        if direction is TO_BROKER:
            self._request(frame, now)
        else:
            self._reply(frame, now)
        return Step(cut.parsed, cut.forward, cut.parsed, True)

    # ------------------------------------------------------------ requests

    def _request(self, frame: Frame, now: int) -> None:
        engine = self.engine
        if self.gates[TO_BROKER]:
            engine.record(frame, held=True)
            self.backlog.append(frame)
            self._waiting += len(frame.raw)
            self.paused[TO_BROKER] = self._waiting > BACKLOG_LIMIT
            self._update_every()
            engine.arrived(self, frame, now)
            return
        self._admit(frame, now, recorded=False)

    def _admit(self, frame: Frame, now: int, *, recorded: bool) -> None:
        """It is this request's turn: a rule takes it or it goes on."""
        shot = self.engine.trigger(self, frame)
        if not recorded:
            self.engine.record(frame, held=shot is not None)
        if shot is not None:
            shot.start(now)
        else:
            self.let(frame, frame.raw, told=recorded)

    def drain_backlog(self, now: int) -> None:
        """Let requests go that waited behind a gate, until the next gate."""
        while self.backlog and not self.gates[TO_BROKER] and self.closing is None:
            frame = self.backlog.popleft()
            self._waiting -= len(frame.raw)
            self._admit(frame, now, recorded=True)
        self.paused[TO_BROKER] = self._waiting > BACKLOG_LIMIT
        self._update_every()
        if self._eof and not self.backlog:
            self.closing = self.closing or "flush"

    def let(self, frame: Frame, data: bytes, *, told: bool, by: int | None = None) -> None:
        """Send a request on to the broker; `told`: its fate must be put on record."""
        self.out[TO_BROKER].append(data)
        self.engine.dirty.add(self)
        if told:
            self.engine.fate(frame, "forwarded" if data is frame.raw else "replaced", by)

    # ------------------------------------------------------------ replies

    def _reply(self, frame: Frame, now: int) -> None:
        pending = self.pending_of(frame)
        engine = self.engine
        data = engine.rewritten(self, frame)
        waiter = next((f for f in self.firings if f.awaits(frame)), None)
        shot = None
        if waiter is None:
            shot = engine.trigger(self, frame)
        engine.record(frame, held=waiter is not None or shot is not None or self._behind(pending))
        if waiter is not None:
            waiter.reply(frame, now)
        elif shot is not None:
            shot.start(now)
        else:
            self.answer(pending, data, frame)
        self._tell_drained(now)

    def _behind(self, pending: Pending | None) -> bool:
        queue = self.scanner.outstanding
        return bool(queue) and pending is not queue[0]

    def pending_of(self, frame: Frame) -> Pending | None:
        """The place in the queue of replies that this frame (reply or request) has."""
        for pending in self.scanner.outstanding:
            if frame.direction is TO_CLIENT:
                if (
                    not pending.local
                    and pending.answer is None
                    and pending.correlation == frame.correlation
                ):
                    return pending
            elif pending.frame is frame or pending.correlation == frame.correlation:
                return pending
        return None

    def answer(self, pending: Pending | None, data: bytes, frame: Frame | None = None) -> None:
        """Put a reply into its place; it leaves once everything before it has left."""
        if pending is None:
            self.out[TO_CLIENT].append(data)
            self.engine.dirty.add(self)
            return
        pending.answer = data
        pending.held = False
        pending.reply = frame
        self.flush_replies()

    def flush_replies(self) -> None:
        """Let every reply go whose turn has come."""
        queue = self.scanner.outstanding
        while queue and queue[0].answer is not None and not self.gates[TO_CLIENT]:
            pending = queue.popleft()
            if pending.answer:
                self.out[TO_CLIENT].append(pending.answer)
                self.engine.dirty.add(self)
                if pending.reply is not None:
                    self.engine.left(pending.reply)
        self._update_every()

    def _update_every(self) -> None:
        """Nothing may stream past a waiting reply or a closed gate."""
        queue = self.scanner.outstanding
        waits = any(p.local or p.held or p.answer is not None for p in queue)
        self.scanner.every[TO_CLIENT] = waits or bool(self.gates[TO_CLIENT])
        self.scanner.every[TO_BROKER] = bool(self.gates[TO_BROKER]) or bool(self.backlog)

    def regate(self, now: int) -> None:
        """A gate opened or closed: let what may go, and stop what may not."""
        self._update_every()
        if not self.gates[TO_BROKER]:
            self.drain_backlog(now)
        self.flush_replies()

    def _tell_drained(self, now: int) -> None:
        queue = self.scanner.outstanding
        for firing in tuple(self.firings):
            if queue and queue[0].frame is not None and queue[0].frame is firing.frame:
                firing.drained(now)

    # ------------------------------------------------------------ the end

    def sever(self, *, reset: bool, now: int) -> None:
        """Close both sides; requests that waited behind a gate never reached the broker."""
        if self.closing is not None:
            return
        self.closing = "reset" if reset else "flush"
        for frame in self.backlog:
            self.engine.fate(frame, "swallowed", None)
        self.backlog.clear()
        self.paused[:] = [False, False]
        self.engine.note({"note": "closed", "link": self.number, "by": "fault"}, now)
        self.engine.dirty.add(self)

    def eof(self, direction: Direction, now: int) -> bool:
        """One side has said all it will. True: tell the other side."""
        self.engine.now = now
        if self.dark == "lost":
            if direction is TO_BROKER:  # the client gave up: the wait is over
                self.closing = "flush"
                self.engine.dirty.add(self)
            return False
        if direction is TO_BROKER and self.gates[TO_BROKER]:
            self._eof = True  # what it said before must go first
            return False
        return True

    def closed(self, *, by_client: bool, now: int) -> None:
        """Both sides are gone; firings learn it, the queue of replies is void."""
        if self.gone:
            return
        self.gone = True
        self.engine.gone(self, now, by_client=by_client)
