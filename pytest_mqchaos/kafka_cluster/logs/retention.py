"""What of a log is too old or too much (cleanup.policy=delete).

It knows segments and limits: whole segments go, the active one too when it is too old, and nothing
that is not below the high watermark.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from pytest_mqchaos.kafka_cluster.logs.segments import Segment


class Limits(NamedTuple):
    """`age` in ns since the newest batch of a segment came, `size` in bytes of the whole log; None
    for no limit."""

    age: int | None = None
    size: int | None = None


def first_kept(cut: Sequence[Segment], limits: Limits, high_watermark: int, now: int) -> int | None:
    """Give the offset at which the log should start, None if nothing has to go."""
    gone = 0
    deletable = [one for one in cut if one.end <= high_watermark]
    if limits.age is not None:
        while gone < len(deletable) and now - deletable[gone].newest > limits.age:
            gone += 1
    if limits.size is not None:
        excess = sum(one.size for one in cut[gone:]) - limits.size
        while gone < len(deletable) and excess >= deletable[gone].size:
            excess -= deletable[gone].size
            gone += 1
    return deletable[gone - 1].end if gone else None
