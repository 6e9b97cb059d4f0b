"""Where a message went on from a delivery: publishes of it that its reader is done by.

A retry or dead-letter destination is one. By a worker that was handed it also: back to an input
from a retry destination, or to the end of its own; what its own group reads, too; and, where its
group records no effects, what another group reads (the next stage).

It knows when each was confirmed; it must never say whether an ack came too early.
"""

from __future__ import annotations

from collections import defaultdict
from typing import NamedTuple, cast

from pytest_mqchaos.checkers.doubts import gap_touches
from pytest_mqchaos.checkers.evidence.whose import groups_of
from pytest_mqchaos.history.index import Index
from pytest_mqchaos.history.rows import PUBLISHER, TEST, Attempt, Delivery, worker_of
from pytest_mqchaos.history.story import Story

NEVER = 1 << 63


class Span(NamedTuple):
    """The instant at which a message was done lies in [low, high]."""

    low: int
    high: int


def moves(index: Index, delivery: Delivery) -> list[tuple[str, Span]]:
    """Publishes of the same message onward, each with its sender: done when confirmed. A hop that
    led to this very delivery is none of them; unless, of an input, one may have been unseen."""
    flow = index.history.flow
    aside = flow.retries | flow.dead_letters
    name = delivery.id or ""
    here = [d for d in index.stories.deliveries[name] if d.topic == delivery.topic]
    since = min(d.seq for d in here)
    spans = []
    for attempt in index.stories.attempts.get(name, ()):
        sure: bool | None = False  # of most messages all there is: the publish that led to it
        if attempt.topic in aside and attempt.seq >= since:
            sure = True
        elif attempt.topic in aside and delivery.topic not in flow.retries:
            sure = None if gap_touches(index.history) else False
        elif attempt.seq > since:
            handed = [d for d in here if sent_by_its_reader(attempt, d)]
            sure = bool(handed) and _elsewhere(index, handed, attempt)
        if sure is not False and arrived(attempt):
            known = sure is True and attempt.outcome == "confirmed"
            done = (attempt.end_t, attempt.end_t) if known else (attempt.t, NEVER)
            spans.append((attempt.owner, Span(*done)))
    return spans


def arrived(attempt: Attempt) -> bool:
    """Whether it may be in the log, as far as is known."""
    return attempt.reached and attempt.outcome != "refused"


def sent_by_its_reader(attempt: Attempt, delivery: Delivery) -> bool:
    """Whether a worker that had been handed the message published it."""
    return (
        delivery.reached
        and delivery.seq < attempt.seq
        and worker_of(delivery.owner) == worker_of(attempt.owner)
    )


def _elsewhere(index: Index, handed: list[Delivery], attempt: Attempt) -> bool | None:
    """Whether a message is done by this publish to a destination that is no retry destination, of a
    worker that was handed it thus; None: it is not known who records effects, or its group does so
    of others."""
    topic, to = handed[0].topic, attempt.topic
    # Who died before its first ack worked for the group that it was handed the message under.
    own = groups_of(index, attempt.owner) or {d.group for d in handed if d.group is not None}
    if to in index.inputs and (to == topic or topic in index.history.flow.retries):
        return True
    reading = readers(index).get(to, set())
    # A stage that says what it did itself is not done by what another stage of its process reads.
    named = {d.group for d in handed if d.group is not None and d.group in index.subscribers}
    if own & reading and (not named or named & reading):
        return True  # a retry destination that nobody declared
    if not own or not (reading or to in _read_outside(index)):
        return False
    if (back := _came_back(index, handed, attempt, own)) is not False:
        return back
    groups = {group for group, _, _ in index.positions.acks}
    whose = {(e.by if e.by in groups else None, e.owner) for e in index.effects}
    if any((named or own) & _did(index, *each) for each in whose):
        # A router does some itself and passes others on: what it did itself, and late, it did late.
        rows = index.stories.effects.get(attempt.id or "", ())
        here = {(e.by if e.by in groups else None, e.owner) for e in rows}
        return False if any((named or own) & _did(index, *each) for each in here) else None
    return None if (None, None) in whose else True


def _did(index: Index, by: str | None, owner: str | None) -> set[str]:
    """The groups for one of which this was done, as far as that is told."""
    return groups_of(index, owner) if by is None else {by}


