"""What the user gave as the code under test: which kind it is, and what is wrong with it.

It starts nothing. Everything that can be refused is refused here, before anything runs.
"""

from __future__ import annotations

import functools
import inspect
import os
from collections.abc import Callable, Sequence
from contextvars import Context, copy_context
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

from pytest_mqchaos.errors import UsageError

Kind: TypeAlias = Literal["coroutine", "thread", "command", "child"]
Target: TypeAlias = Callable[..., Any] | Sequence[str | os.PathLike[str]]
NO_CHILD = "scope='child' is for processes that fork; {} is none."


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """The code under test, understood.

    `setup` is called first, where the target will run (its own loop, thread or process); unless it
    returns None its result becomes the target's first argument. `on_crash` is called with the same
    result after a crash in process (coroutines only), when the `finally` blocks have run.
    `context` is the context of whoever defined the worker; each incarnation gets a copy.
    """

    kind: Kind
    target: Target
    setup: Callable[[], Any] | None = None
    on_crash: Callable[..., Any] | None = None
    context: Context = field(default_factory=copy_context)


def understand(
    target: Target,
    *,
    process: bool = False,
    setup: Callable[[], Any] | None = None,
    on_crash: Callable[..., Any] | None = None,
) -> Job:
    """Say what kind of worker `target` is: a coroutine function, a function (thread), a command
    (a list of strings); with `process=True` an importable function of either sort in a child.

    Raises `UsageError` for anything that cannot be started so.
    """
    kind = _kind(target, process)
    if on_crash is not None and kind != "coroutine":
        raise UsageError(
            f"on_crash= was given for a {kind} worker. It exists for coroutines, which die inside "
            "this process; a killed process leaves nothing open and a thread cannot be killed."
        )
    if setup is not None:
        if kind == "command":
            raise UsageError("setup= was given for a command: let the command do it itself.")
        if kind == "thread" and is_async(setup):
            raise UsageError(
                f"setup={_name(setup)} is a coroutine function, but {_name(target)} runs in a "
                "thread without a loop. Give a plain function, or a coroutine function as target."
            )
    if kind == "child":
        for role, function in (("target", target), ("setup=", setup)):
            if function is not None:
                _require_importable(role, function)
    return Job(kind=kind, target=target, setup=setup, on_crash=on_crash)


def is_async(function: object) -> bool:
    """Whether calling it gives a coroutine (also through partial and callable objects)."""
    while isinstance(function, functools.partial):
        function = function.func
    return inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(
        type(function).__call__
    )


def asks_for_stop(function: Callable[..., Any]) -> bool:
    """Whether a function has a parameter `stop` that can be given by keyword."""
    try:
        parameter = inspect.signature(function).parameters.get("stop")
    except ValueError:  # builtins without a signature
        return False
    return parameter is not None and parameter.kind in (
        parameter.POSITIONAL_OR_KEYWORD,
        parameter.KEYWORD_ONLY,
    )


def _kind(target: object, process: bool) -> Kind:  # noqa: FBT001 - private, one caller
    if callable(target):
        return "child" if process else "coroutine" if is_async(target) else "thread"
    if isinstance(target, (list, tuple)) and target:
        if all(isinstance(part, (str, os.PathLike)) for part in target):
            return "command"
        odd = next(part for part in target if not isinstance(part, (str, os.PathLike)))
        raise UsageError(f"a command is a list of strings and paths; it has {odd!r} in it.")
    hint = ""
    if isinstance(target, str):
        hint = " A command is a list, not one string: use shlex.split()."
    elif inspect.iscoroutine(target):
        target.close()
        hint = " Give the coroutine function and its arguments apart, do not call it."
    raise UsageError(
        f"a worker is a coroutine function, a function or a command (a list of strings); "
        f"{target!r} is none of them.{hint}"
    )


def _require_importable(role: str, function: object) -> None:
    module = getattr(function, "__module__", None)
    qualname = getattr(function, "__qualname__", None)
    if not module or not qualname or module == "__main__" or "<" in qualname:
        raise UsageError(
            f"process=True needs a {role} that a child process can import; {_name(function)} is "
            "local, a lambda, an object or in __main__. Move it to the top of a module."
        )


def _name(function: object) -> str:
    module = getattr(function, "__module__", None)
    qualname = getattr(function, "__qualname__", None)
    return f"{module}.{qualname}" if qualname else repr(function)
