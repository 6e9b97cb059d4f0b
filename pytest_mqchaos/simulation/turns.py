"""The turns of an event loop that never waits: when nothing is ready, time jumps to the next timer.

It knows handles, timers, the one clock of a simulation, and that real work stops it; it must never
know what is said over a connection, nor read a clock of the machine.

    call_soon --> ready ----run----> callbacks
    call_at ----> timers (instant, order of making) --due--> ready
                  nothing ready: real work first, if any is in flight (time stands still);
                                 else now = the next timer's instant; none: stuck, and it says so
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

from pytest_mqchaos.errors import SimulationStuck
from pytest_mqchaos.simulation.deadlock import waiting
from pytest_mqchaos.simulation.jobs import Jobs
from pytest_mqchaos.simulation.real_io import IDLE, RealSelector

SECOND = 1_000_000_000
START = 1000 * SECOND  # what `loop.time()` and `time.monotonic()` begin with: far from 0, exact
NEVER = 1 << 62  # ns; a timer at infinity is no reason for time to go on
TURN = 1_000  # ns that a turn of the loop takes. Were it 0, code that waits until a clock is *past*
# a deadline, and wakes at it to the nanosecond, would turn for ever (aiokafka's commits do so).
BUSY = 1_000  # turns without a pause, after which each takes longer:
BUSY_TURN = 10_000  # ns; who polls without ever sleeping sees time go on about as fast as in life
_SWEEP = 100  # cancelled timers that may lie in the heap before it is swept

_Timer = tuple[int, int, asyncio.TimerHandle]  # instant, order of making, what to run


class Turns(asyncio.SelectorEventLoop):
    """The time and the turns of a loop. `now` is its time in nanoseconds.

    A turn takes a microsecond, and ten where the code polls without ever sleeping: time never stops
    for good. `limit` is how much time may pass (ns).

    Raises `SimulationStuck` out of `run_until_complete` where nothing can ever happen any more, or
    where time passed the limit; its text lists what every task waits for.
    """

    _ready: deque[asyncio.Handle]
    _thread_id: int | None
    _stopping: bool
    _closed: bool
    _debug: bool

    def __init__(self, *, limit: int | None = None) -> None:
        self.now = START
        self.limit = NEVER if limit is None else START + limit
        self._timers: list[_Timer] = []
        self._world: list[_Timer] = []
        self._order = count()
        self._cancelled = 0
        self._turns = 0
        self.jobs = Jobs()
        self.sockets = RealSelector()
        self._in_flight, self._asked = self.jobs.pending, self.sockets.asked  # no time passes
        super().__init__(self.sockets)  # type: ignore[arg-type]

    # -------------------------------------------------------------------------------------- time

    def time(self) -> float:
        """Virtual seconds."""
        return self.now / SECOND

    def call_soon(  # type: ignore[override]
        self, callback: Callable[..., object], *args: Any, context: Context | None = None
    ) -> asyncio.Handle:
        """As asyncio's, in one call: everything that a run does goes through here."""
        if self._closed or self._debug:
            return super().call_soon(callback, *args, context=context)
        handle = asyncio.Handle(callback, args, self, context)
        self._ready.append(handle)
        return handle

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
        timer = asyncio.TimerHandle(when, callback, args, self, context)
        return self._push(self._timers, _nanoseconds(when), timer)

    def at(self, when: int, callback: Callable[..., object], *args: Any) -> asyncio.TimerHandle:
        """Call back at an instant in nanoseconds (`now` is of the same scale), exactly: for the
        world around the code under test, which goes on also while that code blocks the loop."""
        timer = asyncio.TimerHandle(when / SECOND, callback, args, self)
        return self._push(self._world, when, timer)

    def _push(
        self, timers: list[_Timer], instant: int, timer: asyncio.TimerHandle
    ) -> asyncio.TimerHandle:
        heapq.heappush(timers, (instant, next(self._order), timer))
        timer._scheduled = True  # type: ignore[attr-defined]  # noqa: SLF001 - its loop's to set
        return timer

    def _timer_handle_cancelled(self, handle: asyncio.TimerHandle) -> None:
        del handle
        self._cancelled += 1
        if self._cancelled > _SWEEP and 2 * self._cancelled > len(self._timers) + len(self._world):
            for timers in (self._timers, self._world):
                timers[:] = [timer for timer in timers if not timer[2].cancelled()]
                heapq.heapify(timers)
            self._cancelled = 0

    def block(self, duration: int) -> None:
        """Let nanoseconds pass while nothing of the code under test runs, as a blocking call does
        to a loop in life; the world's timers (`at`) run at their instants."""
        until = self.now + max(0, duration)
        while self._world and self._world[0][0] <= until:
            self._advance(self._world[0][0])
            timer = self._pop(self._world)
            if timer is not None:
                timer._run()  # noqa: SLF001
        self._advance(until)

    def _advance(self, instant: int) -> None:
        if instant > self.limit:
            self.now = self.limit
            passed = (self.limit - START) / SECOND
            self._stuck(f"{passed:g} virtual seconds have passed, which is the limit")
        self.now = max(self.now, instant)

    # ------------------------------------------------------------------------------------- turns

    def _run_once(self) -> None:
        """One turn: what is due becomes ready, what is ready runs."""
        ready, timers, world = self._ready, self._timers, self._world
        if not ready and not self._stopping:
            self._idle()
        if (timers and timers[0][0] <= self.now) or (world and world[0][0] <= self.now):
            self._collect()
        for _ in range(len(ready)):
            handle = ready.popleft()
            if not handle._cancelled:  # noqa: SLF001
                handle._run()  # noqa: SLF001
        if self._in_flight or self._asked:
            return
        self._turns += 1
        if self._turns < BUSY:
            self.now += TURN
        else:
            self._advance(self.now + BUSY_TURN)

    def _collect(self) -> None:
        """Make ready what is due, in the order of instants and of making."""
        while (timers := self._next()) and timers[0][0] <= self.now:
            timer = self._pop(timers)
            if timer is not None:
                self._ready.append(timer)

    def _next(self) -> list[_Timer]:
        """Whichever heap has the earlier head."""
        timers, world = self._timers, self._world
        return world if world and (not timers or world[0] < timers[0]) else timers

    def _pop(self, timers: list[_Timer]) -> asyncio.TimerHandle | None:
        timer = heapq.heappop(timers)[2]
        timer._scheduled = False  # type: ignore[attr-defined]  # noqa: SLF001
        if timer.cancelled():
            self._cancelled -= 1
            return None
        return timer

    def _idle(self) -> None:
        """Nothing is ready: go where something is."""
        self._turns = 0
        if self.jobs or self.sockets:
            self._settle()
            if self._ready:
                return
        while (timers := self._next()) and timers[0][2].cancelled():
            self._pop(timers)
        if not timers or timers[0][0] >= NEVER:
            self._process_events(self.sockets.idle(IDLE))  # type: ignore[attr-defined]
            if self._ready:
                return
            self._stuck("nothing is ready, and no timer is set: nothing can ever happen any more")
        self._advance(timers[0][0])

    def _settle(self) -> None:
        """Hear real work that is in flight, the first that was asked for; time stands still."""
        try:
            while self.jobs and not self._ready:
                self._ready.extend(self.jobs.settle())
            while self.sockets.busy() and not self._ready:
                self._process_events(self.sockets.settle())  # type: ignore[attr-defined]
            if self.sockets and not self._ready:
                self._process_events(self.sockets.idle(0))  # type: ignore[attr-defined]
        except TimeoutError as error:
            self._stuck(str(error))

    def _stuck(self, why: str) -> NoReturn:
        raise SimulationStuck(f"The simulation stands still: {why}.\n{waiting(self)}")

    # --------------------------------------------------------------- what a loop of sockets makes

    def _make_self_pipe(self) -> None:
        """No pipe: nothing ever waits in the kernel."""

    def _close_self_pipe(self) -> None:
        """See above."""

    def _write_to_self(self) -> None:
        """See above."""


def _nanoseconds(when: float) -> int:
    """The first nanosecond at which `loop.time()` is not before `when`: rounding down would wake a
    sleeper too early, and it would sleep again for nothing, for ever."""
    if math.isinf(when):
        return NEVER if when > 0 else 0
    instant = round(when * SECOND)
    return instant if instant / SECOND >= when else instant + 1
