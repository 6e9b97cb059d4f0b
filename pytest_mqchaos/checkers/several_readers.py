"""A message that was done twice because two readers were each handed it: members of different
groups, or workers that assign themselves the same partition outside of any group; or one that reads
it again at each start.

It words an advice; no verdict hangs on it.
"""

from __future__ import annotations

from collections.abc import Sequence

from pytest_mqchaos.checkers.verdict import Finding
from pytest_mqchaos.checkers.whose import groups_of
from pytest_mqchaos.checkers.wording import listed
from pytest_mqchaos.history.index import Index
from pytest_mqchaos.history.rows import Delivery, worker_of


def several_readers(index: Index, repeated: Sequence[Finding]) -> str:
    """Words about the first of these messages of which that is true; "" for none."""
    for finding in repeated:
        rows = [row for row in index.story(finding.id, finding.by).deliveries if row.reached]
        groups = sorted(set().union(*(_groups(index, row, finding.by) for row in rows)))
        if len(groups) > 1:
            return (
                f"{finding.id!r} was handed to several groups ({listed(groups)}): replicas of one "
                "service need one fixed group_id, effects of several services their names (by=...)"
            )
        alone = sorted({worker_of(r.owner) for r in rows if not _groups(index, r, finding.by)})
        if len(alone) > 1:
            return (
                f"{listed(alone)} were each handed {finding.id!r} outside of any group: give them "
                "one group_id, or each its own partitions"
            )
        lives = [row.owner for row in rows if row.group is None]
        if lives and lives[0] != lives[-1]:
            return (
                f"{lives[-1]} read {finding.id!r} again, outside of any group: begin at a position "
                "that is kept with the work; what is built anew at each start (a view) is not done "
                "again: show what it holds (chaos.effects.from_call)"
            )
    return ""


def _groups(index: Index, row: Delivery, by: str | None) -> set[str]:
    """The group that it was handed out for; of a process with several, all that read this."""
    if row.group is not None:
        return {row.group}
    known = groups_of(index, row.owner)
    here = {group for group in known if row.topic in index.positions.groups.get(group, ())}
    return here & {by} if by in known else here
