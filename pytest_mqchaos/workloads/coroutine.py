"""A coroutine function of the code under test: on a thread and loop of its own, or on the test's.

A crash here is an *in-process* one: the task is cancelled, so its `finally` blocks do run. What is
exact about it is the instant, and that its links are cut before (by the caller).
"""

from __future__ import annotations

import asyncio
import inspect
import threading
import time
from collections.abc import Awaitable, Callable
from typing import Any, cast

from pytest_mqchaos.errors import WaitTimeout
from pytest_mqchaos.workloads import left_open
from pytest_mqchaos.workloads.incarnation import (
    End,
    Ended,
    Incarnation,
    Launch,
    running_as,
    told,
)
from pytest_mqchaos.workloads.offspring import Offspring
from pytest_mqchaos.workloads.target import Job

# A task that swallowed its cancellation is cancelled again after so many seconds. Whoever is to
# stop may be in its `finally`: a client says good-bye, commits, sends what it holds.
_AGAIN = {"crashed": 0.25, "stopped": 1.0}


class CoroutineWorker:
    """Runs `job.target` as a task: on `loop` if given, else in a thread with a loop of its own."""

    def __init__(
        self,
        incarnation: Incarnation,
        job: Job,
        launch: Launch,
        loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        self.incarnation = incarnation
        self._job = job
        self._launch = launch
        self._shared = loop
        self._loop: asyncio.AbstractEventLoop | None = None
        self._task: asyncio.Task[None] | None = None
        self._began = threading.Event()
        self._over = threading.Event()
        self._told = ""  # "stopped" or "crashed" once somebody asked for the end
        self._prepared: Any = None
        self._end = End(None, "never ran")
        self._context = job.context.copy()
        self._alive: asyncio.Task[None] | None = None
        self._context.run(running_as.set, incarnation.name)

    def start(self, ended: Ended) -> None:
        if self._shared is not None:
            self._shared.call_soon_threadsafe(self._begin_on, self._shared, ended)
            return
        threading.Thread(
            target=self._own_loop, args=(ended,), name=self.incarnation.name, daemon=True
        ).start()

    def crash(self, limit: float) -> None:
        self._finish("crashed", limit)

    def stop(self, limit: float) -> None:
        self._finish("stopped", limit)

    def start_here(self, ended: Ended) -> None:
        """`start` from the loop that it shares: its task is there when this returns."""
        assert self._shared is not None
        self._begin_on(self._shared, ended)

    def end_here(self, told: str, limit: float) -> Awaitable[None]:
        """`crash` or `stop` from the loop that it shares. Its task is cancelled when this returns;
        await the rest. Raises `WaitTimeout`."""
        self._told = self._told or told
        if self._task is not None:
            self._cancel_here(self._task)
        return self._dead(limit)

    async def _dead(self, limit: float) -> None:
        assert self._shared is not None
        assert self._alive is not None
        until = self._shared.time() + limit
        while not self._alive.done():
            await asyncio.wait({self._alive}, timeout=_AGAIN[self._told])
            if self._alive.done():
                break
            if self._shared.time() >= until:
                raise self._still_runs(limit)
            if self._task is not None:
                self._cancel_here(self._task)

    def _still_runs(self, limit: float) -> WaitTimeout:
        return WaitTimeout(
            f"{self.incarnation.name} was to be {self._told} but still runs after {limit:g} s: it "
            "swallows asyncio.CancelledError, its `finally` waits for ever (a client's close() may "
            "where no broker can be reached), or its loop is blocked. Let it end, or run it as a "
            "process (process=True), which is killed"
        )

    def _finish(self, told: str, limit: float) -> None:
        self._told = self._told or told
        until = time.monotonic() + limit
        if self._shared is not None and self._shared.is_closed():
            return  # a closed loop runs nothing any more
        if not self._began.wait(limit):
            raise WaitTimeout(
                f"{self.incarnation.name} was not even begun within {limit:g} s: the event loop "
                "that it shares with the test is blocked"
            )
        while not self._over.is_set():
            left = until - time.monotonic()
            if left <= 0:
                raise self._still_runs(limit)
            self._cancel()
            self._over.wait(min(_AGAIN[self._told], left))

    def _cancel(self) -> None:
        loop, task = self._loop, self._task
        if loop is None or task is None:
            return
        try:
            loop.call_soon_threadsafe(self._cancel_here, task)
        except RuntimeError:
            if not loop.is_closed():
                raise
            if self._shared is not None:  # an own loop's thread says itself when it is over
                self._over.set()

    def _cancel_here(self, task: asyncio.Task[None]) -> None:
        if self._task is not task:
            return  # it ended meanwhile: what is under way is what comes after it
        if self._told == "crashed":  # as with a process its connections end first
            left_open.abort(task.get_loop(), self._launch.ports)
        task.cancel()

    def _own_loop(self, ended: Ended) -> None:
        try:
            with asyncio.Runner() as runner:
                runner.run(self._main(), context=self._context)
                if self._told == "crashed" or self._end.error is not None:
                    runner.run(left_open.close(runner.get_loop()))
        except BaseException as error:  # noqa: BLE001 - SystemExit of a background task: handed on
            self._end = End(error, f"a task of it raised {told(error)}")
        finally:
            ended(self._end)
            self._over.set()

    def _begin_on(self, loop: asyncio.AbstractEventLoop, ended: Ended) -> None:
        offspring = Offspring.of(loop)
        offspring.join()

        def over(_task: object) -> None:
            offspring.leave()
            ended(self._end)
            self._over.set()

        # Kept here, because a loop holds its tasks only weakly. A callback and no `finally`: a
        # task that is cancelled before its first step never enters its coroutine.
        self._alive = loop.create_task(
            self._main(offspring), name=self.incarnation.name, context=self._context
        )
        self._alive.add_done_callback(over)

    async def _main(self, offspring: Offspring | None = None) -> None:
        self._loop = asyncio.get_running_loop()
        self._task = asyncio.current_task()
        self._began.set()
        try:
            if not self._told:
                await self._work()
            self._end = End(None, self._told or "returned")
        except asyncio.CancelledError:
            self._end = End(None, self._told or "cancelled from outside")
        except BaseException as error:  # noqa: BLE001 - handed on: the supervisor judges it
            self._end = End(error, f"raised {told(error)}")
        self._task = None  # from here on nobody may cancel us any more
        await self._after(offspring)

    async def _work(self) -> None:
        target = cast("Callable[..., Awaitable[Any]]", self._job.target)
        if self._job.setup is not None:
            self._prepared = await _result(self._job.setup())
        await target(*self._first(), *self._launch.args, **self._launch.kwargs)

    async def _after(self, offspring: Offspring | None) -> None:
        try:
            if offspring is not None:
                await self._leave_nothing(offspring)
            if self._told == "crashed" and self._job.on_crash is not None:
                await _result(self._job.on_crash(*self._first()))
        except Exception as error:  # noqa: BLE001 - handed on, as above
            self._end = End(error, f"on_crash= raised {told(error)}")

    async def _leave_nothing(self, offspring: Offspring) -> None:
        assert self._loop is not None
        if self._end.error is not None:
            await left_open.close(self._loop, self._launch.ports)
        await offspring.end(self.incarnation.name)
        await left_open.close(self._loop, self._launch.ports)

    def _first(self) -> tuple[Any, ...]:
        return () if self._prepared is None else (self._prepared,)


async def _result(value: Any) -> Any:
    return await value if inspect.isawaitable(value) else value
