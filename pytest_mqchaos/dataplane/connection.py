"""One proxied connection: two ends, two lanes, one link; its life up to the last byte.

It knows when to read, to write, to pass a half-close on and to close; it must never know frames.

    client end --lane TO_BROKER--> server end
               <--lane TO_CLIENT--
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from pytest_mqchaos.dataplane.attention import listen, plain
from pytest_mqchaos.dataplane.buffers import Pool
from pytest_mqchaos.dataplane.ends import End
from pytest_mqchaos.dataplane.lane import Lane
from pytest_mqchaos.dataplane.loop import READ, WRITE, Cancelable, Timing
from pytest_mqchaos.dataplane.parts import Link
from pytest_mqchaos.frames import Direction

FLUSH_LIMIT = 5.0  # seconds for let-through bytes to leave once the link is to close
LINGER = 1.0  # seconds for a side to answer our half-close with its own, else it gets a RST
DIRECTIONS = (Direction.TO_BROKER, Direction.TO_CLIENT)


class Connection:
    """Made by the shell for each accepted client; `gone` is called once, when nothing is left."""

    def __init__(
        self,
        *,
        link: Link,
        owner: str,
        loop: Timing,
        pool: Pool,
        gone: Callable[[Connection], None],
        refused: Callable[[Connection, OSError], None],
        trouble: Callable[[BaseException], None],
    ) -> None:
        self.link = link
        self.owner = owner
        self.closed = False
        self.client_ready, self.server_ready = partial(self._ready, 0), partial(self._ready, 1)
        self.lanes: tuple[Lane, Lane]
        self.ends: tuple[End, End]
        self._loop = loop
        self._clock = loop.clock
        self._pool = pool
        self._gone = gone
        self._refused = refused
        self._trouble = trouble
        self._by_client = False
        self._limit: Cancelable | None = None
        self._ending = False  # a side broke: what was let through still goes, nothing else
        self._discarding = False
        self._special = True  # anything but: open on both sides, all read, nothing waits

    def join(self, client: End, server: End) -> None:
        """Set the bytes going."""
        to_broker, to_client = DIRECTIONS
        self.ends = (client, server)
        self.lanes = (
            Lane(self.link, to_broker, server.send, self._pool),
            Lane(self.link, to_client, client.send, self._pool),
        )
        self._watch()

    # ------------------------------------------------------------ what happens to us

    def _ready(self, side: int, mask: int) -> None:
        if self.closed:
            return
        now = self._clock()
        try:
            if mask == READ and not self._special:
                self._read(side, now)
                if plain(self.link, self.lanes[side], self.lanes[1 - side]):
                    return
            else:
                self._special = True
                if self.ends[side].connecting:
                    self._connected(side)
                if mask & WRITE:
                    self.lanes[1 - side].pump(now)
                if mask & READ:
                    self._read(side, now)
            self._settle(now)
        except OSError:
            self._lost(side, now)
        except Exception as error:  # noqa: BLE001 - whatever a part raised ends this link, no other
            self.fail(error)

    def _connected(self, side: int) -> None:
        try:
            self.ends[side].connected()
        except OSError as error:
            self._refused(self, error)
            raise

    def _read(self, side: int, now: int) -> None:
        lane = self.lanes[side]
        if lane.eof:
            return
        try:
            size = self.ends[side].read_into(lane.room())
        except (BlockingIOError, InterruptedError):
            return
        if self._discarding:
            lane.release()
        else:
            lane.filled += size
        if not size:
            self._eof(side, now)
        elif not self._discarding:
            try:
                lane.pump(now)
            except OSError:  # as in _pump, which would be one call more
                self._lost(1 - side, now)
            if self.link.out[1 - side]:
                self._pump(self.lanes[1 - side], now)

    def _pump(self, lane: Lane, now: int) -> None:
        """Move bytes; the loss of the side that takes them is not the loss of the other."""
        try:
            lane.pump(now)
        except OSError:
            self._lost(1 - lane.direction, now)

    def feed(self, data: bytes, now: int) -> None:
        """What the embedded cluster says."""
        if self.closed or self._discarding:
            return
        try:
            self.lanes[1].feed(data, now)
            self._settle(now)
        except OSError:
            self._lost(0, now)
        except Exception as error:  # noqa: BLE001 - see _ready
            self.fail(error)

    def server_closed(self, now: int) -> None:
        """The embedded cluster closed its end."""
        if not self.closed:
            self._eof(1, now)
            self._settle(now)

    def stir(self, now: int) -> None:
        """The link has output or changed its mind outside of its own scan."""
        if self.closed or self._discarding:
            return
        try:
            for lane in self.lanes:
                self._pump(lane, now)
            self._settle(now)
        except OSError:
            self._lost(0, now)
        except Exception as error:  # noqa: BLE001 - see _ready
            self.fail(error)

    # ------------------------------------------------------------ what follows from it

    def _eof(self, side: int, now: int) -> None:
        lane = self.lanes[side]
        if lane.eof:
            return
        lane.eof = True
        if not any(lane.eof for lane in self.lanes[1 - side : 2 - side]):
            self._by_client = side == 0
        if not self._discarding and not self.link.eof(lane.direction, now):
            lane.passed = True  # the link keeps it to itself

    def _settle(self, now: int) -> None:
        """After anything: pass half-closes on, begin or end the closing, watch what is left."""
        if self.closed:
            return
        if self._discarding:
            if all(lane.eof for lane in self.lanes):
                self._end(now)
            else:
                self._watch()
            return
        if self._ending or self.link.closing is not None:
            self._closing(now)
            return
        for lane in self.lanes:
            if lane.eof and not lane.passed and not lane.owes():
                lane.passed = True
                self.ends[1 - lane.direction].shutdown()
                if self.ends[1 - lane.direction].embedded:
                    self.lanes[1].eof = True
        if all(lane.eof and not lane.owes() for lane in self.lanes):
            self._end(now)
        else:
            self._watch()

    def _closing(self, now: int) -> None:
        if self.link.closing == "reset":
            self._end(now, reset=True)
            return
        if self._limit is None:
            self._limit = self._loop.after(FLUSH_LIMIT, self.abort)
        for lane in self.lanes:
            lane.cut()
            self._pump(lane, now)
            if self.closed:
                return
        if any(lane.owes() for lane in self.lanes):
            self._watch()
        else:
            self._discard(now)

    def _discard(self, now: int) -> None:
        """Everything is out. Closing with unread bytes would send a RST, which may overtake what
        the other side has not read yet: so half-close and read on until it closes too."""
        self._discarding = True
        if self._limit is not None:
            self._limit.cancel()
        self._limit = self._loop.after(LINGER, self.abort)
        self.link.closed(by_client=self._by_client, now=now)
        for lane in self.lanes:
            lane.release()
            lane.queue.clear()
            self.ends[1 - lane.direction].shutdown()
            if self.ends[lane.direction].embedded:
                lane.eof = True
        self._settle(now)

    def _watch(self) -> None:
        closing = self._ending or self.link.closing is not None
        self._special = listen(
            self.link, self.lanes, self.ends, closing=closing, discarding=self._discarding
        )

    # ------------------------------------------------------------ the end

    def _lost(self, side: int, now: int) -> None:
        """A side broke. The other still gets what was let through."""
        if self.closed:
            return
        if side == 0 and not self.lanes[1].eof:
            self._by_client = True
        self.lanes[side].eof = self.lanes[side].passed = True
        into = self.lanes[1 - side]
        into.queue.clear()
        into.release()
        into.blocked = False
        if self._discarding or self.lanes[1 - side].eof:
            self._end(now)
            return
        self._ending = True
        self.ends[side].want(read=False, write=False)
        self._closing(now)

    def fail(self, error: BaseException) -> None:
        """A part raised: nothing about this link can be trusted any more."""
        self._trouble(error)
        self.abort()

    def abort(self) -> None:
        """Close at once; both sides get a RST."""
        if not self.closed:
            self._end(self._clock(), reset=True)

    def _end(self, now: int, *, reset: bool = False) -> None:
        if self.closed:
            return
        self.closed = True
        if self._limit is not None:
            self._limit.cancel()
        for end in self.ends:
            end.close(reset=reset)
        for lane in self.lanes:
            lane.release()
        if not self._discarding:
            self.link.closed(by_client=self._by_client, now=now)
        self._gone(self)
