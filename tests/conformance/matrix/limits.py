"""Cells that cannot be done, with the documented reason; each asks that it is still so.

A cell without an entry here has to do what its feature asks.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from tests.conformance.matrix import consumers, producers


class Limit(NamedTuple):
    """Whose limit it is stands in `why`, where it is documented in `source` (Markdown, seen from
    docs/reference). `ask(seen, client)` asserts what happens instead."""

    ask: Callable[..., None]
    why: str
    source: str


NO_NULL_HEADERS = Limit(
    producers.null_header_only_read,
    "kafka-python's producer takes only `bytes` as the value of a header and raises `TypeError` "
    "for None; its consumer reads such headers",
    "[KafkaProducer.send](https://kafka-python.readthedocs.io/en/master/apidoc/KafkaProducer.html)",
)
FORGETS_AFTER_RESUME = Limit(
    consumers.forgets_what_it_held_back,
    "kafka-python 3 sets aside what it has fetched of a partition that is being paused, and gives "
    "it back after `resume()` only while nothing of another partition has been read meanwhile; "
    "else the partition is never read again by this consumer. With everything of it read "
    "before the pause, pausing and resuming work. Not ours: 5 of 20 runs on Apache Kafka without "
    "any link in between were stuck the same way",
    "[the change that sets it aside](https://github.com/dpkp/kafka-python/pull/2981), "
    "`Fetcher.fetched_records` of 3.0.12",
)

# Keys are feature, client and kind of broker.
LIMITS = {
    (feature, "kafka-python", broker): limit
    for feature, limit in (
        ("header without a value", NO_NULL_HEADERS),
        ("pause and resume", FORGETS_AFTER_RESUME),
    )
    for broker in ("embedded", "process")
}
