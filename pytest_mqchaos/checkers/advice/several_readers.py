"""A message that was done twice because two readers were each handed it: members of different
groups, workers that assign themselves the same partition outside of any group, or one worker that
reads it again at each start, since no position was committed.

It words an advice; no verdict hangs on it.
"""

from __future__ import annotations

from collections.abc import Sequence

from pytest_mqchaos.checkers.evidence.whose import groups_of
from pytest_mqchaos.checkers.verdict import Finding
from pytest_mqchaos.checkers.wording import listed
from pytest_mqchaos.history.index import Index
from pytest_mqchaos.history.rows import FINAL_DRAIN, Delivery, worker_of


def several_readers(index: Index, repeated: Sequence[Finding]) -> str:
    """Words about the first of these messages of which that is true; "" for none."""
    for finding in repeated:
        rows = [row for row in index.story(finding.id, finding.by).deliveries if row.reached]
        if said := _at_each_start(index, rows) or _at_once(index, finding, rows):
            return said
    return ""


def _at_once(index: Index, finding: Finding, rows: list[Delivery]) -> str:
    # Groups of other topics are other stages, which are each due it once.
    topics = [[row for row in rows if row.topic == topic] for topic in {row.topic for row in rows}]
    each = [sorted(set().union(*(_groups(index, row, finding.by) for row in t))) for t in topics]
    groups = max(each, key=lambda names: (len(names), names), default=[])
    if len(groups) > 1:
        return (
            f"{finding.id!r} was handed to several groups ({listed(groups)}): replicas of one "
            "service need one fixed group_id, effects of several services their names (by=...)"
        )
    alone = sorted({worker_of(r.owner) for r in rows if not _groups(index, r, finding.by)})
    if len(alone) > 1:
        return (
            f"{listed(alone)} were each handed {finding.id!r} outside of any group: give them "
            "one group_id, or each its own partitions; effects of several services their names "
            "(by=...)"
        )
    return ""


def _at_each_start(index: Index, rows: list[Delivery]) -> str:
    """Words about one worker that reads again when it starts, since its group has no position."""
    acking = {ack.group for ack in index.history.acks}
    lives = {row.owner for row in rows}
    if len(lives) == 1 or len(set(map(worker_of, lives))) != 1:
        return ""
    if any(row.group in acking for row in rows):
        return ""
    drained = {event.who for event in index.history.processes if event.cause == FINAL_DRAIN}
    again = " (which settle started anew, since nothing was committed)" if lives & drained else ""
    return (
        f"{rows[-1].owner}{again} read {rows[-1].id!r} again, for no position was committed: "
        "commit when the work is done, or keep the position with the work; what is built anew at "
        "each start (a view) is shown by what it holds: chaos.effects.from_call"
    )


def _groups(index: Index, row: Delivery, by: str | None) -> set[str]:
    """The group that it was handed out for; of a process with several, all that read this."""
    if row.group is not None:
        return {row.group}
    known = groups_of(index, row.owner)
    here = {group for group in known if row.topic in index.positions.groups.get(group, ())}
    return here & {by} if by in known else here
