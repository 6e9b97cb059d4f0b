"""What an end of a worker means: told so, explained by a fault, or the test's failure.

It hears endings and has the next incarnation started when that is due; on whose thread or loop is
for others to say. It stops and kills nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager

from pytest_mqchaos.errors import UsageError, VerdictFailed, WorkerFailed
from pytest_mqchaos.workloads.slot import Ending, Patience, Slot

_UNEXCUSED = (VerdictFailed, UsageError)  # the test itself, in a worker: no fault explains them


class Meaning:
    """`patience` None: nothing is started again. `lock` guards the slots; `launch(slot, cause)`
    starts the next incarnation unless somebody has. `failures` fail the test, the first first.
    `clock`: monotonic seconds."""

    def __init__(
        self,
        slots: Sequence[Slot],
        *,
        lock: AbstractContextManager[object],
        clock: Callable[[], float],
        patience: Patience | None,
        record: Callable[[str, str, str], None],
        fault_seen: Callable[[], bool],
        progress: Callable[[], int],
        launch: Callable[[Slot, str], None],
    ) -> None:
        self.failures: list[BaseException] = []
        self._slots = slots
        self._lock = lock
        self._clock = clock
        self._patience = patience
        self._record = record
        self._fault_seen = fault_seen
        self._progress = progress
        self._launch = launch

    def judge(self, ending: Ending) -> None:
        """Decide what one ending means."""
        try:
            self._conclude(ending)
        finally:
            ending.slot.unjudged = False

    def _conclude(self, ending: Ending) -> None:
        name = ending.incarnation.name
        if ending.was == "crashing":
            if ending.error is not None:  # its on_crash= failed
                self.failures.append(ending.error)
            self._again(ending, 0.0, f"after the crash of {name}")
            return
        self._record(name, "stopped" if ending.was == "stopping" else "ended", ending.cause)
        if ending.error is None:
            return
        if isinstance(ending.error, _UNEXCUSED) or not self._fault_seen():
            self.failures.append(ending.error)
        elif ending.was == "running" and self._patience is not None:
            count = ending.slot.count_failure(self._progress())
            if count > self._patience.fruitless:
                self.failures.append(_crash_loop(ending, count))
            else:
                self._again(ending, self._patience.wait_before(count), f"{name} {ending.cause}")

    def _again(self, ending: Ending, wait: float, cause: str) -> None:
        if self._patience is None:
            return
        with self._lock:
            if ending.slot.incarnation == ending.incarnation:
                ending.slot.due, ending.slot.cause = self._clock() + wait, cause

    def until_due(self) -> float | None:
        """Seconds until the next start is due, if one is."""
        with self._lock:
            dues = [slot.due for slot in self._slots if slot.due is not None]
        return max(0.0, min(dues) - self._clock()) if dues else None

    def start_due(self) -> None:
        """Start whatever is due."""
        now = self._clock()
        for slot in self._slots:
            with self._lock:
                is_due = slot.due is not None and slot.due <= now
            if is_due:
                try:
                    self._launch(slot, slot.cause)
                except Exception as error:  # noqa: BLE001 - remembered: it fails the test
                    self.failures.append(error)


_LEFT_OPEN = (
    ". What a crashed coroutine had open (a transaction, and its locks) stays open in this "
    "process; a killed process would have left it to the operating system: open it in setup=, "
    "close it in on_crash=, or run the worker with process=True"
)


def _crash_loop(ending: Ending, count: int) -> WorkerFailed:
    error = WorkerFailed(
        f"crash loop: {ending.slot.incarnation.worker} ended {count} times in a row with an "
        f"exception and brought nothing forward in between; the last one: {ending.cause}"
        + (_LEFT_OPEN if "locked" in ending.cause else "")
    )
    error.__cause__ = ending.error
    return error
