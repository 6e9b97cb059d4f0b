"""May a message without an effect still get one? Then it is not lost, only not done.

    stored, in no group's hands                 whoever comes would be handed it
    delivered, its reader keeps its own place   may be at work on it, or read it again
    delivered and acked, its reader still runs  may be at work on it
    skipped, a reader still runs                may turn back to it
    a worker that runs was not heard of yet     may be handed it, as whatever group
    acked, but passed on to another's input     whoever reads that may still be handed it
    done, its record not readable yet           whoever ends the transaction before it decides

A reader that keeps its own place has left a message behind when a later message of the partition
was handed to such a reader, or when its next incarnation read on without it.
"""

from __future__ import annotations

from collections.abc import Sequence

from pytest_mqchaos.checkers.evidence import where as stages
from pytest_mqchaos.checkers.evidence.left_behind import left_behind
from pytest_mqchaos.checkers.evidence.moved_on import arrived, readers, sent_by_its_reader
from pytest_mqchaos.checkers.evidence.pending import PENDING
from pytest_mqchaos.checkers.verdict import Finding
from pytest_mqchaos.checkers.wording import listed
from pytest_mqchaos.history.index import Index
from pytest_mqchaos.history.rows import RUNS, worker_of
from pytest_mqchaos.history.story import Story

_HANDED = (stages.ACKED, stages.UNACKED, stages.SKIPPED, stages.UNDELIVERED)
_BEGIN_AGAIN = " (worker.crash() and another settle show where it begins)"


def still_open(index: Index, story: Story, stage: str) -> str:
    """Why an effect may still come, as a sentence; "" when none can. A record that is itself the
    effect (a producer's output) waits for no reader."""
    if story.id in index.history.pending:
        return PENDING
    if stage == stages.UNDELIVERED and its_own_effect(index, story.id):
        return ""
    begun = _overtaken(index, story) or left_behind(index, story)
    if stage == stages.UNDELIVERED and not story.passed and not begun:
        return f"{story.stored[0].topic} holds it, and {_nobody(index, story.stored[0].topic)}"
    reached = [d.owner for d in story.deliveries if d.reached]
    if stage == stages.UNACKED and not story.passed:
        held = [owner for owner in reached if not _succeeded(index, owner)]
        if held:
            more = "" if _runs(index, held[-1]) else _BEGIN_AGAIN
            return f"{held[-1]} keeps its position itself and may still read or handle it{more}"
    if stage in _HANDED and (running := _running(index, reached, stage)):
        return running
    return held_later(index, story) if stage == stages.ACKED else ""


def _running(index: Index, reached: Sequence[str], stage: str) -> str:
    """Who runs and may have it to do: who was handed it, else whoever reads, else a stranger."""
    alive = [owner for owner in reached if _runs(index, owner)]
    if alive and stage in (stages.ACKED, stages.UNACKED):
        return f"{alive[-1]} still runs and may be at work on it"
    alive = [owner for owner in sorted(index.history.readers) if _runs(index, owner)]
    if alive and stage in (stages.SKIPPED, stages.UNDELIVERED):
        return f"{alive[-1]} still runs and may turn back to it"
    silent = _unheard(index)
    return f"{silent} still runs and has not been heard of yet" if silent else ""


def its_own_effect(index: Index, name: str) -> bool:
    """Whether the record is itself the effect: what a producer under test has sent."""
    stored = index.story(name).stored
    return bool(stored) and {row.topic for row in stored} <= index.history.effect_topics


def own_output(index: Index, findings: Sequence[Finding]) -> str:
    """What to say where all of these were published by workers, to topics that nobody was handed
    anything of: outputs that are taken for inputs. "" for any others."""
    read = {row.topic for row in index.history.deliveries}
    rows = [row for f in findings for row in index.stories.attempts.get(f.id, ())]
    topics = sorted({row.topic for row in rows if row.topic in index.inputs})
    others = sorted(index.inputs - set(topics))
    by_workers = all("#" in row.owner for row in rows)
    if not (topics and others and by_workers) or read.intersection(topics):
        return ""
    return (
        f"a worker published them to {listed(topics)}, which nobody reads: if that is an output, "
        f"say so, chaos.flow(inputs={others!r}, outputs={topics!r}); if it shows the effects, "
        f"chaos.effects.from_topic({topics[0]!r})"
    )


