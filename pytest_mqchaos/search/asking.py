"""Our own questions to a broker that lives in this process: no socket, and no time passes.

It knows frames and where they go; it must never know what is asked.
"""

from __future__ import annotations

from collections.abc import Callable

from pytest_mqchaos.brokers.base import Address
from pytest_mqchaos.brokers.kafka_ask import Reach
from pytest_mqchaos.brokers.kafka_connection import Connection
from pytest_mqchaos.simulation.plane import VirtualPlane


class InProcess(Connection):
    """A connection whose every exchange is one call."""

    def __init__(
        self, address: Address, clock: Callable[[], float], ask: Callable[[int, bytes], bytes]
    ) -> None:
        super().__init__(address, clock)
        self._hand_over = ask

    def _exchange(self, frame: bytes, end: float) -> bytes:
        del end
        return self._hand_over(self.address.port, frame)


def reach(plane: VirtualPlane, seconds: Callable[[], float]) -> Reach:
    """The way of a `Direct` to the brokers of a simulation."""
    return Reach(
        connection=lambda address: InProcess(address, seconds, plane.ask),
        clock=seconds,
        pause=None,
    )
