"""Stages behind the inputs: topics without a role, to which messages were passed on.

    in --> one --> mid --> two --> effect       the acks of `two` on mid are asked, too

Asked is a group that works: it has effects, or passes messages on itself. Who merely looks (an
audit) has nothing to ack after. A message is at nobody's risk while its worker holds it elsewhere:
handed out on another topic, and not acked there. Whose an effect is, is never guessed.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from pytest_mqchaos.checkers.evidence.done_when import early, spans
from pytest_mqchaos.checkers.evidence.moved_on import (
    NEVER,
    Span,
    arrived,
    moves,
    readers,
    sent_by_its_reader,
)
from pytest_mqchaos.checkers.evidence.whose import groups_of
from pytest_mqchaos.history.index import Index
from pytest_mqchaos.history.rows import PUBLISHER, TEST, Ack, Delivery, Effect, worker_of


def may_be_one(index: Index, topic: str) -> bool:
    """Whether a later stage may read this topic: no dead letters, nor what shows the effects."""
    return topic not in index.history.flow.dead_letters | index.history.effect_topics


def behind(index: Index, delivery: Delivery) -> bool:
    """Whether this is one of a topic that is neither an input nor a retry destination."""
    return delivery.topic not in index.positions.handed


def left_out(index: Index, delivery: Delivery, ack: Ack) -> str | None:
    """Why this ack is not asked, as a sentence ("" where nothing is left open); None if it is."""
    name, group = delivery.id or "", ack.group
    if not behind(index, delivery):
        return None
    if not works(index, group):
        return ""
    if not passed_on(index, delivery):
        known = name in index.first and works_surely(index, group)
        said = f"acks of {group} on {delivery.topic} are not asked: nobody was seen to pass"
        return f"{said} messages on to it" if known else ""
    others = name in index.stories.effects and own_effects(index, name, group) == []
    if others and not own_moves(index, moves(index, delivery), group):
        said = f"what {group} acked of {delivery.topic} and had no effect of, while others did"
        return f"{said}, is not asked"
    return None


def no_risk(
    index: Index, delivery: Delivery, ack: Ack, own: Sequence[Effect], done: Sequence[Span]
) -> bool:
    """Whether the ack is in order whoever did the message: it had all been done, or its worker held
    it elsewhere until it was (`done`)."""
    rows = [row for row in index.stories.effects.get(delivery.id or "", ()) if not row.posthumous]
    each = {row.by: [other for other in rows if other.by == row.by] for row in rows}
    if rows and all(early(spans(those), ack) is False for those in each.values()):
        return True
    return held(index, delivery, ack, own, min((span.low for span in done), default=NEVER))


def own_moves(index: Index, hops: Sequence[tuple[str, Span]], group: str) -> list[Span]:
    """Those that a worker of this group sent, or one that never acked."""
    return [span for sender, span in hops if group in (groups_of(index, sender) or {group})]


def works(index: Index, group: str) -> bool:
    """Whether this group does effects, for all that is known, or passes messages on."""
    return group in _workers(index)


def works_surely(index: Index, group: str) -> bool:
    """Whether that is certain."""
    return _workers(index).get(group, False)


def own_effects(index: Index, name: str, group: str) -> list[Effect] | None:
    """Effects of a message that are this group's, or its worker's who also serves others; None =
    they are anybody's, or there are none and perhaps none of any message is its own."""
    rows = index.stories.effects.get(name, [])
    own = [row for row in rows if group in _doers(index, row)]
    if any(_anybodys(index, row) for row in own) or not (rows or works_surely(index, group)):
        return None
    return own


