"""A supervisor for one loop alone: coroutines, started, crashed and restarted without a thread.

    start() -> worker-1#1 --crash()--> worker-1#2 --exception after a fault--> worker-1#3 --stop()

What `supervisor` does with threads and locks happens here between two steps of the loop, so that it
is the same in every run. A crash cancels the task before it returns: no step of it that was ready
already runs on.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Sequence
from contextvars import copy_context
from pathlib import Path

from pytest_mqchaos.errors import UsageError, WaitTimeout
from pytest_mqchaos.history.rows import FINAL_DRAIN, ProcessEvent
from pytest_mqchaos.workloads.coroutine import CoroutineWorker
from pytest_mqchaos.workloads.incarnation import End, Incarnation, Launch
from pytest_mqchaos.workloads.meaning import Meaning
from pytest_mqchaos.workloads.slot import Ending, Patience, Slot
from pytest_mqchaos.workloads.target import NO_CHILD, Job

_KINDS = {
    "thread": "a plain function, which needs a thread",
    "command": "a command, which needs a process",
    "child": "process=True, which needs a process",
}


class LoopSupervisor:
    """See `supervisor.Supervisor`; `clock` gives the instants of events (ns). Raises `UsageError`
    for work that cannot run on a loop."""

    def __init__(  # noqa: PLR0913 - as the other supervisor
        self,
        job: Job,
        *,
        clock: Callable[[], int],
        names: Sequence[str],
        arguments_for: Callable[[Incarnation], Launch],
        record: Callable[[ProcessEvent], None],
        fault_seen: Callable[[], bool],
        progress: Callable[[], int],
        directory: Path | None = None,
        restart: bool = True,
        loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        del directory  # no process writes anything
        if job.kind != "coroutine":
            raise UsageError(
                f"a simulation runs coroutine functions; this worker is {_KINDS[job.kind]}. Test "
                "it over sockets: @pytest.mark.mqchaos with the fixture kafka_chaos."
            )
        if loop is None:
            raise UsageError("in a simulation write `async with chaos.worker(...):`")
        self._job = job
        self._clock = clock
        self._arguments_for = arguments_for
        self._record_event = record
        self._loop = loop
        self._context = copy_context()
        self._slots = [Slot(incarnation=Incarnation(worker=name, number=1)) for name in names]
        self._closed = False
        self._meaning = Meaning(
            self._slots, lock=contextlib.nullcontext(), clock=loop.time,
            patience=Patience() if restart else None, record=self._record,
            fault_seen=fault_seen, progress=progress, launch=self._launch,
        )  # fmt: skip

    # ------------------------------------------------------------------ what is known

    @property
    def failure(self) -> BaseException | None:
        """What fails the test, if anything: the first exception that no fault explains."""
        return next(iter(self._meaning.failures), None)

    @property
    def running(self) -> tuple[str, ...]:
        """The names of the incarnations that run now."""
        return tuple(slot.incarnation.name for slot in self._slots if slot.state != "idle")

    @property
    def waiting(self) -> tuple[str, ...]:
        """The names of the workers that do not run but will be started again by themselves."""
        if self._closed:
            return ()
        return tuple(slot.incarnation.worker for slot in self._slots if slot.due is not None)

    def pid_of(self, incarnation: str) -> int | None:
        """None: there is no process."""
        del incarnation
        return None

    def require_crashable(self) -> None:
        """Every coroutine is."""

    # ------------------------------------------------------------------ what is done

    def start(self) -> None:
        """Start every worker."""
        for slot in self._slots:
            self._launch(slot, "")

    def crash(self, incarnation: str, *, cause: str = "", limit: float = 10.0) -> Awaitable[bool]:
        """Cancel one incarnation; it is dead when what is given was awaited. False: it was not
        running any more."""
        slot = next((slot for slot in self._slots if slot.incarnation.name == incarnation), None)
        if slot is None or slot.state != "running" or slot.worker is None:
            return _at_once()
        slot.state = "crashing"
        self._record(incarnation, "crashed", cause)
        worker = _coroutine(slot)
        return _then(worker.end_here("crashed", limit))

    def crash_child(
        self, incarnation: str, port: int, *, cause: str = "", limit: float = 10.0
    ) -> bool:
        """There is none."""
        del port, cause, limit
        raise UsageError(NO_CHILD.format(incarnation))

    def freeze(self, incarnation: str, child_at: int | None = None) -> None:
        """Never needed: links are cut and their worker is killed at one instant."""
        if child_at is not None:
            self.crash_child(incarnation, child_at)

    def fell(self, incarnation: str) -> bool:
        """Never: links are cut and their worker is killed at one instant."""
        del incarnation
        return False

    async def restart(self, *, cause: str = FINAL_DRAIN, limit: float = 10.0) -> None:
        """Stop every worker that runs, then start each as its next incarnation."""
        await self._stop_running(limit)
        for slot in self._slots:
            self._launch(slot, cause)

    async def stop(self, *, limit: float = 10.0) -> None:
        """Stop every worker for good. Can be called twice."""
        self._closed = True
        await self._stop_running(limit)

    async def _stop_running(self, limit: float) -> None:
        running = [slot for slot in self._slots if slot.state != "idle"]
        ends = []
        for slot in running:
            if slot.state == "running":
                slot.state = "stopping"
            ends.append(_coroutine(slot).end_here("stopped", limit))
        ended = await asyncio.gather(*ends, return_exceptions=True)
        errors = [error for error in ended if isinstance(error, WaitTimeout)]
        self._meaning.failures += errors
        if errors:
            raise errors[0]

    # ------------------------------------------------------------------ starting and ending

    def _launch(self, slot: Slot, cause: str) -> None:
        slot.due = None
        if self._closed or slot.state != "idle":
            return
        again = slot.worker is not None
        incarnation = slot.incarnation.next() if again else slot.incarnation
        launch = self._arguments_for(incarnation)
        worker = CoroutineWorker(incarnation, self._job, launch, self._loop)
        self._record(incarnation.name, "restarted" if again else "started", cause)
        slot.incarnation, slot.worker, slot.state = incarnation, worker, "running"
        worker.start_here(lambda end: self._on_end(slot, incarnation, end))

    def _on_end(self, slot: Slot, incarnation: Incarnation, end: End) -> None:
        was, slot.state = slot.state, "idle"
        try:
            self._meaning.judge(Ending(slot, incarnation, was, end.error, end.cause))
        except Exception as error:  # noqa: BLE001 - remembered: it fails the test
            self._meaning.failures.append(error)
        if slot.due is not None:  # on behalf of whoever hired, not of the task that ended
            self._loop.call_at(slot.due, self._meaning.start_due, context=self._context)

    def _record(self, who: str, what: str, cause: str) -> None:
        self._record_event(ProcessEvent(self._clock(), who, what, cause))


def _coroutine(slot: Slot) -> CoroutineWorker:
    assert isinstance(slot.worker, CoroutineWorker)
    return slot.worker


async def _at_once() -> bool:
    return False


async def _then(death: Awaitable[None]) -> bool:
    await death
    return True
