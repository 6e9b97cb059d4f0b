"""How often one message was stored and handed out, and which of it may be why it was done again.

A copy is another record in the same topic: in another one a service has passed it on under its id.
Handed out again is what one reader got twice from one place; two readers are each due it once.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable

from pytest_mqchaos.checkers.evidence.later_stages import behind, may_be_one, passed_on
from pytest_mqchaos.history.index import Index
from pytest_mqchaos.history.rows import Delivery, Stored, worker_of
from pytest_mqchaos.history.story import Story

REDELIVERED = "redelivered"
COPIES = "copies"
READERS = "several readers"
ONE_HANDLING = "delivered once"
_NEVER = "no delivery seen"


def copies(rows: Iterable[Stored]) -> int:
    """How many of them the topic holds that has the most."""
    return max(Counter(row.topic for row in rows).values(), default=0)


def handed_out(index: Index, story: Story, by: str | None) -> list[Delivery]:
    """Its deliveries that reached a client, those of later stages too."""
    rows = [row for row in story.deliveries if row.reached]
    rest = [row for row in index.stories.deliveries.get(story.id, ()) if behind(index, row)]
    return rows + [
        row
        for row in rest
        if row.reached
        and by in (None, row.group)
        and may_be_one(index, row.topic)
        and passed_on(index, row)
    ]


def cause(rows: Iterable[Delivery]) -> str:
    """Why a message with these deliveries may have been done again."""
    times: Counter[tuple[str, str, int, int]] = Counter()
    places: dict[tuple[str, str], set[tuple[int, int]]] = defaultdict(set)
    for row in rows:
        reader = row.group if row.group is not None else worker_of(row.owner)
        times[reader, row.topic, row.partition, row.offset] += 1
        places[reader, row.topic].add((row.partition, row.offset))
    if any(count > 1 for count in times.values()):
        return REDELIVERED
    if any(len(each) > 1 for each in places.values()):
        return COPIES
    if len({topic for _, topic in places}) < len(places):
        return READERS
    return ONE_HANDLING if places else _NEVER
