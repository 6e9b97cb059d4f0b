"""Lossless, idempotent, nothing unexpected, and no message both done and dead-lettered.

An effect is unexpected only if nobody can have attempted it: no frame, no record of any destination
read back, no delivery shows its id. A gap or a message without an id might be its cause: unknown.
So is one of a message that was taken back: its transaction was aborted, and somebody read it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from pytest_mqchaos.checkers.answer import answer
from pytest_mqchaos.checkers.doubts import SHOWN, Doubt, gap_touches
from pytest_mqchaos.checkers.evidence.moved_on import taken_out_again
from pytest_mqchaos.checkers.evidence.unmatched import attempted, unmatched
from pytest_mqchaos.checkers.evidence.whose import of_group
from pytest_mqchaos.checkers.idempotent import idempotent
from pytest_mqchaos.checkers.lossless import lossless
from pytest_mqchaos.checkers.verdict import Checker, Finding, Verdict, worst
from pytest_mqchaos.checkers.wording import listed, number
from pytest_mqchaos.frames import Message
from pytest_mqchaos.history.history import History
from pytest_mqchaos.history.index import Index, index_of
from pytest_mqchaos.history.rows import Attempt

_COMMITTED = "read committed messages only (isolation.level=read_committed)"


def exactly_once(
    *,
    parts: Iterable[str] | None = None,
    by: Iterable[str] | None = None,
    state: Mapping[str, object] | None = None,
    expected: Callable[[Message], object] | None = None,
) -> Checker:
    """Every message has its effect exactly once and nothing else has one. Options as in
    `lossless` and `idempotent`."""
    asked = (
        lossless(parts=parts, by=by),
        idempotent(state=state, expected=expected),
        _unexpected,
        _both,
    )

    def check(history: History) -> Verdict:
        verdicts = tuple(question(history) for question in asked)
        decides = worst(verdicts)
        total = len(index_of(history).owed)
        told = list(dict.fromkeys(v.sentence for v in verdicts if v.status == decides.status))
        passed = f"all {number(total, 'confirmed message')} took effect exactly once"
        return Verdict(
            question="exactly_once",
            status=decides.status,
            sentence=passed if decides.status == "passed" and total else "; ".join(told[:3]),
            population={k: n for verdict in verdicts for k, n in verdict.population.items()},
            findings=tuple(f for v in sorted(verdicts, key=_failed_first) for f in v.findings),
            missing="; ".join(dict.fromkeys(v.missing for v in verdicts if v.missing)),
            advice=next((v.advice for v in verdicts if v.advice), ""),
            limits=tuple(dict.fromkeys(limit for v in verdicts for limit in v.limits)),
            parts=verdicts,
        )

    return check


def _failed_first(verdict: Verdict) -> bool:
    return verdict.status != "failed"


def _unexpected(history: History) -> Verdict:
    index = index_of(history)
    aborted = _aborted(index)
    odd = ({e.id for e in index.effects} - attempted(index)) | aborted
    sure = {e.id for e in index.effects if not e.posthumous}
    failed = [_surprise(i, aborted) for i in sorted(odd)]
    doubts = unmatched(index) if odd - aborted else []
    if doubts:
        failed, why = [], ""
    elif odd and (not history.read_back or gap_touches(history) or index.nameless[0]):
        why = "no read-back" if not history.read_back else "not everything was seen or has an id"
    elif odd and not odd & sure:
        why = "recorded after a crash"
    else:
        why = ""
    if why:
        sentence = f"{number(len(odd), 'effect')} of messages nobody was seen to attempt ({why})"
        shown = tuple(failed[:SHOWN])
        missing = "let all be seen, identified and read back"
        doubts, failed = [Doubt(sentence=sentence, missing=missing, findings=shown)], []
    return answer(
        "nothing unexpected",
        index,
        population={"unexpected": len(odd)},
        size=1,
        passed="nothing unexpected took effect",
        failed=failed,
        sentence=_surprises(odd, aborted),
        doubts=doubts,
        advice=_COMMITTED if aborted else "",
    )


def _aborted(index: Index) -> set[str]:
    """Messages that took effect though their transaction was aborted, and that were handed out. Of
    one that retention or a leader change may have taken out of the log it is not known."""
    done = index.withdrawn & index.known_effects - index.accepted.keys()
    if not done:
        return done
    history = index.history
    gone = {a.id for a in index.attempts if a.id in done and not _still_told(history, a)}
    return done & {d.id for d in history.deliveries if d.reached and d.id is not None} - gone


def _still_told(history: History, attempt: Attempt) -> bool:
    """Whether the log still tells what became of this attempt."""
    place = (attempt.topic, attempt.partition)
    begins = history.starts.get(place, 0)
    return place not in history.led_anew and not 0 <= attempt.offset < begins


def _surprise(name: str, aborted: set[str]) -> Finding:
    if name in aborted:
        return Finding(id=name, what="withdrawn", text="its transaction was aborted")
    return Finding(id=name, what="unexpected", text="nobody attempted it")


def _surprises(odd: set[str], aborted: set[str]) -> str:
    told = []
    for names, what in (
        (odd - aborted, "messages that nobody attempted"),
        (aborted, "messages whose transaction was aborted"),
    ):
        if names:
            told.append(f"{number(len(names), 'effect')} of {what}: {listed(sorted(names))}")
    return "; ".join(told)


def _everywhere(index: Index, name: str) -> bool | None:
    """Whether everybody who should has done this message: then whoever sent the dead letter has
    both. None if whose effects they are cannot be told."""
    if index.subscribers != (None,):
        return all(name in index.done(by) for by in index.subscribers)
    each = [of_group(index, name, group) for group in index.positions.groups]
    if None in each:
        return None
    return all(any(not e.posthumous for e in rows or ()) for rows in each)


def _both(history: History) -> Verdict:
    index = index_of(history)
    dead = {s.id for s in history.stored if s.topic in history.flow.dead_letters}
    done = {e.id for e in index.effects if not e.posthumous}
    late = {e.id for e in index.effects} - done
    there = [name for name in done & dead if not taken_out_again(index, index.story(name))]
    whose = {name: _everywhere(index, name) for name in there}
    both = sorted(name for name, everywhere in whose.items() if everywhere)
    nobodys = sorted(name for name, everywhere in whose.items() if everywhere is None)
    failed = [Finding(id=i, what="both", text="has an effect and a dead letter") for i in both]
    doubts = []
    if late & dead:
        unsure = [Finding(id=i, what="posthumous") for i in sorted(late & dead)]
        doubts.append(
            Doubt(
                sentence=f"{number(len(unsure), 'dead letter')} with a posthumous effect",
                missing="run the worker as a process (process=True)",
                findings=tuple(unsure[:SHOWN]),
            )
        )
    if nobodys:
        doubts.append(
            Doubt(
                sentence=f"{number(len(nobodys), 'dead letter')} with an effect, by whichever of "
                f"several groups: {listed(nobodys)}",
                missing="record `by` with every effect",
            )
        )
    return answer(
        "not both done and dead",
        index,
        population={"both": len(both)},
        size=1,
        passed="no message both took effect and was dead-lettered",
        failed=failed,
        sentence=f"{number(len(both), 'message')} took effect and also lie in the dead letters: "
        f"{listed(both)}",
        doubts=doubts,
    )
