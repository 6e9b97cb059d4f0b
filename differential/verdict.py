"""What one conversation shows: nothing, what is listed, that Kafka disagrees with itself, a fault.

What differs is asked of Kafka again, several times and without haste. A difference stands only if
none of those answers is the embedded cluster's own: where Kafka gives both answers, both are right.
It must never drop anything without saying so: each way out of here is counted.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from differential.compare import Difference, differences
from differential.conversation import Conversation
from differential.listed import listed
from differential.players import Answer

REPEATS = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """`listed`: the reasons of known differences. `varies`: what differed at first, if Kafka gave
    our answer in `agreed` of `REPEATS` plays without haste. `fault`: what differed in all."""

    listed: Sequence[str] = field(default_factory=list)
    varies: Difference | None = None
    agreed: int = 0
    fault: Difference | None = None


def judged(
    conversation: Conversation,
    ours: Sequence[Answer],
    theirs: Sequence[Answer],
    again: Callable[[], Sequence[Answer]],
) -> Verdict:
    """`again` plays the conversation on Kafka once more, without haste."""
    told, reasons = unlisted(conversation, ours, theirs)
    if told is None:
        return Verdict(listed=reasons)
    repeated = [unlisted(conversation, ours, again()) for _ in range(REPEATS)]
    agreed = sum(each is None for each, _ in repeated)
    if agreed:
        return Verdict(listed=reasons, varies=told, agreed=agreed)
    return Verdict(listed=reasons, fault=repeated[0][0])


def unlisted(
    conversation: Conversation, ours: Sequence[Answer], theirs: Sequence[Answer]
) -> tuple[Difference | None, list[str]]:
    """The first difference that is not listed, and the reasons of those before it. Of an answer
    with a listed one the rest is not looked at."""
    reasons: list[str] = []
    covered = -1
    for told in differences(conversation, ours, theirs):
        if told.number == covered:
            continue
        known = listed(conversation, told)
        if known is None:
            return told, reasons
        reasons.append(known.why)
        covered = told.number
    return None, reasons
