"""One message's way as moments: when, who, what - still data, no layout.

It knows the rows of a history and says each in the field's words; it judges nothing. A moment
without a `t` is something that is known without an instant (what was read back, what is missing).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import NamedTuple

from pytest_mqchaos.history.history import History
from pytest_mqchaos.history.index import index_of
from pytest_mqchaos.history.rows import Ack, Attempt, Delivery, Effect, RuleEvent, worker_of
from pytest_mqchaos.history.story import Story
from pytest_mqchaos.report.context import Context
from pytest_mqchaos.report.layout import ordinal
from pytest_mqchaos.report.redact import Redactor

PLAIN, FAULT, CRASH, LOG, ABSENT = "│", "┿", "■", "┊", "└"

CLOSE = 1_000_000  # ns between trigger and effect that are told as one

_FATAL = frozenset({"crashed", "killed"})


class Moment(NamedTuple):
    """One line of a timeline: `t` in ns (None: no instant), `order` among equal `t`."""

    t: int | None
    order: int
    mark: str
    who: str
    text: str


class Firing(NamedTuple):
    """A rule that took effect, and its trigger (None if that was not seen)."""

    trigger: RuleEvent | None
    effect: RuleEvent


def of_message(history: History, story: Story, context: Context) -> list[Moment]:
    """Everything that happened to one message, in order."""
    redact = Redactor.of(context)
    found = [
        *_attempts(story.attempts, context),
        *_deliveries(story.deliveries),
        *(
            Moment(each.t, 0, PLAIN, each.owner or "", "handler starts")
            for each in history.handled
            if each.id == story.id
        ),
        *(_ack(ack, context) for ack in story.acks),
        *_elsewhere(history, story, context),
        *_effects(story.effects, redact),
        *_dead(story, context),
    ]
    return sorted(found, key=_when) + list(_afterwards(history, story))


def around(history: History, first: int, owners: frozenset[str]) -> list[Moment]:
    """Faults that took effect, and what became of brokers and of these owners, from `first` on.
    An owner is known by its name without the incarnation, so its restarts belong to it."""
    names = {worker_of(owner) for owner in owners}
    clients = {worker_of(attempt.owner) for attempt in history.attempts}
    clients |= {worker_of(delivery.owner) for delivery in history.deliveries}
    faults = [moment for firing in firings(history) for moment in _firing(firing)]
    processes = [
        Moment(
            event.t,
            0,
            CRASH if event.what in _FATAL else PLAIN,
            event.who,
            f"{event.what}: {event.cause}" if event.cause else event.what,
        )
        for event in history.processes
        if event.t >= first and event.what != "stopped"
        if (worker_of(event.who) in names or worker_of(event.who) not in clients)
    ]
    return faults + processes


def firings(history: History) -> list[Firing]:
    """Each time that a rule took effect, with the trigger that led to it."""
    found: list[Firing] = []
    triggers: dict[int, RuleEvent] = {}
    for event in sorted(history.rule_events, key=lambda event: event.seq):
        if event.what == "triggered":
            triggers[event.rule] = event
        elif event.what == "took effect":
            found.append(Firing(triggers.get(event.rule), event))
    return found


def base(history: History) -> tuple[int, str] | None:
    """The instant from which a report counts: the trigger of the first fault that took effect."""
    instants = [((each.trigger or each.effect).t, each.effect.rule) for each in firings(history)]
    if not instants:
        return None
    t, rule = min(instants)
    return t, f"rule {rule + 1}"


def _firing(firing: Firing) -> Iterator[Moment]:
    """One line if trigger and effect are close, else one each: a kill takes its time."""
    trigger, effect = firing
    who = f"rule {effect.rule + 1}"
    by = f" on {trigger.note}" if trigger is not None and trigger.note else ""
    note = f": {effect.note}" if effect.note else ""
    if trigger is None or effect.t - trigger.t < CLOSE:
        t = effect.t if trigger is None else trigger.t
        yield Moment(t, effect.seq, FAULT, who, f"took effect{by}{note}")
        return
    yield Moment(trigger.t, trigger.seq, FAULT, who, f"triggered{by}")
    yield Moment(effect.t, effect.seq, FAULT, who, f"took effect{note}")


def _when(moment: Moment) -> tuple[int, int]:
    return (moment.t if moment.t is not None else 1 << 63, moment.order)


def _attempts(rows: tuple[Attempt, ...], context: Context) -> Iterator[Moment]:
    sent: Counter[str] = Counter()
    for row in rows:
        sent[row.topic] += 1
        number = sent[row.topic]
        text = f"publish, {ordinal(number)} attempt, to {row.topic}-{row.partition}"
        yield from _attempt(row, text, "", context)


def _attempt(row: Attempt, text: str, what: str, context: Context) -> Iterator[Moment]:
    """How one publish began and how it ended: two instants, so two rows. `what` ended, if that
    does not go without saying."""
    if not row.reached:
        text += ": never reached the broker"
    elif row.acks == 0:
        text += " (acks=0: nobody confirms it)"
    elif row.outcome == "unknown":
        stored = f", though stored @{row.offset}" if row.offset >= 0 else ""
        text += f": no answer came back{stored}"
    yield Moment(row.t, row.seq, PLAIN, row.owner, text)
    if row.outcome == "confirmed":
        where = f", stored @{row.offset}" if row.offset >= 0 else ""
        yield Moment(row.end_t, row.end_seq, PLAIN, row.owner, f"{what}confirmed{where}")
    elif row.outcome == "refused":
        stored = f", though stored @{row.offset}" if row.offset >= 0 else ""
        text = f"{what}refused with {context.error(row.error)}{stored}"
        yield Moment(row.end_t, row.end_seq, PLAIN, row.owner, text)


def _deliveries(rows: tuple[Delivery, ...]) -> Iterator[Moment]:
    reached: Counter[str | None] = Counter()
    for row in rows:
        reached[row.group] += row.reached
        count = reached[row.group]
        again = f", {ordinal(count)} time" if row.reached and count > 1 else ""
        to = f" to {row.group}" if row.group else ""
        held = "" if row.reached else ": held back, never reached it"
        text = f"delivered {row.topic}-{row.partition}@{row.offset}{to}{again}{held}"
        yield Moment(row.t, row.seq, PLAIN, row.owner, text)


def _ack(row: Ack, context: Context) -> Moment:
    told = {
        "confirmed": "the broker took it",
        "refused": f"refused with {context.error(row.error)}",
        "unknown": "no answer seen" if row.reached else "never reached the broker",
    }[row.outcome]
    if row.outcome == "unknown" and row.error:
        told += f", was told {context.error(row.error)}"
    text = f"ack up to {row.topic}-{row.partition}@{row.offset - 1} for {row.group}: {told}"
    return Moment(row.t, row.seq, PLAIN, row.owner, text)


def _effects(rows: tuple[Effect, ...], redact: Redactor) -> Iterator[Moment]:
    counts: Counter[tuple[str | None, str | None]] = Counter()
    for row in rows:
        what = row.part or row.source
        counts[what, row.by] += 1
        count = counts[what, row.by]
        words = [f"EFFECT, {ordinal(count)} time" if count > 1 else "effect"]
        words += [f"part {row.part}"] if row.part is not None else []
        words += [f"in {row.source}"] if row.source is not None else []
        words += [f"by {row.by}"] if row.by is not None else []
        words += [f"value {redact.value(row.value, length=40)}"] if row.value is not None else []
        words += ["posthumous"] if row.posthumous else []
        words += ["gone at the end"] if row.gone else []
        timed = row.t_to != 0
        if timed and row.t_from != row.t_to:
            words.append(f"somewhere in the {(row.t_to - row.t_from) / 1e6:.1f} ms before this")
        order = row.order if row.order is not None else 0
        yield Moment(row.t_to if timed else None, order, PLAIN, row.owner or "", ", ".join(words))


def _elsewhere(history: History, story: Story, context: Context) -> Iterator[Moment]:
    """Its way through what is not judged: the steps of a pipeline, and an output topic in which
    nothing came of it."""
    index, flow = index_of(history), history.flow
    told = index.positions.handed | flow.dead_letters
    told = told | history.effect_topics if story.effects else told
    for row in index.stories.attempts.get(story.id, ()):
        if row.topic not in told:
            text = f"publish to {row.topic}-{row.partition}"
            yield from _attempt(row, text, f"{row.topic}: ", context)
    handed = tuple(d for d in index.stories.deliveries.get(story.id, ()) if d.topic not in told)
    yield from _deliveries(handed)
    acks = {ack for d in handed if d.reached for ack in index.positions.acks_for(d)}
    for ack in acks:
        yield _ack(ack, context)


def _dead(story: Story, context: Context) -> Iterator[Moment]:
    for row in story.dead_attempts:
        text = f"dead letter, publish to {row.topic}-{row.partition}"
        yield from _attempt(row, text, "dead letter ", context)
    if not story.dead_attempts:
        for parked in story.dead:
            text = f"parked at {parked.topic}-{parked.partition}@{parked.offset}"
            yield Moment(None, 0, PLAIN, "", text)


def _afterwards(history: History, story: Story) -> Iterator[Moment]:
    """What is known at the end, without an instant."""
    for topic in dict.fromkeys(row.topic for row in story.stored):
        rows = [row for row in story.stored if row.topic == topic]
        if len(rows) > 1:  # in another topic it is no copy, but was passed on
            copies = ", ".join(f"{topic}-{row.partition}@{row.offset}" for row in rows)
            yield Moment(None, 0, PLAIN, "", f"the log holds {len(rows)} copies: {copies}")
    if not story.stored and history.read_back and any(row.reached for row in story.attempts):
        yield Moment(None, 0, ABSENT, "", "the log does not hold it")
    for place in story.waiting:
        here = f"{place.topic}-{place.partition}"
        text = f"{place.group} stands at @{place.committed} of {here}: still to be read"
        if place.committed < 0:  # where it begins is its reset policy's to say
            text = f"{place.group} has no position on {here}"
        yield Moment(None, 0, ABSENT, "", text)
    if history.effects is not None and not story.effects:
        yield Moment(None, 0, ABSENT, "", "no effect")


def known_ids(history: History) -> frozenset[str]:
    """Ids that any row mentions."""
    stories = index_of(history).stories
    return frozenset().union(stories.attempts, stories.stored, stories.deliveries, stories.effects)
