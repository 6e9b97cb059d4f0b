"""What every task of a loop waits for, as lines to read.

It knows tasks, the frames of their coroutines, and asyncio's locks and queues; it must never
change any of them, nor print an address of memory (the same run says the same).
"""

from __future__ import annotations

import asyncio
import re
from types import CodeType, FrameType
from typing import Any

from pytest_mqchaos.simulation.whose import of_users, place

_ADDRESS = re.compile(r"( object)? at 0x[0-9a-f]+")
_LENGTH = 160  # characters of what is awaited


def waiting(loop: asyncio.AbstractEventLoop) -> str:
    """List every task that is not done, in the order of their names, with the line of its own code
    at which it stands and what it awaits there."""
    tasks = sorted(asyncio.all_tasks(loop), key=lambda task: _natural(task.get_name()))
    return "\n".join(f"  {_line(task)}" for task in tasks) or "  There is no task."


def _line(task: asyncio.Task[Any]) -> str:
    frames = _frames(task.get_coro())
    own = next((frame for frame in reversed(frames) if of_users(frame)), None)
    where = own or (frames[-1] if frames else None)
    at = f" at {place(where)}, in {where.f_code.co_name}" if where is not None else ""
    return f"task {task.get_name()!r} waits{at} for {_awaited(task, frames)}"


def _frames(coroutine: Any) -> list[FrameType]:
    """The frames of a suspended coroutine, outermost first."""
    frames: list[FrameType] = []
    while coroutine is not None:
        for kind in ("cr", "gi", "ag"):
            frame = getattr(coroutine, f"{kind}_frame", None)
            if frame is not None:
                frames.append(frame)
                coroutine = getattr(coroutine, f"{kind}_{'yieldfrom' if kind == 'gi' else 'await'}")
                break
        else:
            return frames
    return frames


def _awaited(task: asyncio.Task[Any], frames: list[FrameType]) -> str:
    """The lock, queue or event whose method stands innermost; else the future itself."""
    for frame in reversed(frames):
        holder = frame.f_locals.get("self")
        if holder is not None and _of_asyncio(frame.f_code):
            return _shown(holder)
        if of_users(frame):
            break
    future = getattr(task, "_fut_waiter", None)  # asyncio's own, in C and in Python alike
    if isinstance(future, asyncio.Task):
        return f"task {future.get_name()!r}"
    return "its turn" if future is None else _shown(future)


def _of_asyncio(code: CodeType) -> bool:
    return "/asyncio/" in code.co_filename.replace("\\", "/")


def _shown(thing: object) -> str:
    text = _ADDRESS.sub("", repr(thing))
    return text if len(text) <= _LENGTH else f"{text[: _LENGTH - 3]}..."


def _natural(name: str) -> list[tuple[int, str]]:
    """Task-2 before Task-10."""
    return [(int(part), "") if part.isdigit() else (-1, part) for part in re.split(r"(\d+)", name)]
