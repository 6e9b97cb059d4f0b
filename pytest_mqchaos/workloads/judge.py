"""What an end of a worker means: told so, explained by a fault, or the test's failure.

It hears every ending on a thread of its own and has the next incarnation started when that is due.
It stops and kills nothing.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Sequence

from pytest_mqchaos.errors import WorkerFailed
from pytest_mqchaos.workloads.slot import Ending, Patience, Slot


class Judge:
    """`patience` None: nothing is started again. `lock` guards the slots; `launch(slot, cause)`
    starts the next incarnation unless somebody has. `failures` fail the test, the first first."""

    def __init__(
        self,
        slots: Sequence[Slot],
        *,
        lock: threading.RLock,
        patience: Patience | None,
        record: Callable[[str, str, str], None],
        fault_seen: Callable[[], bool],
        progress: Callable[[], int],
        launch: Callable[[Slot, str], None],
    ) -> None:
        self.failures: list[BaseException] = []
        self._slots = slots
        self._lock = lock
        self._patience = patience
        self._record = record
        self._fault_seen = fault_seen
        self._progress = progress
        self._launch = launch
        self._endings: queue.SimpleQueue[Ending | threading.Event | None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None

    def begin(self) -> None:
        """Start listening."""
        self._thread = threading.Thread(target=self._listen, name="supervisor", daemon=True)
        self._thread.start()

    def hear(self, ending: Ending) -> None:
        """Hand over one ending; never waits."""
        self._endings.put(ending)

    def catch_up(self) -> None:
        """Wait until everything heard so far is judged."""
        if self._thread is not None:
            here = threading.Event()
            self._endings.put(here)
            here.wait()

    def finish(self) -> None:
        """Wait until everything heard so far is judged, then listen no more."""
        thread, self._thread = self._thread, None
        if thread is not None:
            self._endings.put(None)
            thread.join()

    def _listen(self) -> None:
        while True:
            try:
                ending = self._endings.get(timeout=self._until_due())
                if ending is None:
                    return
                if isinstance(ending, threading.Event):
                    ending.set()
                else:
                    self._judge(ending)
            except queue.Empty:
                self._start_due()
            except Exception as error:  # noqa: BLE001 - remembered: it fails the test
                self.failures.append(error)

    def _judge(self, ending: Ending) -> None:
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
        if not self._fault_seen():
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
                ending.slot.due, ending.slot.cause = time.monotonic() + wait, cause

    def _until_due(self) -> float | None:
        with self._lock:
            dues = [slot.due for slot in self._slots if slot.due is not None]
        return max(0.0, min(dues) - time.monotonic()) if dues else None

    def _start_due(self) -> None:
        now = time.monotonic()
        for slot in self._slots:
            with self._lock:
                is_due = slot.due is not None and slot.due <= now
            if is_due:
                try:
                    self._launch(slot, slot.cause)
                except Exception as error:  # noqa: BLE001 - remembered: it fails the test
                    self.failures.append(error)


def _crash_loop(ending: Ending, count: int) -> WorkerFailed:
    error = WorkerFailed(
        f"crash loop: {ending.slot.incarnation.worker} ended {count} times in a row with an "
        f"exception and nothing moved in between; the last one: {ending.cause}"
    )
    error.__cause__ = ending.error
    return error
