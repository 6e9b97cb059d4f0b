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
from typing import TypeAlias

from pytest_mqchaos.frames import Direction, Frame
from pytest_mqchaos.relay.roles import Judge, Task
from pytest_mqchaos.wire.base import Pending

TO_BROKER, TO_CLIENT = Direction.TO_BROKER, Direction.TO_CLIENT
BACKLOG_LIMIT = 32 << 20  # bytes that may wait behind a gate before we stop reading


# What a shell does next: (parsed, forward, decided). Send [.., forward) raw, then `Link.out`. Where
# a frame was `decided` (not None), [forward, parsed) is not sent, and more may follow at `parsed`.
Step: TypeAlias = tuple[int, int, object]


class Link:
    """State of one connection; made by `Engine.open`. `ended`: who closed it first ("client",
    "broker" or "fault"), None while that is open."""

    __slots__ = (
        "_blind", "_eof", "_waiting", "backlog", "closing", "dark", "ended", "engine", "firings",
        "gates", "gone", "node", "number", "out", "owner", "paused", "port", "scanner",
    )  # fmt: skip

    def __init__(self, engine: Judge[Link], number: int, owner: str, node: int, port: int) -> None:
        self.engine = engine
        self.number = number
        self.owner = owner
        self.node = node
        self.port = port
        self.scanner = engine.codec.scanner()
        self.out: tuple[list[bytes], list[bytes]] = ([], [])
        self.backlog: deque[Frame] = deque()
        self.gates: tuple[set[Task], set[Task]] = (set(), set())
        self.firings: list[Task] = []
        self.paused = [False, False]
        self.closing: str | None = None
        self.dark = False  # what comes is lost, the connection stays open
        self.gone = False
        self.ended: str | None = None
        self._waiting = 0
        self._eof = [False, False]  # said by that side, not yet passed on
        self._blind = False

    @property
    def shut(self) -> bool:
        """Nothing that is let go now would still arrive."""
        return self.gone or self.dark or self.closing is not None

    # ------------------------------------------------------------ bytes

    def scan(
        self, direction: Direction, buf: bytearray | memoryview, start: int, end: int, now: int
    ) -> Step:
        """Take what was read. `now` is the instant of receipt (CLOCK_MONOTONIC, ns)."""
        if self.dark or self.closing is not None:
            return end, start, True  # the network ate it, or the link is ending
        scanner = self.scanner
        cut = scanner.scan(direction, buf, start, end)
        if scanner.seen:
            self.engine.recorded(self, now)
        frame = cut.frame
        if frame is None:
            if self.firings:
                self._tell_drained(now)
            if scanner.blind is not None and not self._blind:
                self._blind = True
                self.engine.blind(self, now)
                if self._owes():
                    self.sever(reset=True, now=now)
                    return end, start, True
            return cut
        frame.t, frame.link = now, self.number
        if direction is TO_BROKER:
            self._request(frame, now)
        else:
            self._reply(frame, now)
        return cut

    def _owes(self) -> bool:
        """Whether a rule is at work here: what cannot be read any more would overtake what it holds
        or has yet to answer, and that would never leave."""
        if self.firings:  # each gate, each held frame and what waits behind them is a firing's
            return True
        return any(p.local or p.answer is not None for p in self.scanner.outstanding)

    # ------------------------------------------------------------ requests

    def _request(self, frame: Frame, now: int) -> None:
        if not self.gates[TO_BROKER]:
            self._admit(frame, now, recorded=False)
            return
        self.engine.record(self, frame, held=True)
        self.backlog.append(frame)
        self._waiting += len(frame.raw)
        self.paused[TO_BROKER] = self._waiting > BACKLOG_LIMIT
        self.engine.arrived(self, frame, now)

    def _admit(self, frame: Frame, now: int, *, recorded: bool) -> None:
        """It is this request's turn: a rule takes it or it goes on."""
        shot = self.engine.trigger(self, frame)
        if not recorded:
            self.engine.record(self, frame, held=shot is not None)
        if shot is not None:
            shot.start(now)
        else:
            self.let(frame, frame.raw)

    def drain_backlog(self, now: int) -> None:
        """Let requests go that waited behind a gate, until the next gate; into a link that is shut
        none arrives."""
        while self.backlog and (self.shut or not self.gates[TO_BROKER]):
            frame = self.backlog.popleft()
            self._waiting -= len(frame.raw)
            if self.shut:
                self.engine.fate(frame, "swallowed", None)
            else:
                self._admit(frame, now, recorded=True)
        if self.paused[TO_BROKER] and self._waiting <= BACKLOG_LIMIT:
            self.paused[TO_BROKER] = False
            self.engine.touched(self)

    def let(self, frame: Frame, data: bytes, by: int | None = None) -> None:
        """Send a request on to the broker. `by`: the rule that decides so."""
        if self.shut:
            self.engine.fate(frame, "swallowed", None)
            return
        self.out[TO_BROKER].append(data)
        self.engine.touched(self)
        self.engine.fate(frame, "forwarded" if data is frame.raw else "replaced", by)

    # ------------------------------------------------------------ replies

    def _reply(self, frame: Frame, now: int) -> None:
        engine = self.engine
        data = engine.rewritten(self, frame)
        pending = self.pending_of(frame) if frame.kind >= 0 else None
        if pending is None:
            self._earlier(frame)
            return
        waiter = next((f for f in self.firings if f.awaits(frame)), None)
        shot = engine.trigger(self, frame) if waiter is None else None
        behind = pending is not self.scanner.outstanding[0] or bool(self.gates[TO_CLIENT])
        engine.record(self, frame, held=waiter is not None or shot is not None or behind)
        if waiter is not None:
            waiter.reply(frame, now)
        elif shot is not None:
            shot.start(now)
        else:
            self.answer(pending, data, frame)
        self._tell_drained(now)

    def _earlier(self, frame: Frame) -> None:
        """The reply to a request from before anybody looked: it belongs in front of all that we
        still wait for, and in no history."""
        queue = self.scanner.outstanding
        place = 0
        while place < len(queue) and _received(queue[place]):
            place += 1
        pending = Pending(frame.kind, frame.version, frame.correlation)
        queue.insert(place, pending)
        self.answer(pending, frame.raw)

    def pending_of(self, frame: Frame) -> Pending | None:
        """The place in the queue of replies that this frame (reply or request) has."""
        for pending in self.scanner.outstanding:
            if frame.direction is TO_BROKER:
                if pending.frame is frame:
                    return pending
            elif not pending.local and pending.answer is None and _answers(frame, pending):
                return pending
        return None

    def answer(self, pending: Pending, data: bytes, frame: Frame | None = None) -> None:
        """Put a reply into its place; it leaves once everything before it has left."""
        pending.answer = data
        pending.held = False
        pending.reply = frame
        usual = not (self.firings or self.scanner.every[TO_CLIENT])
        self._flush()
        if not usual:  # else nothing waited before, and nothing waits now
            self._update_every()

    def flush_replies(self) -> None:
        """Let every reply go whose turn has come."""
        self._flush()
        self._update_every()

    def _flush(self) -> None:
        queue = self.scanner.outstanding
        while queue and queue[0].answer is not None and not self.gates[TO_CLIENT]:
            pending = queue.popleft()
            if pending.answer and not self.shut:
                self.out[TO_CLIENT].append(pending.answer)
                self.engine.touched(self)
                if pending.reply is not None:
                    self.engine.fate(pending.reply, "forwarded", None)

    def _update_every(self) -> None:
        """Nothing may stream past a waiting reply, a closed gate, or a firing that waits for it."""
        every = self.scanner.every
        every[TO_CLIENT] = self._owes()
        every[TO_BROKER] = bool(self.gates[TO_BROKER])

    def regate(self, now: int) -> None:
        """A gate opened or closed: let what may go, stop what may not, tell who waits for it."""
        self.drain_backlog(now)
        self.flush_replies()
        self._tell_drained(now)
        self._pass_eof()

    def _tell_drained(self, now: int) -> None:
        queue = self.scanner.outstanding
        for firing in tuple(self.firings):
            if queue and queue[0].frame is firing.frame:
                firing.drained(now)

    # ------------------------------------------------------------ the end

    def sever(self, *, reset: bool, now: int) -> None:
        """Close both sides; requests that waited behind a gate never reached the broker."""
        if self.gone or self.closing is not None:
            return
        self.closing = "reset" if reset else "flush"
        self.dark = False
        self.ended = "fault"
        self.drain_backlog(now)
        self.engine.note({"note": "closed", "link": self.number, "by": "fault"}, now)
        self.engine.touched(self)

    def eof(self, direction: Direction, now: int) -> bool:
        """One side has said all it will. True: tell the other side."""
        self.engine.now = now
        if self.dark:
            if direction is TO_BROKER:  # the client gave up: the wait is over
                self._close()
            return False
        held = self.gates[TO_BROKER] if direction is TO_BROKER else self._withheld()
        self._eof[direction] = bool(held)  # what it said before must go first
        return not held

    def _withheld(self) -> bool:
        """Whether replies wait that a firing will yet let go."""
        return bool(self.gates[TO_CLIENT]) or any(p.held for p in self.scanner.outstanding)

    def _pass_eof(self) -> None:
        """What was said before the end has gone: now the end itself."""
        asked, answered = self._eof
        if (asked and not self.gates[TO_BROKER]) or (answered and not self._withheld()):
            self._close()

    def _close(self) -> None:
        self.closing = self.closing or "flush"
        self.engine.touched(self)

    def closed(self, *, by_client: bool, now: int) -> None:
        """Both sides are gone; firings learn it, the queue of replies is void."""
        if self.gone:
            return
        self.gone = True
        self.engine.gone(self, now, by_client=by_client)


def _answers(reply: Frame, pending: Pending) -> bool:
    """Whether this reply is of that request; the scanner knows even where a number comes twice."""
    return reply.request is pending.frame and reply.correlation == pending.correlation


def _received(pending: Pending) -> bool:
    """The broker has answered this request (`local`: it never saw it)."""
    return pending.held or (pending.answer is not None and not pending.local)
