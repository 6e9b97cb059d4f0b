"""A Chaos paced by virtual time: everything that waits, waits on the one loop.

It knows the loop and its instants; it must never know what is waited for.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from contextvars import copy_context
from typing import Any, TypeVar

from pytest_mqchaos.simulation.instants import Instants
from pytest_mqchaos.simulation.loop import VirtualLoop

T = TypeVar("T")


class VirtualPace:
    """See `chaos.pace.Pace`."""

    free = True

    def __init__(self, loop: VirtualLoop, clock: Instants) -> None:
        self._loop = loop
        self._context = copy_context()
        self.clock = clock

    async def pause(self, seconds: float) -> None:
        """Let so much virtual time pass."""
        await asyncio.sleep(seconds)

    async def apart(self, work: Coroutine[Any, Any, T]) -> T:
        """Where it is: nothing here holds up the loop."""
        return await work

    def later(self, seconds: float, act: Callable[[], None]) -> asyncio.TimerHandle:
        """On behalf of the Chaos, whoever's frame was the reason."""
        return self._loop.call_later(seconds, act, context=self._context)
