"""A function of the code under test in a thread of this process. It cannot be killed."""

from __future__ import annotations

import inspect
import threading
from collections.abc import Callable
from typing import Any, cast

from pytest_mqchaos.errors import UsageError, WaitTimeout
from pytest_mqchaos.workloads.incarnation import (
    End,
    Ended,
    Incarnation,
    Launch,
    running_as,
    told,
)
from pytest_mqchaos.workloads.target import Job, asks_for_stop

NO_CRASH = (
    "a thread cannot be killed, so crash_worker cannot act on it: run it with process=True "
    "(an importable function in a child process) or give a coroutine function"
)


class ThreadWorker:
    """Runs `job.target` in a daemon thread; hands it `stop`, a `threading.Event`, if it asks."""

    def __init__(self, incarnation: Incarnation, job: Job, launch: Launch) -> None:
        self.incarnation = incarnation
        self._job = job
        self._launch = launch
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self, ended: Ended) -> None:
        self._thread = threading.Thread(
            target=self._run, args=(ended,), name=self.incarnation.name, daemon=True
        )
        self._thread.start()

    def crash(self, limit: float) -> None:  # noqa: ARG002 - the protocol's
        """Raises `UsageError`, always."""
        raise UsageError(NO_CRASH)

    def stop(self, limit: float) -> None:
        self._stop.set()
        if self._thread is None:
            return
        self._thread.join(limit)
        if self._thread.is_alive():
            raise WaitTimeout(
                f"{self.incarnation.name} did not end within {limit:g} s of its stop. "
                "A function in a thread ends when it looks at its keyword `stop` "
                "(a threading.Event); without one, run it with process=True."
            )

    def _run(self, ended: Ended) -> None:
        running_as.set(self.incarnation.name)
        try:
            self._call()
        except BaseException as error:  # noqa: BLE001 - handed on: the supervisor judges it
            ended(End(error, f"raised {told(error)}"))
        else:
            ended(End(None, "stopped" if self._stop.is_set() else "returned"))

    def _call(self) -> None:
        target = cast("Callable[..., Any]", self._job.target)
        prepared = self._job.setup() if self._job.setup else None
        first = () if prepared is None else (prepared,)
        kwargs = dict(self._launch.kwargs)
        if "stop" not in kwargs and asks_for_stop(target):
            kwargs["stop"] = self._stop
        result = target(*first, *self._launch.args, **kwargs)
        if inspect.iscoroutine(result):
            result.close()
            raise UsageError(
                f"{target!r} is a function that returned a coroutine, which nobody awaits. "
                "Give the coroutine function itself as the worker."
            )
