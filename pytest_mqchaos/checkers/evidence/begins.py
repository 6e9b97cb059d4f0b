"""Where a reader of a partition began: with the first message that it was handed, or behind what it
left out and another was handed meanwhile.

A client may fetch on beside whoever has the partition now (librdkafka does after some rebalances):
two are handed the same messages by turns, and neither begins anew.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import TypeAlias

from pytest_mqchaos.history.rows import Delivery

Lane: TypeAlias = tuple[str, int, str | None]
"""Topic, partition, group."""


def lane_of(row: Delivery) -> Lane:
    """What it was handed from, and for whom."""
    return row.topic, row.partition, row.group


def begins(deliveries: Iterable[Delivery]) -> Iterator[tuple[Delivery, bool]]:
    """Each delivery that arrived, and whether its reader began with it."""
    given: dict[Lane, set[int]] = defaultdict(set)
    last: dict[tuple[Lane, str], int] = {}
    for row in deliveries:
        if row.reached:
            place, at = lane_of(row), row.offset
            reader = place, row.owner
            before = last.get(reader)
            left_out = range(at if before is None else before + 1, at)
            yield row, before is None or not given[place].isdisjoint(left_out)
            last[reader] = at if before is None else max(before, at)
            given[place].add(at)
