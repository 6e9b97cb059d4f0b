"""What a client reads of the machine or the process where no clock and no seed can reach it.

It knows, by name, the places of each such client; it must never know more of the client than that.
What it does not find (another version, not installed) it leaves as it is.

aiokafka: a record sent without a timestamp gets one from `gettimeofday` in its Cython module; and
producers without a name are counted, over the whole process.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

from pytest_mqchaos.simulation import clocks
from pytest_mqchaos.simulation.holders import Place
from pytest_mqchaos.simulation.turns import SECOND

_MILLISECOND = SECOND // 1000


@cache
def stamped() -> tuple[tuple[Place, Callable[..., Any]], ...]:
    """Where to put what. Imports the clients, once: one that is imported in a simulation is too
    late."""
    try:
        from aiokafka.producer.message_accumulator import BatchBuilder
    except ImportError:
        return ()
    append = getattr(BatchBuilder, "append", None)
    return ((Place(BatchBuilder, "append"), _appending(append)),) if callable(append) else ()


@cache
def counters() -> tuple[Place, ...]:
    """Numbers that begin at 0 in every simulation."""
    try:
        from aiokafka import AIOKafkaProducer
    except ImportError:
        return ()
    name = "_PRODUCER_CLIENT_ID_SEQUENCE"
    return (Place(AIOKafkaProducer, name),) if hasattr(AIOKafkaProducer, name) else ()


def _appending(append: Callable[..., Any]) -> Callable[..., Any]:
    def stamped_append(self: Any, *, timestamp: int | None, **record: Any) -> Any:
        """As aiokafka's; a record without a timestamp is of now (in milliseconds)."""
        clock = clocks.behalf()
        if clock is not None and timestamp is None:
            timestamp = (clock.now() + clock.offset) // _MILLISECOND
        return append(self, timestamp=timestamp, **record)

    return stamped_append