def _came_back(
    index: Index, handed: list[Delivery], attempt: Attempt, own: set[str]
) -> bool | None:
    """Whether its group was handed the message again, in a record that somebody made of it after
    this publish, before it had any effect of the group's; None: perhaps before."""
    name = attempt.id or ""
    sent = [
        a for a in index.stories.attempts[name]
        if a.seq > attempt.seq and arrived(a)
        and any(sent_by_its_reader(a, d) for d in index.stories.deliveries[name])
    ]  # fmt: skip
    places = {(d.topic, d.partition, d.offset) for d in handed if d.seq < attempt.seq}
    again = [
        d.t for d in index.stories.deliveries[name]
        if d.reached and d.topic == handed[0].topic
        and (d.group in own or groups_of(index, d.owner) & own)
        and (d.topic, d.partition, d.offset) not in places
        and any((a.topic, a.partition) == (d.topic, d.partition) and a.seq < d.seq
                and a.offset in (-1, d.offset) for a in sent)
    ]  # fmt: skip
    if not again:
        return False
    rows = index.stories.effects.get(name, ())
    mine = [e for e in rows if own & (groups_of(index, e.owner) or own)]
    if all(e.t_from > min(again) for e in mine):
        return True
    return False if any(0 < e.t_to < min(again) for e in mine) else None


def taken_out_again(index: Index, story: Story) -> bool:
    """Whether a dead letter was published again to where it is worked on, by a worker that was
    handed it there or by the test, before it had any effect that is known to be earlier, and
    was not set aside anew by whoever was handed it after that."""
    # What the test itself publishes once it was told that the message is safe, and once that lies
    # among the dead letters, no client sends again by itself.
    safe = index.told.get(story.id, NEVER)
    safe = max(safe, min((a.seq for a in story.dead_attempts), default=NEVER))
    to_work = _to_work(index, story)
    by_the_test = [a for a in to_work if a.owner in (PUBLISHER, TEST) and a.seq > safe]
    again = _put_back(index, story) + by_the_test
    if not again or _set_aside_anew(index, story, max(a.seq for a in again)):
        return False
    since = min((a.t for a in story.dead_attempts), default=0)
    return not any(0 < e.t_to < since for e in story.effects if not e.posthumous)


def _set_aside_anew(index: Index, story: Story, put: int) -> bool:
    """Whether a worker that was handed the message after `put` set it aside. Where the log has one
    dead letter only, its client may have sent that again."""
    out = index.history.flow.dead_letters
    rows = [d for d in index.stories.deliveries.get(story.id, ()) if d.topic not in out]
    given = [d for d in rows if d.seq > put]
    return len(story.dead) > 1 and any(
        sent_by_its_reader(a, d) for a in story.dead_attempts for d in given
    )


def redriven(index: Index, story: Story) -> bool:
    """Whether a worker that was handed a dead letter has put it to where it is worked on again, for
    certain, and it was not set aside since: it does not count as one any more."""
    put = max((a.seq for a in story.dead_attempts), default=0)
    return any(a.seq > put and a.outcome == "confirmed" for a in _put_back(index, story))


def _put_back(index: Index, story: Story) -> list[Attempt]:
    """Publishes of it to where it is worked on by who was handed it as a dead letter."""
    out = index.history.flow.dead_letters
    handed = [d for d in index.stories.deliveries.get(story.id, ()) if d.topic in out]
    return [a for a in _to_work(index, story) if any(sent_by_its_reader(a, d) for d in handed)]


def _to_work(index: Index, story: Story) -> list[Attempt]:
    """Publishes of it to inputs, retry destinations and what else a group reads that had been
    handed it before: a stage that it failed in. What tells others of a dead letter is none."""
    reading, out = readers(index), index.history.flow.dead_letters
    rows = [d for d in index.stories.deliveries.get(story.id, ()) if d.topic not in out]
    return [
        a
        for a in index.stories.attempts.get(story.id, ())
        if a.topic in index.positions.handed
        or any(d.group in reading.get(a.topic, ()) for d in rows if d.seq < a.seq)
    ]


def readers(index: Index) -> dict[str, set[str]]:
    """The groups that were handed messages, by destination; not of dead letters, nor of effects."""
    derived, history = index.history.derived, index.history
    if "readers" not in derived:
        other = history.flow.dead_letters | history.effect_topics
        found: dict[str, set[str]] = defaultdict(set)
        seen = {(row.owner, row.group, row.topic) for row in history.deliveries}
        acked = {(ack.owner, ack.group, ack.topic) for ack in history.acks}
        for owner, group, topic in seen:
            if topic not in other:
                # Who serves several groups is told apart by what it acks there.
                own = {g for o, g, t in acked if (o, t) == (owner, topic)} if not group else {group}
                found[topic] |= own
        derived["readers"] = {topic: groups for topic, groups in found.items() if groups}
    return cast("dict[str, set[str]]", derived["readers"])


def _read_outside(index: Index) -> set[str]:
    """Topics whose messages somebody was handed who acks nothing there: it keeps its own place."""
    derived, history = index.history.derived, index.history
    if "read outside" not in derived:
        derived["read outside"] = {row.topic for row in history.deliveries if row.group is None}
    return cast("set[str]", derived["read outside"])
