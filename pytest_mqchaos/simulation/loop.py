"""An asyncio event loop that never waits: when nothing is ready, time jumps to the next timer.

It knows handles, timers and the one clock of a simulation; it must never know what is said over a
connection, nor read a clock of the machine.

    call_soon --> ready ----run----> callbacks
    call_at ----> timers (instant, order of making) --due--> ready
                  nothing ready: now = the next timer's instant; no timer: stuck, and it says so
"""

from __future__ import annotations

import asyncio
import heapq
import math
from collections import deque
from collections.abc import Callable
from contextvars import Context
from itertools import count
from typing import Any, NoReturn

from pytest_mqchaos.errors import SimulationStuck, UsageError
from pytest_mqchaos.simulation.deadlock import waiting
from pytest_mqchaos.simulation.network import Network

SECOND = 1_000_000_000
START = 1000 * SECOND  # what `loop.time()` and `time.monotonic()` begin with: far from 0, exact
NEVER = 1 << 62  # ns; a timer at infinity is no reason for time to go on
FREE_TURNS = 1000  # turns of the loop that one instant may have before a turn costs time
TURN = 10_000  # ns; what a turn costs from then on (about what it does in life)
_SWEEP = 100  # cancelled timers that may lie in the heap before it is swept


class VirtualLoop(asyncio.SelectorEventLoop):
    """A loop for one simulation, in one thread. `now` is its time in nanoseconds.

    A task that polls without ever sleeping would stop time for good: after 1,000 turns at one
    instant each further turn costs 10 us. `limit` is the instant (ns) that time may not pass.

    Raises `SimulationStuck` out of `run_until_complete` where nothing can ever happen any more, or
    where time passed the limit; its text lists what every task waits for.
    """

    _ready: deque[asyncio.Handle]
    _thread_id: int | None
    _stopping: bool
    _debug: bool

    def __init__(self, *, limit: int | None = None) -> None:
        self.now = START
        self.limit = NEVER if limit is None else START + limit
        self._timers: list[tuple[int, int, asyncio.TimerHandle]] = []
        self._order = count()
        self._cancelled = 0
        self._turns = 0
        super().__init__(_NoSelector())  # type: ignore[arg-type]
        self.network = Network(self)

    # -------------------------------------------------------------------------------------- time

    def time(self) -> float:
        """Virtual seconds."""
        return self.now / SECOND

    def call_at(  # type: ignore[override]
        self,
        when: float,
        callback: Callable[..., object],
        *args: Any,
        context: Context | None = None,
    ) -> asyncio.TimerHandle:
        """As asyncio's; timers of one instant run in the order of their making."""
        self._check_closed()  # type: ignore[attr-defined]
        if self._debug:
            self._check_thread()  # type: ignore[attr-defined]
            self._check_callback(callback, "call_at")  # type: ignore[attr-defined]
        return self._push(_nanoseconds(when), when, callback, args, context)

    def at(self, when: int, callback: Callable[..., object], *args: Any) -> asyncio.TimerHandle:
        """Call back at an instant in nanoseconds (`now` is of the same scale), exactly."""
        return self._push(when, when / SECOND, callback, args, None)

    def _push(
        self,
        instant: int,
        when: float,
        callback: Callable[..., object],
        args: tuple[Any, ...],
        context: Context | None,
    ) -> asyncio.TimerHandle:
        timer = asyncio.TimerHandle(when, callback, args, self, context)
        heapq.heappush(self._timers, (instant, next(self._order), timer))
        timer._scheduled = True  # type: ignore[attr-defined]  # noqa: SLF001 - its loop's to set
        return timer

    def _timer_handle_cancelled(self, handle: asyncio.TimerHandle) -> None:
        del handle
        self._cancelled += 1
        if self._cancelled > _SWEEP and 2 * self._cancelled > len(self._timers):
            self._timers = [timer for timer in self._timers if not timer[2].cancelled()]
            heapq.heapify(self._timers)
            self._cancelled = 0

    def block(self, duration: int) -> None:
        """Let nanoseconds pass while nothing runs: what a blocking call does to a loop in life."""
        self._advance(self.now + max(0, duration))

    def _advance(self, instant: int) -> None:
        if instant > self.limit:
            self.now = self.limit
            passed = (self.limit - START) / SECOND
            self._stuck(f"{passed:g} virtual seconds have passed, which is the limit")
        if instant > self.now:
            self.now = instant
            self._turns = 0

    # ------------------------------------------------------------------------------------- turns

    def _run_once(self) -> None:
        """One turn: what is due becomes ready, what is ready runs."""
        ready, timers = self._ready, self._timers
        if not ready and not self._stopping:
            self._idle()
            timers = self._timers
        self._turns += 1
        if self._turns > FREE_TURNS:
            turns = self._turns
            self._advance(self.now + TURN)
            self._turns = turns
        now = self.now
        while timers and timers[0][0] <= now:
            timer = heapq.heappop(timers)[2]
            timer._scheduled = False  # type: ignore[attr-defined]  # noqa: SLF001
            if timer.cancelled():
                self._cancelled -= 1
            else:
                ready.append(timer)
        for _ in range(len(ready)):
            handle = ready.popleft()
            if not handle._cancelled:  # noqa: SLF001
                handle._run()  # noqa: SLF001

    def _idle(self) -> None:
        """Nothing is ready: go where something is."""
        timers = self._timers
        while timers and timers[0][2].cancelled():
            heapq.heappop(timers)[2]._scheduled = False  # type: ignore[attr-defined]  # noqa: SLF001
            self._cancelled -= 1
        if not timers or timers[0][0] >= NEVER:
            self._stuck("nothing is ready, and no timer is set: nothing can ever happen any more")
        self._advance(timers[0][0])

    def _stuck(self, why: str) -> NoReturn:
        raise SimulationStuck(f"The simulation stands still: {why}.\n{waiting(self)}")

    # ----------------------------------------------------------------------------------- network

    async def create_connection(  # type: ignore[override]
        self,
        protocol_factory: Callable[[], asyncio.BaseProtocol],
        host: str | None = None,
        port: int | None = None,
        **options: Any,
    ) -> tuple[asyncio.Transport, asyncio.BaseProtocol]:
        """As asyncio's, to an address of the simulation's network."""
        if options.get("ssl"):
            raise UsageError(
                f"TLS to {host}:{port} cannot be simulated: the network is memory. Give the client "
                f"a plaintext configuration."
            )
        if host is None or port is None or options.get("sock") is not None:
            raise UsageError("a simulated connection needs a host and a port, and no socket.")
        return await self.network.connect(protocol_factory, host, port)

    async def getaddrinfo(  # type: ignore[override]
        self,
        host: str | bytes | None,
        port: str | int | None,
        *,
        family: int = 0,
        type: int = 0,  # noqa: A002 - asyncio's own name
        proto: int = 0,
        flags: int = 0,
    ) -> list[Any]:
        """Names of the simulation's network. Raises `socket.gaierror` for any other."""
        del family, proto, flags
        name = host.decode() if isinstance(host, bytes) else host
        return self.network.resolve(name, int(port or 0), type)

    # --------------------------------------------------------------- what a loop of sockets makes

    def _make_self_pipe(self) -> None:
        """No pipe: nothing ever waits in the kernel."""

    def _close_self_pipe(self) -> None:
        """See above."""

    def _write_to_self(self) -> None:
        """See above."""


class _NoSelector:
    """What asyncio's own loop wants to be given; nothing is ever registered."""

    def close(self) -> None:
        """Nothing to close."""


def _nanoseconds(when: float) -> int:
    """The first nanosecond at which `loop.time()` is not before `when`: rounding down would wake a
    sleeper too early, and it would sleep again for nothing, for ever."""
    if math.isinf(when):
        return NEVER if when > 0 else 0
    instant = round(when * SECOND)
    return instant if instant / SECOND >= when else instant + 1
