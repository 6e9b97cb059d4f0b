"""Cells that cannot be done, with the documented reason; each asks that it is still so.

A cell without an entry here has to do what its feature asks.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from tests.conformance.matrix import consumers, members, producers


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

NOT_COOPERATIVE = Limit(
    members.all_taken_away,
    "aiokafka has no cooperative assignor: with the stickiest that it has, a member gives up all "
    "its partitions at every rebalance, and gets those that stay with it again",
    "[asked for](https://github.com/aio-libs/aiokafka/issues/1126)",
)
OLD_PROTOCOL_ALONE = Limit(
    members.no_newer_protocol,
    "aiokafka speaks the classic protocol of groups alone and refuses the word `group_protocol`",
    "[AIOKafkaConsumer](https://aiokafka.readthedocs.io/en/stable/api.html#consumer-class)",
)
NOT_YET_NEWER = Limit(
    members.no_newer_protocol,
    'kafka-python speaks the classic protocol of groups alone, "not slated for 3.0" is the newer '
    "one; it refuses the word `group_protocol`",
    "[asked for](https://github.com/dpkp/kafka-python/issues/3000)",
)

KIP_848 = "newer group protocol (KIP-848)"
# Keys are feature, client and kind of broker.
LIMITS = {
    (feature, client, broker): limit
    for feature, client, limit in (
        ("header without a value", "kafka-python", NO_NULL_HEADERS),
        ("pause and resume", "kafka-python", FORGETS_AFTER_RESUME),
        ("cooperative-sticky", "aiokafka", NOT_COOPERATIVE),
        (KIP_848, "aiokafka", OLD_PROTOCOL_ALONE),
        (KIP_848, "kafka-python", NOT_YET_NEWER),
    )
    for broker in ("embedded", "process")
}
