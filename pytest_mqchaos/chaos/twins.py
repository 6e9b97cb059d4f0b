"""`with` and `async with`, and the two halves of every waiting method.

Both halves are the same work, a coroutine of the session's: the sync one carries it out where it
is, the async twin apart from the loop that runs (see `pace`).
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterable
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from pytest_mqchaos.chaos.ground import Ground
from pytest_mqchaos.chaos.messages import Given
from pytest_mqchaos.chaos.pace import done
from pytest_mqchaos.chaos.settling import Settled, Until
from pytest_mqchaos.chaos.side import Receipt
from pytest_mqchaos.chaos.waiting import off_loop
from pytest_mqchaos.errors import UsageError

if TYPE_CHECKING:
    from pytest_mqchaos.chaos.telling import Telling


_BEGUN = ("_run", "_address", "view", "ledger", "scope", "_crew", "_questions")


class Twins:
    """Mixed into `Chaos`, whose work it has carried out."""

    telling: Telling
    start: Callable[[], object]
    finishing: Callable[..., Coroutine[Any, Any, None]]
    closing: Callable[[], Coroutine[Any, Any, None]]
    publishing: Callable[..., Coroutine[Any, Any, list[Receipt]]]
    settling: Callable[..., Coroutine[Any, Any, Settled]]
    waiting_for: Callable[..., Coroutine[Any, Any, None]]

    @property
    def host(self) -> Ground:
        """The broker that this Chaos is on."""
        raise NotImplementedError

    if not TYPE_CHECKING:  # a type checker would find every name on it

        def __getattr__(self, name: str) -> Any:
            """What only `start` makes."""
            if name in _BEGUN:
                raise UsageError(
                    "this Chaos has not begun: use it in a `with` block, "
                    "with kafka_chaos_broker.chaos(...) as chaos:"
                )
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")

    # ------------------------------------------------------------ beginning and end

    def finish(self, *, body_failed: bool) -> None:
        """Disarm, stop workers, heal, then judge what only the end can tell (unfired rules, no
        question asked). Raises `VerdictFailed`, unless the body has failed already."""
        done(self.finishing(body_failed=body_failed))

    def close(self) -> None:
        """Clean up: close our client, remove what was created, refuse late clients."""
        done(self.closing())

    def __enter__(self) -> Self:
        off_loop("the end of `with ...chaos(...)`", "async with ...chaos(...)")
        return done(self._begin())

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:  # fmt: skip
        done(self._end(error))

    async def __aenter__(self) -> Self:
        return await self.host.pace.apart(self._begin())

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:  # fmt: skip
        await self.host.pace.apart(self._end(error))

    async def _begin(self) -> Self:
        try:
            self.start()
        except BaseException:
            await self.closing()
            raise
        return self

    async def _end(self, error: BaseException | None) -> None:
        try:
            await self._judged(error)
        finally:
            try:
                await self.closing()
            finally:
                if self.telling.ended is not None:
                    self.telling.ended(self)  # type: ignore[arg-type]

    async def _judged(self, error: BaseException | None) -> None:
        try:
            await self.finishing(body_failed=error is not None)
        except BaseException as found:
            self.telling.blame(self, found)  # type: ignore[arg-type]
            raise
        if error is not None:
            self.telling.blame(self, error)  # type: ignore[arg-type]

    # ------------------------------------------------------------ what waits

    def publish(
        self, destination: str, messages: Iterable[Given], *, attempts: int = 5,
        idempotent: bool = False,
    ) -> list[Receipt]:  # fmt: skip
        """Publish through a link with a plain client (acks=all), one after the other, each sent
        again until confirmed, `attempts` times at most. One receipt per message; raises only for
        messages that cannot be. What was never confirmed is not owed, and a pass says so."""
        off_loop("chaos.publish()", "await chaos.publish_async(...)")
        return done(
            self.publishing(destination, messages, attempts=attempts, idempotent=idempotent)
        )

    async def publish_async(
        self, destination: str, messages: Iterable[Given], *, attempts: int = 5,
        idempotent: bool = False,
    ) -> list[Receipt]:  # fmt: skip
        """`publish` on a running loop."""
        return await self.host.pace.apart(
            self.publishing(destination, list(messages), attempts=attempts, idempotent=idempotent)
        )

    def settle(
        self, timeout: float | None = None, *, until: Until = "positions", drain: bool = True
    ) -> Settled:
        """Wait until nothing can still happen. `timeout`: seconds without progress. What still
        waits then is given one final drain: the workers are restarted once, unless `drain=False`.
        `until="effects"`: for services that keep positions in their own store."""
        off_loop("chaos.settle()", "await chaos.settle_async(...)")
        return done(self.settling(timeout, until=until, drain=drain))

    async def settle_async(
        self, timeout: float | None = None, *, until: Until = "positions", drain: bool = True
    ) -> Settled:
        """`settle` on a running loop."""
        return await self.host.pace.apart(self.settling(timeout, until=until, drain=drain))

    def wait_for(
        self, condition: Callable[[], object], timeout: float = 15.0, what: str = ""
    ) -> None:
        """Return when `condition()` is true; `WaitTimeout` says what was waited for."""
        off_loop("chaos.wait_for()", "await chaos.wait_for_async(...)")
        done(self.waiting_for(condition, timeout, what))

    async def wait_for_async(
        self, condition: Callable[[], object], timeout: float = 15.0, what: str = ""
    ) -> None:
        """`wait_for` on a running loop."""
        await self.host.pace.apart(self.waiting_for(condition, timeout, what))
