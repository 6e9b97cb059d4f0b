"""Publishing through a link: messages that can be told apart, one receipt each."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Iterator

from pytest_mqchaos.chaos.messages import Given, owned, understood
from pytest_mqchaos.chaos.pace import given
from pytest_mqchaos.chaos.side import Publisher, Receipt
from pytest_mqchaos.errors import UsageError
from pytest_mqchaos.frames import Message
from pytest_mqchaos.history.identity import Identity
from pytest_mqchaos.history.rows import Unconfirmed


class Post:
    """Our own client of one Chaos, made when first needed. `default`: ids travel in our header.
    `before`: the ids whose effects stood there already."""

    def __init__(
        self, *, identity: Identity, default: bool, connect: Callable[[], Publisher],
        before: Callable[[], Container[str]] = frozenset,
    ) -> None:  # fmt: skip
        self._identity = identity
        self._default = default
        self._connect = connect
        self._before = before
        self._publisher: Publisher | None = None
        self._count = 0
        self.receipts: list[Receipt] = []
        self._disowned = 0

    async def send(
        self, destination: str, messages: Iterable[Given], *, attempts: int, idempotent: bool
    ) -> list[Receipt]:
        """Publish one after the other, each sent again until confirmed, or `attempts` times."""
        made = understood(
            messages,
            destination=destination,
            identity=self._identity,
            default=self._default,
            start=self._count,
        )
        self._refuse_known(made)
        self._count += len(made)
        self._disowned += sum(not owned(one, destination, self._identity) for one in made)
        if not made:
            return []
        if self._publisher is None:
            self._publisher = self._connect()
        sent = await given(
            self._publisher.send(destination, made, attempts=attempts, idempotent=idempotent)
        )
        self.receipts += sent
        return sent

    @property
    def disowned(self) -> bool:
        """Whether `id=` calls everything that was published somebody else's."""
        return 0 < self._count == self._disowned

    def unconfirmed(self, names: Container[str]) -> Iterator[Unconfirmed]:
        """What was published to these destinations, and is not known to be safe."""
        for one in self.receipts:
            if one.outcome != "confirmed" and one.destination in names:
                yield Unconfirmed(one.id, one.error or "")

    def _refuse_known(self, messages: Iterable[Message]) -> None:
        """An effect that stood there before the test would be taken for this message's."""
        before = self._before()
        for message in messages:
            if message.id is not None and message.id in before:
                raise UsageError(
                    f"a message with the id {message.id!r} is published, but its effect was there "
                    "before this test began: reset the store, or make ids unique per test or "
                    "example"
                )

    async def close(self) -> None:
        """Close the client, if there is one."""
        if self._publisher is not None:
            publisher, self._publisher = self._publisher, None
            await given(publisher.close())
