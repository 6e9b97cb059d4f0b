"""What keeps a message from being lost: by where it stopped, and by what is known of how it was
sent and worked on.

It words an advice; no verdict hangs on it.
"""

from __future__ import annotations

from collections.abc import Sequence

from pytest_mqchaos.checkers.advice.covered import covered_more
from pytest_mqchaos.checkers.advice.turned_back import not_turned_back
from pytest_mqchaos.checkers.advice.unheeded import unheeded
from pytest_mqchaos.checkers.evidence import where as stages
from pytest_mqchaos.checkers.evidence.fenced import fenced
from pytest_mqchaos.checkers.evidence.left_behind import acked_from_behind, left_behind
from pytest_mqchaos.checkers.evidence.one_row_a_key import beside_another
from pytest_mqchaos.checkers.evidence.set_aside import elsewhere
from pytest_mqchaos.checkers.evidence.still_open import cut_short
from pytest_mqchaos.checkers.evidence.unmatched import others
from pytest_mqchaos.checkers.verdict import Finding
from pytest_mqchaos.history.index import Index
from pytest_mqchaos.history.story import Story

REMEDIES = {
    stages.ACKED: "ack only after the work",
    stages.UNACKED: "keep the position in one transaction with the work: whoever began anew began "
    "behind it",
    stages.SKIPPED: "commit no further than the last message that was worked on; begin at earliest",
    stages.PARKED: "if that is meant, say chaos.expect(dead_lettered=...)",
    stages.ABORTED: "tell the caller after commit_transaction() has returned, and send again what "
    "was aborted",
    stages.UNDELIVERED: "begin at earliest, or behind the last message that was worked on",
    stages.GONE: "acks=all, replication and retention that outlive the consumer",
    stages.GONE_LEADER: "acks=all, replication=3 and min.insync.replicas=2, so that whoever leads "
    "next has what was confirmed",
    stages.GONE_RESTART: "replication=3, so that others have what one machine loses; with one copy "
    "flush each message (flush.messages=1)",
    stages.GONE_RETENTION: "retention that outlives the slowest consumer; find what is missing in "
    "the table of what was sent, and send it again",
    stages.GONE_COMPACTED: "where only the last message of a key counts, ask "
    'lossless(keep="latest")',
    stages.NEVER_REACHED: "wait for the confirm and resend",
    stages.NEVER_LEFT: "publish before telling the caller (or write an outbox row with the work)",
    stages.OUTCOME_UNKNOWN: "wait for the confirm and resend",
    stages.REFUSED: "resend what was refused",
}
_EARLIEST = (
    "begin at 'earliest' (auto.offset.reset): a group without a position that begins at the end of "
    "the log ('latest') never reads what was sent before it"
)
_OWN_POSITION = (
    "Who keeps its position itself, keep it in one transaction with the work: whoever began anew "
    "began behind it"
)
_IGNORED = "what is meant to have no effect is declared: chaos.expect(ignored=[...])"
_CUT_SHORT = (
    f"{REMEDIES[stages.ACKED]}, and not what it raised on (a framework may: see its ack policy); "
    "what works on behind the ack (an outbox that is relayed now and then, a buffer) must be done "
    f"before the worker is stopped: chaos.settle(timeout=...); {_IGNORED}"
)
_GUARDED = (
    f"{REMEDIES[stages.ACKED]}; where an older one wrote over it, guard the upsert by version; "
    "where such a guard left out an older one, say where the version stands: "
    "lossless(keep='latest', version=...)"
)
_UNHEARD = (
    "acks=all: with acks=0 nobody is told what became of a message, and nobody sends it again"
)
_ELECTED = (
    "min.insync.replicas=2 and no unclean leader election: it was sent with acks=all, and only who "
    "died was in sync"
)
_UNREAD = (stages.UNACKED, stages.UNDELIVERED)
_ON_THE_WAY = (stages.NEVER_REACHED, stages.OUTCOME_UNKNOWN, stages.GONE, stages.GONE_LEADER)


def remedy(index: Index, failed: Sequence[Finding]) -> str:
    """Words about the first of these losses; "" where there are none."""
    if not failed:
        return ""
    first = failed[0]
    story = index.story(first.id, first.by)
    said = (
        (unheeded(index, story) if first.where == stages.ACKED else "")
        or elsewhere(index, story)
        or (fenced(index) if first.where == stages.ABORTED else "")
        or (_of_its_reader(index, story) if first.where == stages.ACKED else "")
        or (_of_its_sender(story, first.where) if first.where in _ON_THE_WAY else "")
        or (_of_its_place(index, story) if first.where in _UNREAD else "")
        or REMEDIES.get(first.where, "")
    )
    return said + (others(index) if first.where in (stages.ACKED, stages.UNACKED) else "")


def _of_its_reader(index: Index, story: Story) -> str:
    if back := not_turned_back(index, story.id):
        return back
    if acked_from_behind(index, story):
        return REMEDIES[stages.SKIPPED]
    if beside_another(index, story.id):
        return _GUARDED
    if more := covered_more(index, story.id):
        return f"{more}; {_IGNORED}"
    return _CUT_SHORT if cut_short(index, story) else ""


def _of_its_place(index: Index, story: Story) -> str:
    """Of a group without a position: one that ever said where it stands has it kept by the broker,
    and began where its reset policy says."""
    if not left_behind(index, story):
        return ""
    groups = {place.group for place in story.waiting}
    kept = any(ack.group in groups for ack in index.history.acks)
    return _EARLIEST if kept else f"{_EARLIEST}. {_OWN_POSITION}"


def _of_its_sender(story: Story, where: str) -> str:
    asked = {attempt.acks for attempt in story.attempts}
    if asked == {0}:
        return _UNHEARD
    return _ELECTED if asked == {-1} and where == stages.GONE_LEADER else ""
