"""The kinds of threads that a simulation admits: executors, and those of aiosqlite.

It knows how each takes work and gives its answer back to a loop; it must never know what the work
is. Both hand their work to `Jobs`, which decides when it begins.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import threading
from collections.abc import Callable
from typing import Any

from pytest_mqchaos.errors import MissingExtra
from pytest_mqchaos.simulation.turns import Turns
from pytest_mqchaos.simulation.whose import users_place


def execute(
    loop: Turns,
    executor: concurrent.futures.Executor | None,
    call: Callable[..., Any],
    args: tuple[Any, ...],
) -> asyncio.Future[Any]:
    """What `run_in_executor` does: run `call(*args)` on a thread, or in the executor given. It
    always runs, also when who waits for it is cancelled, as where a thread is free."""
    outer: concurrent.futures.Future[Any] = concurrent.futures.Future()
    outer.set_running_or_notify_cancel()
    future: asyncio.Future[Any] = asyncio.wrap_future(outer, loop=loop)

    def run() -> None:
        try:
            result = call(*args)
        except BaseException as error:  # noqa: BLE001 - it is raised where the future is awaited
            outer.set_exception(error)
        else:
            outer.set_result(result)

    def start() -> None:
        if executor is None:
            threading.Thread(target=run, name="mqchaos-to-thread", daemon=True).start()
        else:
            executor.submit(call, *args).add_done_callback(lambda done: _hand_on(done, outer))

    name = getattr(call, "__qualname__", None) or getattr(
        getattr(call, "args", (call,))[-1], "__qualname__", repr(call)
    )
    loop.jobs.submit(future, f"run_in_executor({name}), asked for at {users_place()}", start)
    return future


def _hand_on(done: concurrent.futures.Future[Any], outer: concurrent.futures.Future[Any]) -> None:
    error = done.exception()
    if error is not None:
        outer.set_exception(error)
    else:
        outer.set_result(done.result())


class _Queue:
    """The queue of one aiosqlite connection: what is put is handed to its thread when it is its
    turn. An item is (future, function); without a future nobody waits, and nothing is held."""

    def __init__(self, connection: Any, queue: Any, loop: Turns) -> None:
        self._connection = connection
        self._queue = queue
        self._loop = loop

    def put_nowait(self, item: tuple[asyncio.Future[Any] | None, Callable[[], Any]]) -> None:
        future, function = item
        if future is None or future.get_loop() is not self._loop:
            self._queue.put_nowait(item)
            return
        call = getattr(function, "func", function)
        what = f"aiosqlite {getattr(call, '__name__', call)}, asked for at {users_place()}"
        self._loop.jobs.submit(
            future, what, lambda: self._queue.put_nowait(item), urgent=self._in_transaction
        )

    def _in_transaction(self) -> bool:
        """A connection that holds a lock of the database is not kept waiting: others would, for
        real seconds, and be told that the database is locked."""
        return bool(getattr(self._connection._connection, "in_transaction", False))  # noqa: SLF001

    def __getattr__(self, name: str) -> Any:
        return getattr(self._queue, name)


def aiosqlite_init() -> tuple[Any, Callable[..., None]]:
    """The class of aiosqlite's connections, and its `__init__` for a simulation. Raises
    `MissingExtra` where aiosqlite is not installed."""
    try:
        from aiosqlite.core import Connection
    except ImportError as error:
        raise MissingExtra(
            "real=[\"aiosqlite\"] needs the package 'aiosqlite', which is not installed: "
            "pip install aiosqlite"
        ) from error
    original = Connection.__init__

    def init(self: Any, *args: Any, **options: Any) -> None:
        original(self, *args, **options)
        loop = asyncio._get_running_loop()  # noqa: SLF001 - outside of a loop it is none, no error
        if isinstance(loop, Turns):
            self._tx = _Queue(self, self._tx, loop)

    return Connection, init