def held(index: Index, delivery: Delivery, ack: Ack, own: Sequence[Effect], until: int) -> bool:
    """Whether whoever did it (or this reader) had been handed the message on an input before this
    ack, or its group elsewhere or in a copy, and did not ack that before `until`."""
    workers = {worker_of(delivery.owner), *(worker_of(row.owner) for row in own)}
    for row in index.stories.deliveries.get(delivery.id or "", ()):
        if not row.reached or row.seq > ack.seq or not _beside(delivery, row):
            continue
        # Another group of the same process may have been given another part of the work.
        mine = worker_of(row.owner) in workers and not behind(index, row)
        if row.group == ack.group or mine:
            acks = index.positions.acks_for(row)
            if not acks or any(other.t >= until for other in acks):
                return True
    return False


def claimed(
    index: Index, delivery: Delivery, ack: Ack, own: Sequence[Effect], done: Sequence[Span]
) -> bool:
    """Whether another worker of the group did it, for a copy of it on the same topic that it was
    handed before this ack and did not ack before: a claim, that this reader saw."""
    doers = {worker_of(row.owner) for row in own}
    if not own or worker_of(delivery.owner) in doers:
        return False
    until = min((span.low for span in done), default=NEVER)
    copies = [
        row for row in index.stories.deliveries.get(delivery.id or "", ())
        if row.reached and row.seq < ack.seq and row.group == ack.group
        and row.topic == delivery.topic and _beside(delivery, row)
    ]  # fmt: skip
    unacked = {
        worker_of(row.owner)
        for row in copies
        if all(other.t >= until for other in index.positions.acks_for(row))
    }
    return doers <= unacked


def _beside(delivery: Delivery, row: Delivery) -> bool:
    """Whether this is the message on another topic, or another copy of it on this one."""
    if row.topic != delivery.topic:
        return True
    here, there = (delivery.partition, delivery.offset), (row.partition, row.offset)
    return here != there and row.content == delivery.content


def passed_on(index: Index, delivery: Delivery) -> bool:
    """Whether a worker put it where this delivery is from, once it was handed out as an input."""
    name = delivery.id or ""
    rows = [row for row in index.stories.deliveries.get(name, ()) if row.reached]
    given = [row.seq for row in rows if not behind(index, row)]
    return any(
        (sent.topic, sent.partition) == (delivery.topic, delivery.partition)
        and sent.offset in (-1, delivery.offset)
        and arrived(sent)
        and min(given, default=sent.seq) < sent.seq < delivery.seq
        and (
            sent.owner not in (PUBLISHER, TEST)
            or any(sent_by_its_reader(sent, row) for row in rows)
        )
        for sent in index.stories.attempts.get(name, ())
    )


def _workers(index: Index) -> dict[str, bool]:
    """Groups that work, and whether that is certain."""
    derived = index.history.derived
    if "working groups" not in derived:
        found: dict[str, bool] = {}
        seen = {(row.by, worker_of(row.owner)): row for row in index.effects}
        for effect in seen.values():
            sure = not _anybodys(index, effect)
            for group in _doers(index, effect):
                found[group] = found.get(group, False) or sure
        found |= dict.fromkeys(_passing_on(index), True)
        derived["working groups"] = found
    return cast("dict[str, bool]", derived["working groups"])


def _passing_on(index: Index) -> set[str]:
    """Groups whose members published what they were handed to where somebody reads."""
    found: set[str] = set()
    read = readers(index)
    for name, sent in index.stories.attempts.items():
        onward = [row for row in sent if row.topic in read]
        for row in index.stories.deliveries.get(name, ()) if onward else ():
            if row.group is not None and any(
                row.topic != a.topic and sent_by_its_reader(a, row) for a in onward
            ):
                found.add(row.group)
    return found


def _acking(index: Index) -> set[str]:
    return {group for group, _, _ in index.positions.acks}


def _doers(index: Index, effect: Effect) -> set[str]:
    """The groups that one of which did this."""
    groups = _acking(index)
    if effect.by in groups:
        return {effect.by}
    return groups_of(index, effect.owner) or groups


def _anybodys(index: Index, effect: Effect) -> bool:
    """Whether nothing tells who did this."""
    groups = _acking(index)
    return effect.by not in groups and not groups_of(index, effect.owner) and len(groups) > 1
