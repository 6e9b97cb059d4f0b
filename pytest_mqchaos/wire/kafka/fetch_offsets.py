"""What each link last asked to fetch, also inside incremental fetch sessions (KIP-227).

A fetch may answer with the whole batch in which the wanted offset lies; the client drops what comes
before, so whoever reads a reply must know the request. In a session an unchanged partition is not
named again: its offset is remembered here, per link.

    epoch -1 or 0: the request names everything   ·   epoch n: only what changed, and what to forget
"""

from __future__ import annotations

from collections import OrderedDict
from typing import Any

Where = tuple[object, int]  # topic name or id, partition
_LINKS = 4096


def topic_key(topic: Any) -> object:
    """A topic's name, or its id (UUID) where the version has only that."""
    return getattr(topic, "topic", None) or getattr(topic, "topic_id", None)


class FetchOffsets:
    """Offsets by link and partition. Requests must be given in the order they were sent."""

    __slots__ = ("_links",)

    def __init__(self) -> None:
        self._links: OrderedDict[int, dict[Where, int]] = OrderedDict()

    def note(self, link: int, request: Any) -> dict[Where, int]:
        """Take in one Fetch request body; give the offsets that now hold for its link."""
        named = {
            (topic_key(topic), part.partition): part.fetch_offset
            for topic in request.topics
            for part in topic.partitions
        }
        if getattr(request, "session_epoch", -1) <= 0:
            held = named
        else:
            held = {**self._links.get(link, {}), **named}
            for topic in request.forgotten_topics_data:
                for partition in topic.partitions:
                    held.pop((topic_key(topic), partition), None)
        self._links[link] = held
        self._links.move_to_end(link)
        if len(self._links) > _LINKS:
            self._links.popitem(last=False)
        return held
