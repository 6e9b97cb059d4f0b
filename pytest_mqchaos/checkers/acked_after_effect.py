"""Was every ack that covers a message later than the message's effect?

    delivery --first later ack of its group that covers it--> ack.t   against   effect [from, to]
      to <= ack.t: in order     from > ack.t, or no effect at all: too early     else unknown

An ack that was sent counts, whether or not it arrived: the consumer said "done" too early. Of a
message with several parts the last decides. A confirmed publish of the same id to a retry or
dead-letter destination counts as the effect, and so does passing it on in other ways: back to the
input, or to where another group works on it. Whoever works on it there is asked in the same way,
though the topic has no role. What a worker did that was never handed the message came out of a
store (an outbox), which may have had it before the ack: unknown. An ack seen before an effect stays
proven in spite of a gap, unless an unseen hop may explain it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from pytest_mqchaos.checkers.advice.covered import covered_more
from pytest_mqchaos.checkers.answer import answer
from pytest_mqchaos.checkers.doubts import (
    SHOWN,
    Doubt,
    bypass_doubts,
    gap_touches,
    need_effects,
    standing_doubts,
)
from pytest_mqchaos.checkers.evidence import later_stages as later
from pytest_mqchaos.checkers.evidence import unordered as why
from pytest_mqchaos.checkers.evidence import which_record as which
from pytest_mqchaos.checkers.evidence.absent import absent
from pytest_mqchaos.checkers.evidence.done_when import early, spans
from pytest_mqchaos.checkers.evidence.moved_on import NEVER, Span, moves
from pytest_mqchaos.checkers.evidence.pending import pending_doubts
from pytest_mqchaos.checkers.evidence.sent_after import still_to_send
from pytest_mqchaos.checkers.evidence.set_aside import elsewhere
from pytest_mqchaos.checkers.evidence.unmatched import unmatched
from pytest_mqchaos.checkers.evidence.whose import of_group
from pytest_mqchaos.checkers.verdict import Checker, Finding, Verdict
from pytest_mqchaos.checkers.wording import lapse, number
from pytest_mqchaos.history.history import History
from pytest_mqchaos.history.index import Index, index_of
from pytest_mqchaos.history.rows import Ack, Delivery


class _Early(NamedTuple):
    """A message that was acked early on this topic, and by how much (0: it has no effect)."""

    finding: Finding
    late: int
    topic: str


@dataclass(slots=True)
class _Found:
    early: dict[str, _Early] = field(default_factory=dict)
    unsure: dict[str, tuple[Finding, why.Why]] = field(default_factory=dict)
    asked: set[str | None] = field(default_factory=set)
    pairs: int = 0
    left: dict[str, None] = field(default_factory=dict)  # sentences about what was not asked


def acked_after_effect() -> Checker:
    """Every ack that covers a delivered message comes after the message's effect."""

    def check(history: History) -> Verdict:
        need_effects(history, "acked_after_effect")
        index = index_of(history)
        found = _Found()
        for delivery in history.deliveries:
            for ack in index.positions.acks_for(delivery) if _asked(index, delivery) else ():
                if (left := later.left_out(index, delivery, ack)) is not None:
                    found.left |= dict.fromkeys(filter(None, [left]))
                    continue
                found.pairs += 1
                found.asked.add(delivery.id)
                _judge(index, delivery, ack, found)
        doubts = standing_doubts(index) + pending_doubts(index) + bypass_doubts(index)
        blind = [name for name, each in found.early.items() if not each.late]
        if blind and (unseen := unmatched(index) + absent(index)):
            doubts += unseen
            found.early = {n: each for n, each in found.early.items() if n not in blind}
        failed = [each.finding for each in found.early.values()]
        unsure = [each for name, each in found.unsure.items() if name not in found.early]
        if unsure:
            doubts.append(_doubt(unsure))
        return answer(
            "acked_after_effect",
            index,
            population={**index.funnel, "acks looked at": found.pairs, "acked early": len(failed)},
            size=found.pairs,
            passed=f"{number(found.pairs, 'acked delivery', 'acked deliveries')}, each acked after "
            "its effect",
            failed=failed,
            sentence=_sentence(failed, len(found.asked)),
            doubts=doubts,
            advice=_advice(index, found),
            nothing="no ack covers a delivered message",
            add="consume through the chaos address, and commit",
            limits=tuple(found.left),
        )  # fmt: skip

    return check


def _advice(index: Index, found: _Found) -> str:
    if not found.early:
        return ""
    first, late, topic = next(iter(found.early.values()))
    worst = max(each.late for each in found.early.values())
    put = elsewhere(index, index.story(first.id)) if not worst else ""
    more = covered_more(index, first.id) if topic in index.positions.handed else ""
    most = "" if worst == late else "up to "
    early = f"{';' if more else ':'} acked {most}{lapse(worst)} before the effect" if worst else ""
    # What an output topic shows may come long after the work that the ack speaks of.
    store = f"; or {why.STORED}" if worst and index.history.effect_topics else ""
    none = "" if worst else "; what is meant to have no effect: chaos.expect(ignored=[...])"
    return put or f"{more or 'ack after the work'}{early}{store}{none}"


