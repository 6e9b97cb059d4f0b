"""The test process's handle on a data plane: requests, its questions, its death.

It knows lines and threads; it must never know what a command means, and runs no user code: the
callbacks that it calls are ours. It needs no event loop.

    any thread --request--> socket --> data plane
    reader thread <-- answers, troubles, asks;  asker thread --on_ask--> answer
"""

from __future__ import annotations

import atexit
import contextlib
import itertools
import os
import queue
import signal
import subprocess
import threading
import time
import weakref
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeout
from typing import Any, Self, TypeAlias

from pytest_mqchaos.dataplane import failures
from pytest_mqchaos.dataplane.lines import Lines
from pytest_mqchaos.dataplane.spawn import Child
from pytest_mqchaos.errors import DataPlaneDied, MqchaosError, UsageError, WaitTimeout

READY = 10.0  # seconds for a process that normally needs 0.05
OnAsk: TypeAlias = Callable[[str, dict[str, Any]], object]
OnTrouble: TypeAlias = Callable[[str], None]
_living: weakref.WeakSet[DataPlane] = weakref.WeakSet()


class DataPlane:
    """One data plane. `parts` names other parts than the defaults (parts.py): "engine", "command",
    "codec", "cluster", each as "package.module:name". `host` is where its listeners bind.

    `history` is the length of the history file that is whole, as of the last answer or ask.
    """

    def __init__(self, *, parts: Mapping[str, str] | None = None, host: str = "127.0.0.1") -> None:
        self.history = 0
        self.ready_after = 0.0
        self.troubles: list[str] = []
        self._parts = parts or {}
        self._host = host
        self._child: Child | None = None
        self._lines: Lines | None = None
        self._died: str | None = None
        self._over: str | None = None  # why no request can be answered any more
        self._stopping = False
        self._numbers = itertools.count(1)
        self._pending: dict[int, Future[Any]] = {}
        self._lock = threading.Lock()
        self._dying = threading.Lock()
        self._asks: queue.SimpleQueue[tuple[int, str, dict[str, Any]] | None] = queue.SimpleQueue()
        self._on_ask: OnAsk | None = None
        self._on_trouble: OnTrouble | None = None
        self._threads: list[threading.Thread] = []
        self._ready: Future[int] = Future()

    # ------------------------------------------------------------ life

    def start(self) -> DataPlane:
        """Start the process and wait until it serves; `ready_after` says how long that took
        (seconds). Raises `DataPlaneDied` with its last words if it does not."""
        if self._child is not None:
            raise UsageError("this data plane was started already; make a new one")
        began = time.monotonic()
        self._child = Child(parts=self._parts, host=self._host)
        self._lines = Lines(self._child.control)
        for target in (self._read, self._answer_asks):
            thread = threading.Thread(target=target, name=f"mqchaos-{target.__name__}", daemon=True)
            thread.start()
            self._threads.append(thread)
        _living.add(self)
        try:
            self._ready.result(READY)
        except FutureTimeout:
            words = self._child.last_words()
            self.stop()
            raise DataPlaneDied(f"the data plane was not ready in {READY} s. {words}") from None
        self.ready_after = time.monotonic() - began
        return self

    @property
    def pid(self) -> int:
        """Its process id."""
        if self._child is None:
            raise UsageError("the data plane was not started")
        return self._child.process.pid

    @property
    def died(self) -> str | None:
        """Why it is gone; None while it lives, or after `stop`."""
        return self._died

    def stop(self, timeout: float = 5.0) -> None:
        """End the process, its listeners and links. Safe to call twice and after its death."""
        child = self._child
        if child is None or self._stopping:
            return
        self._stopping = True
        with contextlib.suppress(MqchaosError):  # it may be dead already: the same result
            self.request("stop", timeout=timeout)
        self._over = self._over or "the data plane was stopped"
        self._asks.put(None)
        with contextlib.suppress(OSError):
            child.control.shutdown(2)
        for thread in self._threads:
            if thread is not threading.current_thread():
                thread.join(timeout)
        child.reap(timeout)
        child.close()
        _living.discard(self)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    # ------------------------------------------------------------ talk

    def request(self, do: str, *, timeout: float = 10.0, **args: Any) -> Any:
        """Have a command carried out and give what it answers. Thread-safe.

        Raises `UsageError` for a command that cannot be, `MqchaosError` for one that failed,
        `DataPlaneDied` when the process is gone, `WaitTimeout` after `timeout` seconds.
        """
        number = next(self._numbers)
        answer: Future[Any] = Future()
        with self._lock:
            self._check()
            self._pending[number] = answer
        try:
            self._send({"id": number, "do": do, **args}, timeout)
            return answer.result(timeout)
        except FutureTimeout:
            raise WaitTimeout(
                f"waited {timeout} s for the data plane (pid {self.pid}) to answer {do!r}"
            ) from None
        finally:
            self._pending.pop(number, None)

    def address(self, owner: str, node: int, port: int = 0) -> tuple[str, int]:
        """The listener of `owner` for broker `node`; bound on first use, on `port` if given."""
        host, number = self.request("listen", owner=owner, node=node, port=port)["address"]
        return host, number

    def flush(self) -> int:
        """Have all history written; the length of the file."""
        self.request("flush")
        return self.history

    def on_ask(self, callback: OnAsk) -> None:
        """Call `callback(what, arguments)` for each question; what it returns (JSON-able) is the
        answer. It runs on a thread of ours, may call `request`, and should raise nothing: an
        exception is told as trouble and answered with None."""
        self._on_ask = callback

    def on_trouble(self, callback: OnTrouble) -> None:
        """Call `callback(text)` for everything that goes wrong there; also kept in `troubles`."""
        self._on_trouble = callback

    # ------------------------------------------------------------ inside

    def _check(self) -> Lines:
        if self._over is not None:
            raise DataPlaneDied(self._over)
        if self._lines is None:
            raise UsageError("the data plane was not started")
        return self._lines

    def _send(self, body: dict[str, Any], timeout: float) -> None:
        try:
            self._check().send(body, timeout)
        except OSError as error:
            self._die(str(error))
            self._check()

    def _read(self) -> None:
        try:
            for body in self._check().received():
                self._take(body)
        except Exception as error:  # noqa: BLE001 - else all who ask would wait for nobody
            why = f"what it says cannot be understood ({type(error).__name__}: {error})"
            self._die(why, patience=1.0)  # it lives
        else:
            self._die("it ended")

    def _take(self, body: dict[str, Any]) -> None:
        if "history" in body:
            self.history = body["history"]
        if "ask" in body:
            self._asks.put((body["ask"], body["what"], body.get("arguments", {})))
        elif "trouble" in body:
            self._trouble(body["trouble"])
        elif "ready" in body:
            self._ready.set_result(body["ready"])
        else:
            value = None if "error" in body else body["ok"]
            answer = self._pending.pop(body["id"], None)
            if answer is None:
                return  # who asked has stopped waiting
            if "error" in body:
                answer.set_exception(failures.raised(body))
            else:
                answer.set_result(value)

    def _trouble(self, text: str) -> None:
        self.troubles.append(text)
        if self._on_trouble is not None:
            self._on_trouble(text)

    def _answer_asks(self) -> None:
        while (asked := self._asks.get()) is not None:
            number, what, arguments = asked
            value: object = None
            try:
                if self._on_ask is None:
                    self._trouble(f"nobody answers the data plane's {what!r}")
                else:
                    value = self._on_ask(what, arguments)
            except Exception as error:  # noqa: BLE001 - told; the frame that waits may not hang
                self._trouble(f"{what} failed: {type(error).__name__}: {error}")
            with contextlib.suppress(DataPlaneDied):  # whoever asks next is told
                self._send({"answer": number, "value": value}, 10.0)

    def _die(self, why: str, patience: float = 5.0) -> None:
        """It is gone, or will be in so many seconds: every request, now and later, says so."""
        assert self._child is not None
        with self._dying:
            if self._over is None and not self._stopping:
                try:
                    code = f"exit code {self._child.process.wait(patience)}"
                except subprocess.TimeoutExpired:
                    code = "still there"
                words = self._child.last_words() or "it said nothing"
                self._died = (
                    f"the data plane (pid {self.pid}) is gone: {why}, {code}. "
                    f"Nothing that was observed can be trusted. Its last lines: {words}"
                )
        with self._lock:
            self._over = text = self._over or self._died or "the data plane was stopped"
            pending, self._pending = self._pending, {}
        for answer in (*pending.values(), self._ready):
            if not answer.done():
                answer.set_exception(DataPlaneDied(text))


def _stop_all() -> None:
    # A Ctrl-C has nothing left to interrupt now but this, which is soon over.
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        for plane in tuple(_living):
            plane.stop(timeout=1.0)
    finally:
        signal.signal(signal.SIGINT, before or signal.SIG_DFL)


def _forked() -> None:
    """In a forked child: the channel is the parent's, or its end would not be seen by anybody."""
    for plane in tuple(_living):
        if plane._child is not None:  # noqa: SLF001 - our own class
            plane._child.control.close()  # noqa: SLF001
    _living.clear()


atexit.register(_stop_all)
os.register_at_fork(after_in_child=_forked)