def _nobody(index: Index, topic: str) -> str:
    """Why nobody was handed it, as far as is known."""
    readers = sorted(index.history.readers)
    if not readers:
        return "nobody who reads that was seen on a link"
    if before := _reading_before(index, topic):
        return (
            f"nobody was handed it: {readers[-1]} read {listed(before)} before anything was "
            f"published to {topic}; who subscribes to a pattern finds a topic that came later with "
            "its next look at the metadata (metadata.max.age.ms, minutes by default: set a second "
            "in the test), or else the name may not be right on both sides"
        )
    return (
        f"nobody was handed it: {readers[-1]} asked for messages, perhaps of another topic (is "
        "its name right on both sides?), and who begins at the end ('latest') never gets what was "
        "sent before"
    )


def _reading_before(index: Index, topic: str) -> list[str]:
    """The inputs that somebody was handed messages of before the first was sent to this one."""
    since = min((a.seq for a in index.history.attempts if a.topic == topic), default=0)
    rows = [d for d in index.history.deliveries if d.reached and d.topic in index.inputs]
    if any(row.topic == topic for row in rows):
        return []
    return sorted({row.topic for row in rows if row.seq < since})


def held_later(index: Index, story: Story, by: str | None = None) -> str:
    """Which destination that is not judged, to which it was passed on from hand to hand, holds it
    for a group that has not acked it there, as a sentence; "" for none. `by`: a group that alone
    counts, if it is one."""
    reading = readers(index)
    alone = by is not None and any(by in groups for groups in reading.values())
    for topic, partition, offset in _onward(index, story):
        for group in sorted(reading.get(topic, ())):
            if alone and group != by:
                continue
            acks = index.positions.acks.get((group, topic, partition))
            taken = [ack.offset for ack in acks.rows if ack.reached] if acks else []
            if max(taken, default=-1) <= offset:
                return f"{topic} holds it for group {group}"
    return ""


def _onward(index: Index, story: Story) -> list[tuple[str, int, int]]:
    """Where it stands in destinations that are not judged, put there by whoever was handed it."""
    rows, places = list(story.deliveries), []
    given = index.stories.deliveries.get(story.id, [])
    for sent in sorted(index.stories.attempts.get(story.id, ()), key=lambda a: a.seq):
        if arrived(sent) and any(sent_by_its_reader(sent, row) for row in rows):
            rows += [row for row in given if row.topic == sent.topic and row.seq > sent.seq]
            if sent.topic not in index.positions.handed:
                places.append((sent.topic, sent.partition, sent.offset))
    return places


def cut_short(index: Index, story: Story) -> bool:
    """Whether the last that was handed it ran on until the test stopped it: what it would have
    done later was not seen."""
    reached = [d.owner for d in story.deliveries if d.reached]
    events = [event.what for event in index.history.processes if event.who in reached[-1:]]
    return bool(events) and events[-1] == "stopped"


def at_work(index: Index) -> str:
    """A worker that still runs, by the name of its incarnation; "" for none."""
    last = {event.who: event.what for event in index.history.processes if "#" in event.who}
    return next((who for who, what in last.items() if what in RUNS), "")


def left(index: Index) -> str:
    """A worker that ended by itself, without an error that would have it started again, and how;
    "" for none."""
    last = {worker_of(event.who): event for event in index.history.processes}
    return next((f"{e.who} {e.cause}" for e in last.values() if e.what == "ended"), "")


def _overtaken(index: Index, story: Story) -> bool:
    """Whether a reader outside of any group was handed later messages of every partition that
    holds it."""
    highest: dict[tuple[str, int], int] = {}
    for delivery in index.history.deliveries:
        if delivery.reached and delivery.group is None and index.holds(delivery):
            place = delivery.topic, delivery.partition
            highest[place] = max(highest.get(place, -1), delivery.offset)
    return all(highest.get((s.topic, s.partition), -1) > s.offset for s in story.stored)


def _succeeded(index: Index, owner: str) -> bool:
    """Whether a later incarnation of this worker has asked for messages."""
    name, _, number = owner.partition("#")
    later = (reader.partition("#") for reader in index.history.readers)
    return any(base == name and int(n or 0) > int(number or 0) for base, _, n in later)


def _unheard(index: Index) -> str:
    """A worker that runs and has not used a link; "" for none."""
    heard = set(index.history.links.values())
    last = {event.who: event.what for event in index.history.processes if "#" in event.who}
    return next((who for who, what in last.items() if what in RUNS and who not in heard), "")


def _runs(index: Index, owner: str) -> bool:
    events = [event.what for event in index.history.processes if event.who == owner]
    return bool(events) and events[-1] in RUNS
