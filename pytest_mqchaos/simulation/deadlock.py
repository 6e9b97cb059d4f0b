"""What every task of a loop waits for, as lines to read.

It knows tasks, their stacks and asyncio's locks and queues; it must never change any of them.
"""

from __future__ import annotations

import asyncio


def waiting(loop: asyncio.AbstractEventLoop) -> str:
    """List every task that is not done, in the order of their names, with what it waits for."""
    tasks = sorted(asyncio.all_tasks(loop), key=lambda task: task.get_name())
    return "\n".join(f"  {task.get_name()}: {task!r}" for task in tasks) or "  There is no task."
