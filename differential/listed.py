"""Differences that are known and meant, each with its reason.

docs/reference/embedded-kafka.md tells them to users; nothing is listed here that is not there.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from differential.compare import Difference
from differential.conversation import Conversation
from differential.marks import STAMP

_YEAR = 365 * 24 * 3_600_000  # milliseconds
_FOLLOWED = frozenset({"high_watermark", "last_stable_offset", "records", "error_code"})
Rule = Callable[[Conversation, Difference], bool]


def _unwritten_group(_: Conversation, told: Difference) -> bool:
    if told.api == "ListGroups":
        states = {group.get("group_state", "Empty") for group in told.embedded}
        return told.kafka == [] and states == {"Empty"}
    gone = (told.embedded, told.kafka) in (("none", "group_id_not_found"), ("Empty", "Dead"))
    return told.api == "DescribeGroups" and gone


def _of_a_follower(conversation: Conversation, told: Difference) -> bool:
    """What a follower has not heard of yet: it may serve a fetch all the same (KIP-392)."""
    step = conversation.steps[told.number]
    return (
        told.api == "Fetch"
        and conversation.nodes > 1
        and step.at.startswith("follower:")
        and told.path.rpartition(".")[2].removesuffix("[]") in _FOLLOWED
    )


def _marker_time(_: Conversation, told: Difference) -> bool:
    """A search by timestamp that finds a marker, which has the time of the broker; a producer whose
    last batch a marker was."""
    names = {"ListOffsets": ".timestamp", "DescribeProducers": ".last_timestamp"}
    told_time = told.api in names and told.path.endswith(names[told.api])
    return told_time and isinstance(told.kafka, int) and told.kafka > STAMP + _YEAR


def _deleted_newest(conversation: Conversation, told: Difference) -> bool:
    """The largest timestamp of all that is in a file, deleted or not (KIP-734, KIP-107)."""
    asked, before = conversation.steps[told.number], conversation.steps[: told.number]
    return (
        told.api == "ListOffsets"
        and any(step.api == "DeleteRecords" for step in before)
        and all(
            one["timestamp"] == -3
            for topic in asked.values["topics"]
            for one in topic["partitions"]
        )
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """What is meant, and how it is told. Not looked at then is the rest of the same answer."""

    why: str
    rule: Rule


LISTED = (
    Listed(why="a marker of a transaction has the timestamp of the newest record",
           rule=_marker_time),
    Listed(why="the newest timestamp is also looked for among deleted records",
           rule=_deleted_newest),
    Listed(why="a follower has the records and the high watermark some time after its leader",
           rule=_of_a_follower),
    Listed(why="a group of which nothing was written down yet is not shown",
           rule=_unwritten_group),
)  # fmt: skip


def listed(conversation: Conversation, told: Difference) -> Listed | None:
    """Why this difference is no fault, or None if it is one."""
    return next((each for each in LISTED if each.rule(conversation, told)), None)
