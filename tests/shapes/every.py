"""All shapes: those of the default run, and those that only the full matrix and honesty run."""

from __future__ import annotations

from tests.shapes import table, table_clients, table_odd, table_stream, table_transactions
from tests.shapes.shape import Shape

CORE: tuple[Shape, ...] = table.SHAPES
MORE: tuple[Shape, ...] = (
    *table_odd.SHAPES,
    *table_clients.SHAPES,
    *table_stream.SHAPES,
    *table_transactions.SHAPES,
)
SHAPES: tuple[Shape, ...] = (*CORE, *MORE)
