"""The tasks that a worker's coroutine made on a loop that is not its own.

On a loop of its own everything dies with the loop. On the test's loop the background tasks of a
crashed client (heartbeats, senders) would live on, so they are remembered as they are born:
a task belongs to the incarnation in whose context it was created.
"""

from __future__ import annotations

import asyncio
import weakref
from collections.abc import Callable, Coroutine
from typing import Any, cast

from pytest_mqchaos.workloads.incarnation import running_as

_Task = asyncio.Task[Any]
AGAIN = 1.0  # seconds that a cancelled task has for its `finally` before it is cancelled in there


class Offspring:
    """A task factory in front of the loop's own one. One per loop, shared by its workers."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._before: Callable[..., Any] | None = loop.get_task_factory()
        self._owner: weakref.WeakKeyDictionary[_Task, str] = weakref.WeakKeyDictionary()
        self._users = 0

    @classmethod
    def of(cls, loop: asyncio.AbstractEventLoop) -> Offspring:
        """The one in place on `loop`, else a new one, put in place."""
        factory = loop.get_task_factory()
        here = getattr(factory, "__self__", None)
        if isinstance(here, Offspring):
            return here
        new = cls(loop)
        # typeshed knows no keywords of a factory; asyncio hands it context= and name=
        loop.set_task_factory(cast("Any", new.make))
        return new

    def join(self) -> None:
        """One more user; each leaves once."""
        self._users += 1

    def leave(self) -> None:
        """The last user puts the loop's own factory back (unless somebody replaced ours)."""
        self._users -= 1
        if self._users == 0 and self._loop.get_task_factory() == self.make:
            self._loop.set_task_factory(self._before)

    def make(
        self,
        loop: asyncio.AbstractEventLoop,
        coro: Coroutine[Any, Any, Any],
        **kwargs: Any,
    ) -> asyncio.Future[Any]:
        """The factory: makes the task as the loop would have, and remembers whose it is."""
        if self._before is not None:
            task: asyncio.Future[Any] = self._before(loop, coro, **kwargs)
        else:
            task = asyncio.Task(coro, loop=loop, **kwargs)
        context = kwargs.get("context")
        owner = context.get(running_as) if context is not None else running_as.get()
        if owner is not None and isinstance(task, asyncio.Task):
            self._owner[task] = owner
        return task

    async def end(self, owner: str) -> None:
        """Cancel every living task of `owner` but this one, and wait until they are done: also one
        whose `finally` waits for another that has just been cancelled, and so needs it twice."""
        this = asyncio.current_task()
        while tasks := [
            task
            for task, whose in list(self._owner.items())
            if whose == owner and task is not this and not task.done()
        ]:
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks, timeout=AGAIN)
