"""Differences that are known and meant, each with its reason.

docs/reference/embedded-kafka.md tells them to users; nothing is listed here that is not there.
"""

from __future__ import annotations

from collections.abc import Callable

from differential.compare import Difference
from differential.conversation import Conversation
from differential.marks import STAMP

_YEAR = 365 * 24 * 3_600_000  # milliseconds
Rule = Callable[[Conversation, Difference], bool]


def _unwritten_group(_: Conversation, told: Difference) -> bool:
    if told.api == "ListGroups":
        states = {group.get("group_state", "Empty") for group in told.embedded}
        return told.kafka == [] and states == {"Empty"}
    gone = (told.embedded, told.kafka) in (("none", "group_id_not_found"), ("Empty", "Dead"))
    return told.api == "DescribeGroups" and gone


def _verified_sequence(conversation: Conversation, told: Difference) -> bool:
    """A batch of a transaction whose producer had been refused at that partition before."""
    codes = ["none", "out_of_order_sequence_number"]
    if [told.embedded, told.kafka] not in (codes, codes[::-1]):
        return False
    before = conversation.steps[: told.number + 1]
    return told.api == "Produce" and sum(step.api == "Produce" for step in before) > 1 and bool(
        before[-1].values["transactional_id"]
    )  # fmt: skip


def _marker_time(_: Conversation, told: Difference) -> bool:
    """A search by timestamp that finds a marker, which has the time of the broker."""
    told_time = told.api == "ListOffsets" and told.path.endswith(".timestamp")
    return told_time and isinstance(told.kafka, int) and told.kafka > STAMP + _YEAR


_LISTED: dict[str, Rule] = {
    "a marker of a transaction has the timestamp of the newest record": _marker_time,
    "a group of which nothing was written down yet is not shown": _unwritten_group,
    "the lowest sequence of refused batches is remembered while a transaction is verified":
        _verified_sequence,
}  # fmt: skip


def reason(conversation: Conversation, told: Difference) -> str | None:
    """Why this difference is no fault, or None if it is one."""
    return next((why for why, rule in _LISTED.items() if rule(conversation, told)), None)
