"""The other side of `process=True`: a child process that runs one importable function.

    python -m pytest_mqchaos.workloads.child LAUNCH_FILE

The file has two pickles: the parent's `sys.path`, then (target, args, kwargs, setup). A SIGTERM
ends it as a `stop` does in process: a coroutine is cancelled, a function's `stop` event is set, a
function without one gets SystemExit in its main thread.
"""

from __future__ import annotations

import _thread
import asyncio
import inspect
import pickle
import signal
import sys
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from pytest_mqchaos.errors import UsageError
from pytest_mqchaos.workloads.target import Job, asks_for_stop, is_async

_AGAIN = 0.01  # seconds; after the finalizer has returned
_UNTIL_HEARD = 0.5  # seconds until once more: what comes just before a wait does not end it


class _Call(NamedTuple):
    target: Callable[..., Any]
    args: tuple[object, ...]
    kwargs: dict[str, object]
    setup: Callable[[], Any] | None


def write_launch(
    path: Path, job: Job, args: tuple[object, ...], kwargs: Mapping[str, object]
) -> None:
    """Write what a child is to run. Raises `UsageError` for arguments that cannot be pickled."""
    try:
        call = pickle.dumps((job.target, args, dict(kwargs), job.setup))
    except (pickle.PicklingError, TypeError, AttributeError) as error:
        raise UsageError(
            f"process=True hands the arguments to a child process, so they must be picklable: "
            f"{error}. Give plain data (addresses, DSNs) and build the rest in setup=; effects are "
            "recorded there with pytest_mqchaos.record_effect(id)."
        ) from error
    path.write_bytes(pickle.dumps(sys.path) + call)


def read_launch(path: Path) -> _Call:
    """Read it in the child, which can then import what the parent could."""
    with path.open("rb") as file:
        sys.path[:] = pickle.load(file)  # noqa: S301 - our own parent wrote it
        return _Call(*pickle.load(file))  # noqa: S301


async def _run_coroutine(call: _Call) -> None:
    task = asyncio.current_task()
    assert task is not None
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    prepared = call.setup() if call.setup else None
    if inspect.isawaitable(prepared):
        prepared = await prepared
    first = () if prepared is None else (prepared,)
    await call.target(*first, *call.args, **call.kwargs)


def _run_function(call: _Call) -> None:
    stop = threading.Event()
    asks = "stop" not in call.kwargs and asks_for_stop(call.target)
    told = False

    def on_term(_number: int, _frame: object) -> None:
        nonlocal told
        if told or not asks:
            raise SystemExit(0)
        told = True
        # Not here: the thread that this interrupts may hold the event's lock, inside stop.wait().
        _thread.start_new_thread(stop.set, ())

    signal.signal(signal.SIGTERM, on_term)
    # A wait that began as the SIGTERM came is not ended by it; it is by the SIGCONT of `stop`.
    signal.signal(signal.SIGCONT, lambda *_: None)
    _raise_again_if_lost()
    prepared = call.setup() if call.setup else None
    first = () if prepared is None else (prepared,)
    keywords = call.kwargs | ({"stop": stop} if asks else {})
    call.target(*first, *call.args, **keywords)


def _raise_again_if_lost() -> None:
    """A SystemExit that hits while a finalizer runs is only printed; then SIGTERM is sent again."""
    before = sys.unraisablehook
    arming = False

    def hook(lost: sys.UnraisableHookArgs) -> None:
        nonlocal arming
        if isinstance(lost.exc_value, SystemExit):
            arming = True
            signal.setitimer(signal.ITIMER_REAL, _AGAIN, _UNTIL_HEARD)
            arming = False
        else:
            before(lost)

    def again(_number: int, _frame: object) -> None:
        if arming:
            return  # raised in the hook it would be lost for good; we are called again
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.raise_signal(signal.SIGTERM)

    signal.signal(signal.SIGALRM, again)
    sys.unraisablehook = hook


def main(launch: Path) -> None:
    """Run it. An exception leaves its traceback on standard error and the status 1."""
    call = read_launch(launch)
    if not is_async(call.target):
        _run_function(call)
        return
    try:
        asyncio.run(_run_coroutine(call))
    except asyncio.CancelledError:
        return  # SIGTERM


if __name__ == "__main__":
    main(Path(sys.argv[1]))
