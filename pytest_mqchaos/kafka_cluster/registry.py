"""Which APIs the cluster serves: key -> versions and handler. Whatever is not here is not served.

It knows the shape of a handler; the handlers live by family in api/ and are put in the table by
`apis.py`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Any, NamedTuple, TypeAlias

from pytest_mqchaos.kafka_cluster.schema import Values
from pytest_mqchaos.kafka_cluster.state import State


class Instead(Enum):
    """What a handler may return in place of an answer."""

    LATER = "later"  # `Call.reply` will be called
    SILENCE = "silence"  # this request gets no answer (Produce with acks=0)
    HANG_UP = "hang up"  # the broker ends the connection


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One request to be handled. `reply(values, now)` is for handlers that answered LATER; it may
    be called once. `software` is the client's library as it named itself on this connection, else
    empty (KIP-511). `now` is ns of a monotonic clock."""

    state: State
    node: int
    version: int
    client: str | None
    software: str
    body: Any
    now: int
    reply: Callable[[Values, int], None]


Handler: TypeAlias = Callable[[Call], Values | Instead]


class Api(NamedTuple):
    """One served API with the inclusive range of its versions."""

    key: int
    name: str
    low: int
    high: int
    handle: Handler