def _asked(index: Index, delivery: Delivery) -> bool:
    return (
        delivery.reached
        and delivery.id is not None
        and (delivery.topic in index.positions.handed or later.may_be_one(index, delivery.topic))
        and delivery.id not in index.ambiguous
        and not _excused(index, delivery.id)
    )


def _excused(index: Index, name: str) -> bool:
    """Declared to have no effect. A declared dead letter is asked like any other if the consumer
    published it, or nobody did; if the broker did, there is nothing to compare."""
    history = index.history
    if name not in history.expected.dead_lettered:
        return name in history.expected.all()
    dead = history.flow.dead_letters
    if any(a.topic in dead for a in index.stories.attempts.get(name, ())):
        return False
    return (
        not dead
        or not history.read_back
        or any(row.topic in dead and row.id in (name, None) for row in history.stored)
    )


def _judge(index: Index, delivery: Delivery, ack: Ack, found: _Found) -> None:
    name = delivery.id or ""
    behind = later.behind(index, delivery)
    own = (later.own_effects if behind else of_group)(index, name, ack.group)
    effects = own or []
    hops, own_hops = _hops(index, delivery, ack)
    done = [*spans(effects), *own_hops]
    alive = [*spans(e for e in effects if not e.posthumous), *own_hops]
    at_no_risk = later.no_risk if behind else later.claimed
    lacks = behind and which.lacks_a_part(index, delivery, ack, effects, own_hops)
    if not lacks and at_no_risk(index, delivery, ack, effects, alive):
        return
    verdict = early(done, ack) if own is not None or early(own_hops, ack) is False else None
    if not lacks and verdict is False and early(alive, ack) is False:
        return
    mine = [(sender, span) for sender, span in hops if span in own_hops]
    several = lacks or (behind and which.may_be_anothers(index, delivery, ack, effects, mine))
    if several and not lacks and which.each_has_one(index, delivery, ack, effects, own_hops):
        return
    # A hop of another group's worker may have been on behalf of this one: no pass, and no failure.
    theirs = early([*alive, *(span for _, span in hops)], ack) is not True
    other = why.which(index, ack) if several else why.THEIRS if theirs else None
    doubt = why.in_the_way(index, name, effects, ack) or other
    proven = verdict is True and early(alive, ack) is True and not doubt
    if proven and not _hidden_move(index, name):
        late = min((span.low for span in done), default=NEVER) - ack.t
        _acked_early(index, name, ack, late if done else None, found)
        return
    reason = why.whose(index, ack)
    if own is not None:
        reason = why.unordered(index, name, effects, own_hops, ack)
    if own is not None and verdict is not None:
        reason = why.POSTHUMOUS if any(e.posthumous for e in effects) else doubt or why.UNSEEN
    text = f"{name!r} acked by {ack.owner} (commit {ack.offset}): {reason.said}"
    finding = Finding(id=name, what="not known", text=text, by=ack.group)
    found.unsure.setdefault(name, (finding, reason))


def _hops(index: Index, delivery: Delivery, ack: Ack) -> tuple[list[tuple[str, Span]], list[Span]]:
    """All moves onward, and those of this group; where it had more to send after the ack, that."""
    hops = moves(index, delivery)
    own = later.own_moves(index, hops, ack.group)
    rest = still_to_send(index, delivery, ack) if early(own, ack) is False else []
    if not rest:
        return hops, own
    return [hop for hop in hops if hop[1] not in own] + [(ack.owner, span) for span in rest], rest


def _hidden_move(index: Index, name: str) -> bool:
    """Whether the message may have moved on by a publish that nobody saw, or have an effect that
    does not say whose it is."""
    history = index.history
    if history.nameless_effects:
        return True
    aside = history.flow.retries | history.flow.dead_letters
    if any(a.topic in aside for a in index.stories.attempts.get(name, ())):
        return False
    if any(s.topic in aside for s in index.stories.stored.get(name, ())):
        return True
    return gap_touches(history) and not history.read_back and bool(aside)


def _acked_early(index: Index, name: str, ack: Ack, late: int | None, found: _Found) -> None:
    """Keep of each message the ack that was the earliest. `late` is None without any effect."""
    known = late or 0
    if name in found.early and found.early[name].late >= known:
        return
    of = "" if ack.topic in index.positions.handed else f" of {ack.topic}"
    lost = "" if ack.reached else ", an ack that was lost"
    said = f"{name!r} acked by {ack.owner} (commit {ack.offset}{of}{lost})"
    text = (
        f"{said}, it has no effect" if late is None else f"{said} {lapse(late)} before its effect"
    )
    finding = Finding(id=name, what="acked early", text=text, by=ack.group)
    found.early[name] = _Early(finding, known, ack.topic)


def _doubt(unsure: list[tuple[Finding, why.Why]]) -> Doubt:
    first, reason = unsure[0]
    return Doubt(
        sentence=f"{number(len(unsure), 'message')} whose effect and ack have no proven order: "
        f"{first.text}",
        missing=reason.missing,
        findings=tuple(finding for finding, _ in unsure[:SHOWN]),
    )


def _sentence(failed: list[Finding], total: int) -> str:
    if not failed:
        return ""
    return f"{len(failed)} of {number(total, 'message')} acked before the effect: {failed[0].text}"
