"""Are exactly the declared messages in the dead letters, and was each acked only after?

Read from the log, so a healthy message there, a copy and a missing one stay proven in spite of a
gap; one that waits or is in somebody's hands is not missing yet. The ack is compared with the
confirm of the dead-letter publish; where nobody published (the broker itself dead-letters) there
is nothing to compare.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Literal

from pytest_mqchaos.checkers.advice.unheeded import unheeded
from pytest_mqchaos.checkers.answer import answer
from pytest_mqchaos.checkers.doubts import SHOWN, Doubt, standing_doubts
from pytest_mqchaos.checkers.evidence import later_stages as later
from pytest_mqchaos.checkers.evidence import where as stages
from pytest_mqchaos.checkers.evidence.moved_on import NEVER, moves, sent_by_its_reader
from pytest_mqchaos.checkers.evidence.set_aside import elsewhere
from pytest_mqchaos.checkers.evidence.still_open import still_open
from pytest_mqchaos.checkers.evidence.whose import groups_of
from pytest_mqchaos.checkers.verdict import Checker, Finding, Verdict
from pytest_mqchaos.checkers.wording import lapse, listed, number
from pytest_mqchaos.errors import UsageError, unknown
from pytest_mqchaos.history.history import History
from pytest_mqchaos.history.identity import as_id
from pytest_mqchaos.history.index import Index, index_of
from pytest_mqchaos.history.rows import Delivery
from pytest_mqchaos.history.story import Story

_NAMELESS = "a dead letter without an id may be it"


def dead_lettered(
    *, ids: Iterable[str] | None = None, copies: Literal["forbidden", "allowed"] = "forbidden"
) -> Checker:
    """Exactly these ids (default: those of `chaos.expect(dead_lettered=...)`) are dead letters.

    `copies="allowed"`: at least once is enough.
    """
    if copies not in ("forbidden", "allowed"):
        raise unknown("copies", copies, ("forbidden", "allowed"))
    if isinstance(ids, str):
        raise UsageError(f"dead_lettered(ids={ids!r}): give a collection of ids, e.g. [{ids!r}].")
    given = None if ids is None else frozenset(map(as_id, ids))

    def check(history: History) -> Verdict:
        if not history.flow.dead_letters:
            raise UsageError(
                "dead_lettered: no destination is declared as dead letters. Say "
                "chaos.flow(dead_letters=[...])."
            )
        index = index_of(history)
        wanted = history.expected.dead_lettered if given is None else given
        rows = [s for s in history.stored if s.topic in history.flow.dead_letters]
        held = Counter(s.id for s in rows if s.id is not None)
        gone, strange = sorted(wanted - held.keys()), sorted(held.keys() - wanted)
        nameless = sum(1 for s in rows if s.id is None)
        coming = {i: why for i in gone if (why := _may_come(index, i) or _may_be(nameless))}
        failed = [_finding(i, "missing", "is not in the dead letters") for i in gone
                  if i not in coming]  # fmt: skip
        failed += [_finding(i, "healthy", "is a dead letter, undeclared") for i in strange]
        if copies == "forbidden":
            failed += [_finding(i, "copies", f"is there {n}x") for i, n in held.items() if n > 1]
        failed += _early(index, wanted & held.keys())
        doubts = standing_doubts(index) + _unread(history, nameless)
        doubts += _waiting({i: why for i, why in coming.items() if why != _NAMELESS})
        if not history.read_back:
            failed = []
        looked_at = len(wanted | held.keys()) or len(index.owed)
        return answer(
            "dead_lettered",
            index,
            population={**index.funnel, "declared": len(wanted)},
            size=looked_at,
            passed=f"exactly {number(len(wanted), 'declared message')} in the dead letters",
            failed=failed,
            sentence=f"{number(len({f.id for f in failed}), 'message')} wrong in the dead letters: "
            + listed(f.text for f in failed),
            doubts=doubts,
            advice=_advice(index, failed),
        )

    return check


def _advice(index: Index, failed: list[Finding]) -> str:
    """About the first of them: the missing stand in front."""
    if not failed:
        return ""
    first = failed[0]
    if first.what == "healthy":
        return (
            "set a message aside only after the last of its tries (count them where a restart does "
            "not forget them); what is meant to be a dead letter is declared: "
            f"chaos.expect(dead_lettered=[{first.id!r}])"
        )
    story = index.story(first.id)
    put = (unheeded(index, story) or elsewhere(index, story)) if first.what == "missing" else ""
    return put or "publish the dead letter, wait for its confirm, then ack"


def _finding(name: str, what: str, text: str) -> Finding:
    return Finding(id=name, what=what, text=f"{name!r} {text}")


def _may_come(index: Index, name: str) -> str:
    """Why the dead letter of this message may still come; "" when it cannot."""
    story = index.story(name)
    if story.effects:
        return ""
    if story.waiting:
        return f"held for {stages.holder(story.waiting[0])}"
    return still_open(index, story, stages.where(index, story))


def _may_be(nameless: int) -> str:
    """An envelope without the id (the error beside, the message inside) may be this one's."""
    return _NAMELESS if nameless else ""


