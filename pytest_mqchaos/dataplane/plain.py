"""A link that decides nothing: the unproxied way to an embedded broker, for reading back.

It knows that everything passes; there is nothing else to know.
"""

from __future__ import annotations

from pytest_mqchaos.dataplane.parts import Step
from pytest_mqchaos.frames import Direction


class PlainLink:
    """The shape of `relay.link.Link`."""

    __slots__ = ("closing", "out", "paused")

    def __init__(self) -> None:
        self.out: tuple[list[bytes], list[bytes]] = ([], [])
        self.paused = [False, False]
        self.closing: str | None = None

    def scan(
        self,
        direction: Direction,  # noqa: ARG002 - all the same to us
        buf: bytearray | memoryview,  # noqa: ARG002
        start: int,  # noqa: ARG002
        end: int,
        now: int,  # noqa: ARG002
    ) -> Step:
        return end, end, None

    def eof(self, direction: Direction, now: int) -> bool:  # noqa: ARG002
        return True

    def closed(self, *, by_client: bool, now: int) -> None:
        """Nobody has to know."""
