"""`with` and `async with`, and the async twin of every waiting method.

A twin runs its sync half in a thread, so the test's loop goes on.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from types import TracebackType
from typing import Self

from pytest_mqchaos.chaos.messages import Given
from pytest_mqchaos.chaos.settling import Settled, Until
from pytest_mqchaos.chaos.side import Receipt
from pytest_mqchaos.chaos.waiting import off_loop


class Twins:
    """Mixed into `Chaos`, whose methods it calls."""

    start: Callable[[], object]
    finish: Callable[..., None]
    close: Callable[[], None]
    publish: Callable[..., list[Receipt]]
    settle: Callable[..., Settled]
    wait_for: Callable[..., None]

    def __enter__(self) -> Self:
        off_loop("the end of `with ...chaos(...)`", "async with ...chaos(...)")
        try:
            self.start()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:  # fmt: skip
        try:
            self.finish(body_failed=error is not None)
        finally:
            self.close()

    async def __aenter__(self) -> Self:
        await asyncio.to_thread(self.__enter__)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:  # fmt: skip
        await asyncio.to_thread(self.__exit__, kind, error, traceback)

    async def publish_async(
        self, destination: str, messages: Iterable[Given], *, attempts: int = 5,
        idempotent: bool = False,
    ) -> list[Receipt]:  # fmt: skip
        """`publish` on a running loop."""
        return await asyncio.to_thread(
            self.publish, destination, list(messages), attempts=attempts, idempotent=idempotent
        )

    async def settle_async(
        self, timeout: float | None = None, *, until: Until = "positions"
    ) -> Settled:
        """`settle` on a running loop."""
        return await asyncio.to_thread(self.settle, timeout, until=until)

    async def wait_for_async(
        self, condition: Callable[[], object], timeout: float = 15.0, what: str = ""
    ) -> None:
        """`wait_for` on a running loop."""
        await asyncio.to_thread(self.wait_for, condition, timeout, what)
