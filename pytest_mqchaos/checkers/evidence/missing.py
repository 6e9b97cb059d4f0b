"""What became of the messages that lack an effect, or a part of it, one by one: lost and proven so,
still to come, or not to be told from the rows.

It knows one subscriber's messages at a time and says nothing about the run as a whole: which of
them are owed, and what all of it comes to, is who asks' to say (lossless.py).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from operator import itemgetter

from pytest_mqchaos.checkers.doubts import SHOWN, gap_touches
from pytest_mqchaos.checkers.evidence import where as stages
from pytest_mqchaos.checkers.evidence.instead import instead
from pytest_mqchaos.checkers.evidence.left_behind import left_behind
from pytest_mqchaos.checkers.evidence.one_row_a_key import written_over
from pytest_mqchaos.checkers.evidence.pending import OPEN, PENDING
from pytest_mqchaos.checkers.evidence.still_open import held_later, still_open
from pytest_mqchaos.checkers.verdict import Finding
from pytest_mqchaos.checkers.wording import listed
from pytest_mqchaos.history.index import Index
from pytest_mqchaos.history.story import Story

BLOCKED = f"it stands {OPEN}"
OVER = "a later message of its key may have written over its row"
LEAVES_NONE = "it has no value: a deletion leaves no row"
DIES_WHOLE = "run the worker as a process (process=True), or close its store in on_crash="
_UNTIL = "until that has timed out it is handed to nobody who reads committed messages"


@dataclass(slots=True)
class Found:
    """What was found so far; counts are true, findings are kept up to a limit. `groups`: the most
    groups that one waiting message is held for. `handed`: how often one was handed out at most.
    `behind`: some wait until a transaction ends. `alone`: in a group of some nobody is left.
    `placed`: a group that one is held for has a position. `over`: a later message of the key may
    have written over the row; where it must not (`last`: the last of each key is asked for, or each
    row that another run ends with) there are none. `instead`: another subscriber has done it."""

    failed: list[Finding] = field(default_factory=list)
    waiting: list[Finding] = field(default_factory=list)
    open: list[Finding] = field(default_factory=list)
    posthumous: list[Finding] = field(default_factory=list)
    unproven: list[Finding] = field(default_factory=list)
    uneven: list[Finding] = field(default_factory=list)
    over: list[Finding] = field(default_factory=list)
    instead: list[Finding] = field(default_factory=list)
    groups: int = 0
    handed: int = 0
    behind: bool = False
    alone: bool = False
    placed: bool = False
    last: bool = False


def judge(
    index: Index, owed: set[str], by: str | None, parts: frozenset[str] | None, found: Found
) -> None:
    """Sort those of `owed` that this subscriber has no effect of, or not every part of."""
    done = index.done(by)
    for message_id in sorted(owed - done):
        _missing(index, index.story(message_id, by), by, found)
    seen = set(map(itemgetter(4), index.effects))
    if parts is not None or len(seen) > 1 or index.several:
        _partial(index, owed & done, by, parts, found)


def _missing(index: Index, story: Story, by: str | None, found: Found) -> None:
    stage = stages.where(index, story)
    pending = story.id in index.history.pending

    def finding(what: str, text: str = "") -> Finding:
        shown = text or (stages.trace(index, story) if len(found.failed) < SHOWN else "")
        return Finding(id=story.id, what=what, where=stage, text=shown, by=by)

    if stage == stages.PARKED:
        found.failed.append(finding("parked"))
    elif story.effects:
        found.posthumous.append(finding("posthumous"))
    elif story.waiting and not left_behind(index, story):
        held = f"held for {stages.holder(story.waiting[0])}"
        found.waiting.append(finding("waiting", f"{held}; {PENDING}" if pending else held))
        found.behind = found.behind or pending
        found.alone = found.alone or not story.waiting[0].active
        found.placed = found.placed or any(place.committed >= 0 for place in story.waiting)
        found.groups = max(found.groups, len({place.group for place in story.waiting}))
        found.handed = max(found.handed, sum(row.reached for row in story.deliveries))
    elif stage == stages.BLOCKED or pending:
        why = PENDING if pending else BLOCKED
        found.waiting.append(finding("waiting", f"{why}, and {_UNTIL}"))
        found.behind = True
    elif not found.last and _overwritten(index, story):
        deletion = all(row.value is None for row in story.attempts)
        found.over.append(finding("no effect", LEAVES_NONE if deletion else OVER))
    elif still := still_open(index, story, stage):
        found.open.append(finding("not done", still))
    elif other := instead(index, story.id, by):
        found.instead.append(finding("no effect", other))
    elif not _proven(index, story, by):
        found.unproven.append(finding("no effect"))
    else:
        found.failed.append(finding("skipped" if stage == stages.SKIPPED else "lost"))


def _overwritten(index: Index, story: Story) -> bool:
    return any(row.reached for row in story.deliveries) and story.id in written_over(index)


def _proven(index: Index, story: Story, by: str | None) -> bool:
    """Whether what was not seen, or is nobody's, cannot be what is missing here."""
    stories = index.stories
    if index.history.nameless_effects:
        return False
    if by is not None and any(e.by is None for e in stories.effects.get(story.id, ())):
        return False
    if not (story.attempts or story.stored) and story.id in stories.attempts:
        return False  # published to a destination that is not judged
    if not index.history.read_back or not gap_touches(index.history):
        return index.history.read_back
    told = any(a.outcome == "confirmed" for a in story.attempts)
    if told and not story.stored and not story.deliveries:
        return True
    return any(
        ack.reached and ack.outcome != "refused" and delivery.group == ack.group
        for delivery in story.deliveries
        if delivery.reached
        for ack in index.positions.acks_for(delivery)
    )


def _partial(
    index: Index, ids: set[str], by: str | None, parts: frozenset[str] | None, found: Found
) -> None:
    """Missing parts: proven where the test declared them, else only uneven."""
    have: dict[str, set[str]] = {}
    after: dict[str, set[str]] = {}
    for effect in index.effects:
        if effect.id in ids and (by is None or effect.by == by):
            name = effect.part or (index.several and effect.source) or ""
            (after if effect.posthumous else have).setdefault(effect.id, set()).add(name)
    every = parts if parts is not None else frozenset().union(*have.values())
    for message_id, got in sorted(have.items()):
        lacks = sorted(every - got)
        if not lacks:
            continue
        text = f"has {_parts(got)}, lacks {_parts(lacks)}"
        finding = Finding(id=message_id, what="partial", where="partial", text=text, by=by)
        story = index.story(message_id, by)
        if set(lacks) <= after.get(message_id, set()):
            found.posthumous.append(finding)
        elif parts is None:
            found.uneven.append(finding)
        elif story.waiting or message_id in index.history.pending:
            found.waiting.append(finding)
        elif held := held_later(index, story, by):
            found.waiting.append(replace(finding, text=f"{text}; {held}"))
            found.placed = True
        elif not _proven(index, story, by):
            found.unproven.append(finding)
        else:
            found.failed.append(finding)


def _parts(names: Iterable[str]) -> str:
    return listed(name or "one without a name" for name in sorted(names))
