"""What keeps the code under test running: start, crash, restart, stop; every start has a name.

    start() -> worker-1#1 --crash()--> worker-1#2 --exception after a fault--> worker-1#3 --stop()

It knows no broker, no rule, no history: whether a fault took effect and whether there is progress
are questions it asks. Ends are judged on a thread of its own, so neither the controller (which
crashes) nor the test's loop is ever needed for a restart.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from pytest_mqchaos.errors import UsageError
from pytest_mqchaos.history.rows import FINAL_DRAIN, ProcessEvent
from pytest_mqchaos.workloads.coroutine import CoroutineWorker
from pytest_mqchaos.workloads.incarnation import End, Incarnation, Launch, Worker
from pytest_mqchaos.workloads.judge import Judge
from pytest_mqchaos.workloads.process import ProcessWorker
from pytest_mqchaos.workloads.slot import Ending, Patience, Slot
from pytest_mqchaos.workloads.target import NO_CHILD, Job
from pytest_mqchaos.workloads.thread import NO_CRASH, ThreadWorker


class Supervisor:
    """Runs `job` once under each of `names` and starts it again as the next incarnation.

    `arguments_for(incarnation)` gives what it is started with (its own addresses); it may block,
    but not on this supervisor. `record(event)` is handed every `ProcessEvent`, `fault_seen()` says
    whether any fault has taken effect, `progress()` is a number that changes when anything moves.
    All are called from several threads, and without a lock that `running` or `crash` need.
    `directory` is for the output of processes, `loop` is where coroutines run (None: each on a
    loop of its own), `patience` paces restarts after exceptions.
    """

    def __init__(  # noqa: PLR0913 - one place where a worker meets the rest
        self,
        job: Job,
        *,
        names: Sequence[str],
        arguments_for: Callable[[Incarnation], Launch],
        record: Callable[[ProcessEvent], None],
        fault_seen: Callable[[], bool],
        progress: Callable[[], int],
        directory: Path,
        restart: bool = True,
        loop: asyncio.AbstractEventLoop | None = None,
        patience: Patience | None = None,
    ) -> None:
        self._job = job
        self._arguments_for = arguments_for
        self._record_event = record
        self._directory = directory
        self._loop = loop
        self._slots = [Slot(incarnation=Incarnation(worker=name, number=1)) for name in names]
        self._lock = threading.RLock()  # the slots
        self._launching = threading.Lock()  # one start at a time, none once closed
        self._closed = False
        self._crashed: dict[str, int] = {}
        self._judge = Judge(
            self._slots,
            lock=self._lock,
            patience=(patience or Patience()) if restart else None,
            record=self._record,
            fault_seen=fault_seen,
            progress=progress,
            launch=self._launch,
        )

    # ------------------------------------------------------------------ what is known

    @property
    def failure(self) -> BaseException | None:
        """What fails the test, if anything: the first exception that no fault explains."""
        return next(iter(self._judge.failures), None)

    @property
    def running(self) -> tuple[str, ...]:
        """The names of the incarnations that run now."""
        with self._lock:
            return tuple(slot.incarnation.name for slot in self._slots if slot.state != "idle")

    @property
    def waiting(self) -> tuple[str, ...]:
        """The names of the workers that do not run but may be started again by themselves."""
        with self._lock:
            if self._closed:
                return ()
            return tuple(
                slot.incarnation.worker for slot in self._slots if slot.unjudged or slot.due
            )

    def crashed_at(self, incarnation: str) -> int | None:
        """CLOCK_MONOTONIC ns of its crash: an effect that it records later is posthumous."""
        return self._crashed.get(incarnation)

    def pid_of(self, incarnation: str) -> int | None:
        """The process id of a running process worker, None for the other kinds."""
        with self._lock:
            slot = self._slot_of(incarnation)
            return slot.worker.pid if slot and isinstance(slot.worker, ProcessWorker) else None

    def require_crashable(self) -> None:
        """Raise `UsageError` if this kind of worker cannot be killed (threads)."""
        if self._job.kind == "thread":
            raise UsageError(NO_CRASH)

    # ------------------------------------------------------------------ what is done

    def start(self) -> None:
        """Start every worker. Raises at once what makes a start impossible (unknown command)."""
        self._judge.begin()
        for slot in self._slots:
            self._launch(slot, "")

    def crash(self, incarnation: str, *, cause: str = "", limit: float = 10.0) -> bool:
        """Kill one incarnation and return when it is dead; the next is started soon after.

        The caller has cut its links. False: it was not running any more. Raises `UsageError` for
        threads and `WaitTimeout` if it is not dead within `limit` seconds.
        """
        self.require_crashable()
        _refuse_on_a_loop("crash")
        with self._lock:
            slot = self._slot_of(incarnation)
            if slot is None or slot.state != "running" or slot.worker is None:
                return False
            slot.state = "crashing"
            worker = slot.worker
            self._crashed[incarnation] = time.monotonic_ns()
        self._record(incarnation, "crashed", cause, self._crashed[incarnation])
        worker.crash(limit)
        return True

    def crash_child(
        self, incarnation: str, port: int, *, cause: str = "", limit: float = 10.0
    ) -> bool:
        """Kill the one forked child of a process worker that holds the connection from `port`.

        The incarnation lives on and forks another, as prefork servers do. False: it did not run.
        Raises `UsageError` if no such child can be told, `WaitTimeout` if it does not die.
        """
        worker = self._at_work(incarnation)
        if worker is None:
            return False
        if not isinstance(worker, ProcessWorker):
            raise UsageError(NO_CHILD.format(incarnation))
        instant = time.monotonic_ns()
        pid = worker.crash_child(port, limit)
        self._record(incarnation, "crashed", f"its child {pid} alone: {cause}", instant)
        return True

    def freeze(self, incarnation: str, child_at: int | None = None) -> None:
        """It (or its child that holds the connection from port `child_at`) is to crash as soon as
        its links are cut. A process does nothing from now on, as if it were dead already; a
        coroutine has its `finally` blocks, which are to find cut links. Raises as `crash_child`."""
        worker = self._at_work(incarnation)
        if isinstance(worker, ProcessWorker):
            worker.freeze(child_at)
        elif worker is not None and child_at is not None:
            raise UsageError(NO_CHILD.format(incarnation))

    def fell(self, incarnation: str) -> bool:
        """Its links were cut to crash it. Whether it has ended of that by itself, however it took
        it; then it is started again as after a crash, if it is not yet."""
        with self._lock:
            slot = self._slot_of(incarnation)
            if incarnation in self._crashed or (slot is not None and slot.state != "idle"):
                return False  # killed, or being stopped
        if slot is not None:
            self._judge.hear(Ending(slot, slot.incarnation, "crashing", None, ""))
        return True

    def restart(self, *, cause: str = FINAL_DRAIN, limit: float = 10.0) -> None:
        """Stop every worker that runs, gracefully, then start each as its next incarnation."""
        _refuse_on_a_loop("restart")
        self._stop_running(limit)
        self._judge.catch_up()  # so that the stops stand before the starts
        for slot in self._slots:
            self._launch(slot, cause)

    def stop(self, *, limit: float = 10.0) -> None:
        """Stop every worker gracefully and for good, and wait until all is judged.

        A process that ignores its SIGTERM is killed after `limit` seconds; anything else that does
        not end raises `WaitTimeout`, after the others have been stopped. Can be called twice.
        """
        _refuse_on_a_loop("stop")
        with self._launching:
            self._closed = True
        try:
            self._stop_running(limit)
        finally:
            self._judge.finish()

    async def start_async(self) -> None:
        """`start` for a running loop."""
        await asyncio.to_thread(self.start)

    async def crash_async(self, incarnation: str, *, cause: str = "", limit: float = 10.0) -> bool:
        """`crash` for a running loop."""
        return await asyncio.to_thread(self.crash, incarnation, cause=cause, limit=limit)

    async def restart_async(self, *, cause: str = FINAL_DRAIN, limit: float = 10.0) -> None:
        """`restart` for a running loop."""
        await asyncio.to_thread(self.restart, cause=cause, limit=limit)

    async def stop_async(self, *, limit: float = 10.0) -> None:
        """`stop` for a running loop."""
        await asyncio.to_thread(self.stop, limit=limit)

    # ------------------------------------------------------------------ starting

    def _launch(self, slot: Slot, cause: str) -> None:
        with self._launching:
            try:
                if not self._closed and slot.state == "idle":  # else somebody was faster
                    self._start_next(slot, cause)
            finally:
                slot.due = None

    def _start_next(self, slot: Slot, cause: str) -> None:
        again = slot.worker is not None
        incarnation = slot.incarnation.next() if again else slot.incarnation
        worker = self._make(incarnation, self._arguments_for(incarnation))
        self._record(incarnation.name, "restarted" if again else "started", cause)
        with self._lock:
            slot.incarnation, slot.worker, slot.state = incarnation, worker, "running"
        try:
            worker.start(lambda end: self._on_end(slot, incarnation, end))
        except BaseException:
            slot.state = "idle"
            raise

    def _make(self, incarnation: Incarnation, launch: Launch) -> Worker:
        if self._job.kind == "coroutine":
            return CoroutineWorker(incarnation, self._job, launch, self._loop)
        if self._job.kind == "thread":
            return ThreadWorker(incarnation, self._job, launch)
        return ProcessWorker(incarnation, self._job, launch, self._directory)

    # ------------------------------------------------------------------ ending

    def _stop_running(self, limit: float) -> None:
        with self._lock:
            running = [slot for slot in self._slots if slot.state != "idle" and slot.worker]
            for slot in running:
                if slot.state == "running":
                    slot.state = "stopping"
        if not running:
            return
        with ThreadPoolExecutor(len(running)) as pool:  # all at once, as a deployment does
            stops = [pool.submit(slot.worker.stop, limit) for slot in running if slot.worker]
        errors = [error for stop in stops if (error := stop.exception()) is not None]
        self._judge.failures += errors
        if errors:
            raise errors[0]

    def _on_end(self, slot: Slot, incarnation: Incarnation, end: End) -> None:
        with self._lock:
            was, slot.state, slot.unjudged = slot.state, "idle", True
            # Not later: a stop that finds nobody running has judged what was heard, and no more.
            self._judge.hear(Ending(slot, incarnation, was, end.error, end.cause))

    # ------------------------------------------------------------------ small things

    def _at_work(self, incarnation: str) -> Worker | None:
        with self._lock:
            slot = self._slot_of(incarnation)
            return slot.worker if slot and slot.state == "running" else None

    def _slot_of(self, incarnation: str) -> Slot | None:
        return next((slot for slot in self._slots if slot.incarnation.name == incarnation), None)

    def _record(self, who: str, what: str, cause: str, t: int | None = None) -> None:
        self._record_event(ProcessEvent(t or time.monotonic_ns(), who, what, cause))


def _refuse_on_a_loop(method: str) -> None:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return
    raise UsageError(
        f"{method}() waits, and a loop is running in this thread: await {method}_async() instead"
    )
