"""Messages that a group without any position of its own will not be handed again: its reader keeps
positions itself, or begins at the end, and began behind them when it was last seen to begin: by
what it was handed, or, where it was handed nothing, by what it asked for. Where it begins because
the final drain started it anew says nothing: in life nobody would have.

It knows where readers began; whether a reader may still turn back is its caller's to ask.
"""

from __future__ import annotations

from typing import cast

from pytest_mqchaos.checkers.evidence.begins import Lane, begins, lane_of
from pytest_mqchaos.history.index import Index
from pytest_mqchaos.history.rows import FINAL_DRAIN, Delivery, Place
from pytest_mqchaos.history.story import Story


def left_behind(index: Index, story: Story) -> bool:
    """Whether that is true of every group that has not passed the message."""
    return bool(story.waiting) and all(
        place.committed < 0 and _began_behind(index, story, place) for place in story.waiting
    )


def acked_from_behind(index: Index, story: Story) -> bool:
    """Whether whoever was handed it never acked it, and the ack that covers it is of one who began
    behind it."""
    found = [(row, ack) for row in story.deliveries for ack in index.positions.acks_for(row)[:1]]
    return bool(found) and all(
        ack.owner != row.owner and _lowest(index, ack.owner, row) > row.offset for row, ack in found
    )


def _lowest(index: Index, owner: str, row: Delivery) -> int:
    """The lowest offset of this row's partition that this owner was handed; -1 for none."""
    given = index.history.deliveries
    here = (d for d in given if d.reached and d.owner == owner and d.partition == row.partition)
    return min((d.offset for d in here if d.topic == row.topic), default=-1)


def _began_behind(index: Index, story: Story, place: Place) -> bool:
    here = (place.topic, place.partition)
    last = max(row.offset for row in story.stored if (row.topic, row.partition) == here)
    return _began(index).get((*here, place.group), -1) > last or _asked(index, place) > last


def _asked(index: Index, place: Place) -> int:
    """The lowest offset that whoever read last for this group ever asked for; -1: not known. One
    that may come back to a partition which it has left is not told from one that went on."""
    lane = (place.group, place.topic, place.partition)
    drained = _drained(index)
    lowest = [
        low
        for reader, low in index.history.asked.items()
        if reader[1:] == lane and reader[0] not in drained
    ]
    return lowest[-1] if lowest else -1


def _drained(index: Index) -> set[str]:
    return {event.who for event in index.history.processes if event.cause == FINAL_DRAIN}


def _began(index: Index) -> dict[Lane, int]:
    """The lowest offset that whoever read last was handed since it began."""
    derived = index.history.derived
    if "began" not in derived:
        found: dict[Lane, int] = {}
        lowest: dict[tuple[Lane, str], int] = {}
        drained = _drained(index)
        for row, anew in begins(index.history.deliveries):
            if row.owner in drained:
                continue
            place = lane_of(row)
            reader = place, row.owner
            lowest[reader] = row.offset if anew else min(lowest[reader], row.offset)
            found[place] = lowest[reader]
        derived["began"] = found
    return cast("dict[Lane, int]", derived["began"])
