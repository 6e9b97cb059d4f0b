"""Where a message stopped: the furthest stage with proof, in the words of checks.md, section
"Where was it lost?". It never guesses beyond the last row that shows the message.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from pytest_mqchaos.checkers.evidence.moved_on import redriven
from pytest_mqchaos.history.index import Index
from pytest_mqchaos.history.rows import Attempt, Delivery, Place, Stored
from pytest_mqchaos.history.story import Story

NEVER_LEFT = "never left the producer"
NEVER_REACHED = "left, never reached the broker"
REFUSED = "refused and not retried"
OUTCOME_UNKNOWN = "left, outcome unknown, not in the log"
GONE = "stored then gone"
GONE_LEADER = "stored then gone (leader change)"
GONE_RESTART = "stored then gone (restart)"
GONE_RETENTION = "stored then gone (retention)"
GONE_COMPACTED = "stored then gone (compaction)"
ABORTED = "taken back, its transaction was aborted"
BLOCKED = "stored behind an open transaction"
SKIPPED = "skipped by the position"
UNDELIVERED = "stored, never delivered"
ACKED = "delivered, no effect, acked"
UNACKED = "delivered, no effect, not acked"
PARKED = "parked in a dead-letter destination"
NOT_READ = "confirmed, not read back"


def where(index: Index, story: Story) -> str:
    """The furthest stage with proof of a message that has no effect."""
    if parked(index, story):
        return PARKED
    hop = last_hop(index, story)
    if hop.deliveries:
        return ACKED if acked(index, hop) else UNACKED
    if hop.stored:
        return SKIPPED if hop.passed and not hop.waiting else UNDELIVERED
    return _before_the_log(index, story)


def parked(index: Index, story: Story) -> bool:
    """Whether a dead-letter destination holds it (or took it, where nothing was read back), and it
    was not put back since."""
    told = any(a.outcome == "confirmed" for a in story.dead_attempts)
    there = bool(story.dead) or (told and not index.history.read_back)
    return there and not redriven(index, story)


def last_hop(index: Index, story: Story) -> Story:
    """The story at its last station: retry destinations if they hold it, else the inputs. Only
    deliveries that reached a client count."""
    reached = tuple(d for d in story.deliveries if d.reached)
    retries = index.history.flow.retries
    stored = tuple(s for s in story.stored if s.topic in retries)
    if not stored:
        return story._replace(deliveries=reached)
    return story._replace(
        stored=stored,
        deliveries=tuple(d for d in reached if d.topic in retries),
        acks=tuple(a for a in story.acks if a.topic in retries),
        passed=tuple(p for p in story.passed if p.topic in retries),
        waiting=tuple(p for p in story.waiting if p.topic in retries),
    )


def acked(index: Index, story: Story) -> bool:
    """Whether an ack that was let through, or the position at the end, covers a delivery."""
    if any(ack.reached and ack.outcome != "refused" for ack in story.acks):
        return True
    return any(
        place.committed > d.offset and d.group in (None, place.group) and index.holds(d)
        for d in story.deliveries
        for place in index.positions.places.get((d.topic, d.partition), ())
    )


def _before_the_log(index: Index, story: Story) -> str:
    attempts = story.attempts
    if not attempts:
        return NEVER_LEFT
    if story.id in index.history.blocked:
        return BLOCKED
    kept = [a for a in attempts if a.offset >= 0 or a.outcome == "confirmed"]
    if kept:
        gone = _gone(index, kept[-1]) if index.history.read_back else NOT_READ
        return ABORTED if gone == GONE and story.id in index.withdrawn else gone
    if not any(a.reached for a in attempts):
        return NEVER_REACHED
    last = max(attempts, key=lambda a: a.seq)
    return REFUSED if last.outcome == "refused" else OUTCOME_UNKNOWN


def _gone(index: Index, last: Attempt) -> str:
    """What took a stored message out of its log: as far as the log itself tells."""
    history, place = index.history, (last.topic, last.partition)
    if 0 <= last.offset < history.starts.get(place, 0):
        return GONE_RETENTION
    if last.topic in history.compacted and _replaced(index, last):
        return GONE_COMPACTED
    if place in history.led_anew:
        return GONE_RESTART if place in history.lone else GONE_LEADER
    return GONE


def _replaced(index: Index, row: Attempt) -> bool:
    """Whether the log has a later message of the same key."""
    return row.key is not None and any(
        s.key == row.key and (s.topic, s.partition) == (row.topic, row.partition)
        and s.offset > row.offset
        for s in index.stored
    )  # fmt: skip


def trace(index: Index, story: Story) -> str:
    """One line: what is known of the message, stage by stage, up to where it stopped."""
    hop = last_hop(index, story)
    steps = [_published(story)]
    steps += [f"stored {s.topic}-{s.partition}@{s.offset}" for s in story.stored[:3]]
    steps += [_delivered(index, d) for d in hop.deliveries[:3]]
    if not hop.deliveries:
        steps += [_passed(index, s, p) for s in hop.stored for p in hop.passed if _at(s, p)][:2]
    steps += [f"dead letter {s.topic}-{s.partition}@{s.offset}" for s in story.dead[:2]]
    steps.append("no effect" if not story.effects else f"effect {len(story.effects)}x")
    return " · ".join(step for step in steps if step)


def _published(story: Story) -> str:
    if not story.attempts:
        return "no publish seen"
    outcomes = Counter(
        "refused" if a.outcome == "refused" else "not let through" if not a.reached else a.outcome
        for a in story.attempts
    )
    return "published " + ", ".join(f"{count}x {what}" for what, count in outcomes.items())


def _delivered(index: Index, delivery: Delivery) -> str:
    to = f"delivered to {delivery.owner}"
    acks = index.positions.acks_for(delivery)
    if not acks:
        return f"{to}, not acked"
    ack = acks[0]
    late = (ack.t - delivery.t) / 1e6
    end = "lost" if not ack.reached else "refused" if ack.outcome == "refused" else ""
    vain = f" (that ack was {end})" if end else ""
    return f"{to}, acked {late:.1f} ms later by {ack.owner}: commit {ack.offset}{vain}"


def _at(row: Stored, place: Place) -> bool:
    return (row.topic, row.partition) == (place.topic, place.partition)


def _passed(index: Index, row: Stored, place: Place) -> str:
    acks = index.positions.acks.get((place.group, row.topic, row.partition))
    before = -1
    for ack in acks.rows if acks else ():
        if ack.offset > row.offset:
            if before < 0:
                return f"group {place.group} began behind it: first commit {ack.offset}"
            return f"group {place.group} skipped it: commit {before} -> {ack.offset}"
        before = ack.offset
    return f"group {place.group} stands behind it, at {place.committed}"


def holder(place: Place) -> str:
    """Who holds a waiting message."""
    at = f"{place.topic}-{place.partition}, position {max(place.committed, 0)}"
    if place.active is None:
        return f"group {place.group} ({at})"
    if place.active == 0:
        return f"group {place.group} ({at}), in which nobody is left"
    return f"group {place.group} ({at}), {place.active} live member(s)"


def summed(stages: Iterable[str]) -> str:
    """`delivered, no effect, acked`, or with counts where there are several stages."""
    counts = Counter(stages).most_common()
    if len(counts) == 1:
        return counts[0][0]
    return "; ".join(f"{count} {stage}" for stage, count in counts)