def _waiting(coming: dict[str, str]) -> list[Doubt]:
    if not coming:
        return []
    return [
        Doubt(
            sentence=f"{number(len(coming), 'message')} not in the dead letters, which may still "
            f"come: {next(iter(coming.values()))}",
            missing="let the worker finish: chaos.settle(timeout=...), and ask after its block",
            findings=tuple(
                Finding(id=i, what="waiting", text=why) for i, why in list(coming.items())[:SHOWN]
            ),
        )
    ]


def _unread(history: History, nameless: int) -> list[Doubt]:
    doubts = []
    if not history.read_back:
        doubts.append(
            Doubt(
                sentence="the dead letters were not read back",
                missing="let the log be read back",
            )
        )
    if nameless:
        doubts.append(
            Doubt(
                sentence=f"{number(nameless, 'dead letter')} without an id",
                missing="keep the id on the way, or give that destination its own id=",
            )
        )
    return doubts


def _early(index: Index, ids: Iterable[str]) -> list[Finding]:
    """Messages that were acked before their dead letter (or the hop to it by way of a retry
    destination) was confirmed, or ever sent."""
    found = []
    for name in sorted(ids):
        story = index.story(name)
        if not story.dead_attempts:
            continue
        first: dict[str, Delivery] = {}
        for delivery in story.deliveries:
            if delivery.reached:
                first.setdefault(delivery.topic, delivery)
        for delivery in first.values():
            acks = _acks_of_its_sender(index, story, delivery.topic)
            spans = [span for _, span in moves(index, delivery)]
            told = [span.high for span in spans if span.high != NEVER]
            # Without a confirm in sight only an ack before the very sending is proven too early.
            done = min(told or [span.low for span in spans], default=0)
            if acks and max(acks) < done:
                what = "its confirm" if told else "it was sent there"
                late = lapse(done - max(acks))
                found.append(_finding(name, "acked early", f"was acked {late} before {what}"))
                break
        else:
            found += _early_behind(index, story)
    return found


def _early_behind(index: Index, story: Story) -> list[Finding]:
    """The same of a later stage, on a topic without a role: it was handed one record of it there,
    and sent it nowhere else before that ack."""
    sent = story.dead_attempts[0]
    rows = index.stories.deliveries[story.id]
    for delivery in rows:
        there = {(d.partition, d.offset) for d in rows if d.topic == delivery.topic}
        asked = later.behind(index, delivery) and later.may_be_one(index, delivery.topic)
        if not asked or len(there) > 1 or not sent_by_its_reader(sent, delivery):
            continue
        for ack in index.positions.acks_for(delivery):
            before = [
                a for a in index.stories.attempts[story.id]
                if sent_by_its_reader(a, delivery) and a.t <= ack.t
            ]  # fmt: skip
            told = sent.outcome == "confirmed"
            done = sent.end_t if told else sent.t
            only = not before or set(before) <= {sent}
            if not only or ack.t >= done or later.held(index, delivery, ack, (), done):
                continue
            if ack.group in groups_of(index, sent.owner):
                what = (
                    f"its confirm, by {ack.group} on {ack.topic}" if told else "it was sent there"
                )
                late = lapse(done - ack.t)
                return [_finding(story.id, "acked early", f"was acked {late} before {what}")]
    return []


def _acks_of_its_sender(index: Index, story: Story, topic: str) -> list[int]:
    """When each group that may have sent the dead letter first acked the message there. A group
    that only reads beside it acks when it likes; who cannot be told apart must all have been early.
    """
    own = set().union(*(groups_of(index, a.owner) for a in story.dead_attempts))
    first: dict[str, int] = {}
    for ack in story.acks:
        if ack.topic == topic:
            first[ack.group] = min(ack.t, first.get(ack.group, ack.t))
    return [t for group, t in first.items() if group in own] or list(first.values())
