"""Publishing through a link: messages that can be told apart, one receipt each."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from pytest_mqchaos.chaos.messages import Given, understood
from pytest_mqchaos.chaos.side import Publisher, Receipt
from pytest_mqchaos.history.identity import Identity


class Post:
    """Our own client of one Chaos, made when first needed. `default`: ids travel in our header."""

    def __init__(
        self, *, identity: Identity, default: bool, connect: Callable[[], Publisher]
    ) -> None:
        self._identity = identity
        self._default = default
        self._connect = connect
        self._publisher: Publisher | None = None
        self._count = 0
        self.receipts: list[Receipt] = []

    def send(
        self, destination: str, messages: Iterable[Given], *, attempts: int, idempotent: bool
    ) -> list[Receipt]:
        """Publish one after the other, each sent again until confirmed."""
        made = understood(
            messages,
            destination=destination,
            identity=self._identity,
            default=self._default,
            start=self._count,
        )
        self._count += len(made)
        if not made:
            return []
        if self._publisher is None:
            self._publisher = self._connect()
        sent = self._publisher.send(destination, made, attempts=attempts, idempotent=idempotent)
        self.receipts += sent
        return sent

    def close(self) -> None:
        """Close the client, if there is one."""
        if self._publisher is not None:
            self._publisher.close()
            self._publisher = None
