"""Hears how workers end, on a thread of its own, so that neither the controller (which crashes) nor
the test's loop is ever needed for a restart. What an end means is `meaning`'s.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Sequence

from pytest_mqchaos.workloads.meaning import Meaning
from pytest_mqchaos.workloads.slot import Ending, Patience, Slot


class Judge(Meaning):
    """See `Meaning`."""

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
        super().__init__(
            slots, lock=lock, clock=time.monotonic, patience=patience, record=record,
            fault_seen=fault_seen, progress=progress, launch=launch,
        )  # fmt: skip
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
                ending = self._endings.get(timeout=self.until_due())
                if ending is None:
                    return
                if isinstance(ending, threading.Event):
                    ending.set()
                else:
                    self.judge(ending)
            except queue.Empty:
                self.start_due()
            except Exception as error:  # noqa: BLE001 - remembered: it fails the test
                self.failures.append(error)
