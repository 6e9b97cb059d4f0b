"""Shapes with transactions."""

from __future__ import annotations

from tests.shapes.arranged import outputs
from tests.shapes.services import transactions
from tests.shapes.shape import (
    ACKED_AFTER,
    EXACTLY_ONCE,
    IDEMPOTENT,
    LOSSLESS,
    ORDERED,
    Caught,
    Shape,
)
from tests.shapes.table import LOST


def once_each(chaos, world):
    """One copy of each in the log: this service keeps ids and dedupes nothing."""
    chaos.publish("orders", world.orders, idempotent=True)


SHAPES = (
    Shape(
        name="transaction",
        publish=once_each,
        cannot=("duplicate-publish", "redelivery"),
        service=transactions.exactly_once,
        prepare=outputs,
        asks=(LOSSLESS, IDEMPOTENT, ORDERED, EXACTLY_ONCE, ACKED_AFTER),
        caught=(
            Caught(broken=transactions.exactly_once_commits_apart, under="crash-after-ack", **LOST),
        ),
    ),
)
