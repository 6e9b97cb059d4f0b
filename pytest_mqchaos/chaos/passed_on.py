"""Groups at work on topics without a role, to which workers passed on what they were handed: the
next stages of a chain of services, as far as they can be seen while the test runs.

A group takes part where it acks. One that was handed messages there and has acked none may be at
its first one, or may never ack (an onlooker, a view): it is told apart from those that do.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, NamedTuple

from pytest_mqchaos.chaos.judging import joined

if TYPE_CHECKING:
    from pytest_mqchaos.history.history import Flow
    from pytest_mqchaos.relay.transcript import Transcript


class Stage(NamedTuple):
    """A group and a topic that it reads."""

    group: str
    topic: str


def next_stages(
    transcript: Transcript, flow: Flow, effects: frozenset[str]
) -> tuple[frozenset[Stage], dict[Stage, str]]:
    """Those that ack there; and, with the last that was handed anything, those that do not. Topics
    that show `effects` are no stage."""
    roles = flow.inputs | flow.retries | flow.outputs | flow.dead_letters | effects
    if transcript.topics <= roles:
        return frozenset(), {}
    judged = {row.id for row in transcript.attempts if row.topic in flow.inputs} - {None}
    topics = _passed_on(transcript, judged) - roles
    acking = frozenset(Stage(a.group, a.topic) for a in transcript.acks if a.topic in topics)
    members = joined(transcript)
    handed = {
        Stage(row.group, row.topic): row.owner
        for row in transcript.deliveries
        if row.topic in topics and row.reached and row.id in judged and row.group in members
        and row.group is not None
    }  # fmt: skip
    return acking, {stage: owner for stage, owner in handed.items() if stage not in acking}


def _passed_on(transcript: Transcript, judged: Iterable[str | None]) -> set[str]:
    """Topics to which a worker published a judged message."""
    return {r.topic for r in transcript.attempts if "#" in r.owner and r.id in judged}
