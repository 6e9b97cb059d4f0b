"""The clocks of the machine, answered with virtual time to code that runs in a simulation.

It knows `time` and who asks; it must never know why. What it puts into the `time` module stands
there only while a simulation runs, and answers truly to everybody else: other threads, pytest and
its plugins, Hypothesis, this package (whose.py). Code that imported one of these functions late
and kept it has a clock that is right after the simulation too.

    time.monotonic() --> is a simulation running, in this thread, and the caller no machinery?
                            yes: the loop's time    no: the machine's
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from sys import _getframe
from threading import get_ident
from typing import Any

from pytest_mqchaos.simulation.turns import SECOND, Turns
from pytest_mqchaos.simulation.whose import caller, in_real_time

EPOCH = 1_767_225_600 * SECOND  # 2026-01-01T00:00:00Z: the wall clock at the start, in every run
_READS = 10_000  # readings of a clock at one instant before each further one costs time
_READING = 1_000  # ns; what it costs then: who polls a clock without a pause will see it move


@dataclass(slots=True, eq=False)
class Clock:
    """The time of one simulation. `offset`: what to add to the loop's for the wall clock (ns)."""

    loop: Turns
    thread: int
    offset: int
    reads: int = 0
    read_at: int = -1

    def now(self) -> int:
        """Nanoseconds of the loop's clock."""
        loop = self.loop
        self.reads += 1
        if self.reads > _READS:
            if self.read_at != loop.now:
                self.read_at, self.reads = loop.now, 0
            else:
                loop.block(_READING)
                self.read_at = loop.now
        return loop.now


_current: Clock | None = None


def current() -> Clock | None:
    """The clock that the code which asks lives by: None outside of a simulation, in another thread,
    and for machinery. To be called from a replacement of a function, whose caller counts."""
    clock = _current
    if clock is None or get_ident() != clock.thread:
        return None
    return None if in_real_time(_getframe(2).f_globals.get("__name__", "")) else clock


def behalf() -> Clock | None:
    """The same for functions that the standard library calls on somebody's behalf: who counts is
    the nearest caller outside of it."""
    clock = _current
    if clock is None or get_ident() != clock.thread:
        return None
    frame = caller(2)
    name = "" if frame is None else frame.f_globals.get("__name__", "")
    return None if in_real_time(name) else clock


def enter(loop: Turns, epoch: int) -> None:
    """Let time be the loop's, for the thread that calls; `epoch` is the wall clock's start (ns)."""
    global _current  # noqa: PLW0603 - there is one `time` module, hence one simulation
    _current = Clock(loop, get_ident(), epoch - loop.now)


def leave() -> None:
    """Let every clock be the machine's again."""
    global _current  # noqa: PLW0603 - see above
    _current = None


def monotonic() -> float:
    """As `time.monotonic`."""
    clock = current()
    return _monotonic() if clock is None else clock.now() / SECOND


def monotonic_ns() -> int:
    """As `time.monotonic_ns`."""
    clock = current()
    return _monotonic_ns() if clock is None else clock.now()


def perf_counter() -> float:
    """As `time.perf_counter`."""
    clock = current()
    return _perf_counter() if clock is None else clock.now() / SECOND


def perf_counter_ns() -> int:
    """As `time.perf_counter_ns`."""
    clock = current()
    return _perf_counter_ns() if clock is None else clock.now()


def wall() -> float:
    """As `time.time`."""
    clock = current()
    return _time() if clock is None else (clock.now() + clock.offset) / SECOND


def wall_ns() -> int:
    """As `time.time_ns`."""
    clock = current()
    return _time_ns() if clock is None else clock.now() + clock.offset


def sleep(seconds: float, /) -> None:
    """As `time.sleep`: it blocks the loop, so time passes and nothing of the loop runs."""
    clock = current()
    if clock is None:
        _sleep(seconds)
        return
    if seconds < 0:
        raise ValueError("sleep length must be non-negative")
    clock.loop.block(round(seconds * SECOND))


def localtime(seconds: float | None = None, /) -> time.struct_time:
    """As `time.localtime`."""
    clock = current() if seconds is None else None
    return _localtime(seconds if clock is None else (clock.now() + clock.offset) / SECOND)


def gmtime(seconds: float | None = None, /) -> time.struct_time:
    """As `time.gmtime`."""
    clock = current() if seconds is None else None
    return _gmtime(seconds if clock is None else (clock.now() + clock.offset) / SECOND)


_monotonic, _monotonic_ns = time.monotonic, time.monotonic_ns
_perf_counter, _perf_counter_ns = time.perf_counter, time.perf_counter_ns
_time, _time_ns, _sleep = time.time, time.time_ns, time.sleep
_localtime, _gmtime = time.localtime, time.gmtime

REPLACED: tuple[tuple[str, Callable[..., Any]], ...] = (
    ("monotonic", monotonic),
    ("monotonic_ns", monotonic_ns),
    ("perf_counter", perf_counter),
    ("perf_counter_ns", perf_counter_ns),
    ("time", wall),
    ("time_ns", wall_ns),
    ("sleep", sleep),
    ("localtime", localtime),
    ("gmtime", gmtime),
)
"""Names in the `time` module, and what stands there while a simulation runs."""
