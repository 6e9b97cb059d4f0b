"""What is to come later: the ends of faults that last for a time.

It knows when each is due, waits for all of them, and tells what fails then. It must never know what
it is that ends.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from pytest_mqchaos.chaos.pace import Cancelable, Pace
from pytest_mqchaos.chaos.waiting import until
from pytest_mqchaos.errors import Impossible, MqchaosError

ENDING = 60.0  # seconds that the restart of a real broker may take
MEANWHILE = 10  # faults, each begun before the last one ended; more than these are cut short


class Due:
    """The ends of one run. `trouble` is told what fails."""

    def __init__(self, trouble: Callable[[str], None], pace: Pace) -> None:
        self._trouble = trouble
        self._pace = pace
        self._open: set[int] = set()
        self._longest = 0.0
        self.timers: list[Cancelable] = []

    def later(self, seconds: float | None, act: Callable[[], None], what: str) -> None:
        """Have `act` done in so many seconds, by another thread; None: never."""
        if seconds is None:
            return
        number = len(self.timers)
        self._open.add(number)  # before its timer, which may be quicker than this thread

        def run() -> None:
            try:
                act()
            except Impossible:
                pass  # it is up, or another fault has it now, which has an end of its own
            except MqchaosError as error:
                self._trouble(f"{what}: {error}")
            finally:
                self._open.discard(number)

        self._longest = max(self._longest, seconds)
        self.timers.append(self._pace.later(seconds, run))

    async def run_out(self) -> None:
        """Let what was to last for a time last that long, and what begins meanwhile, as many times
        as `MEANWHILE` says. WaitTimeout if an end does not come."""
        for _ in range(MEANWHILE):
            known = frozenset(self._open)
            if not known:
                return
            await until(
                partial(known.isdisjoint, self._open), timeout=self._longest + ENDING,
                what="the end of a broker fault", pace=self._pace,
            )  # fmt: skip

    def cancel(self) -> None:
        """Nothing of it comes any more."""
        for timer in self.timers:
            timer.cancel()
        self._open.clear()
