"""How a checker comes from findings and doubts to a verdict: the rules that all questions share.

    findings (proven) --> failed      doubts --> unknown      nothing looked at --> unknown

A proven failure outranks a doubt; a doubt outranks a pass; a population of 0 is a doubt unless no
fault was armed, or only drawn ones (optional) and nothing should have been in it: nothing was
published, or a fault took effect and nothing was confirmed. What each checker may call proven in
spite of a gap is said in its own module.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pytest_mqchaos.checkers import bypassed, drained
from pytest_mqchaos.checkers.doubts import SHOWN, Doubt
from pytest_mqchaos.checkers.verdict import Finding, Verdict
from pytest_mqchaos.checkers.wording import listed, number
from pytest_mqchaos.history.history import History
from pytest_mqchaos.history.index import Index
from pytest_mqchaos.history.rows import PUBLISHER


def not_covered(index: Index) -> tuple[str, ...]:
    """What a pass does not cover: what passed the links by, what only a restart brought forward,
    the run's own limits, what faults did not lead to."""
    history = index.history
    unfired = [
        f"{rule.source} had no effect" + (f": {'; '.join(rule.reasons)}" if rule.reasons else "")
        for rule in history.rules
        if not rule.fired
    ]
    said = filter(
        None,
        (
            bypassed.unseen(index),
            _never_confirmed(index),
            drained.late(index),
            _not_looked_for(history),
            _done_all_the_same(index),
        ),
    )
    return (*said, *history.limits, *unfired)


def _never_confirmed(index: Index) -> str:
    rows = [row for row in index.history.unconfirmed if row.id not in index.owed]
    if not rows:
        return ""
    names = dict.fromkeys(row.id or "one without an id of its own" for row in rows)
    verb = "was" if len(rows) == 1 else "were"
    return (
        f"{number(len(rows), 'message')} that the test published {verb} never confirmed to it, so "
        f"no effect is owed: {listed(names)} ({rows[0].error})"
    )


def _done_all_the_same(index: Index) -> str:
    said = index.history.expected  # a dead letter may be put back: that is dead_lettered's to ask
    done = index.known_effects & (said.expired | said.dropped | said.ignored)
    if not done:
        return ""
    return f"{listed(sorted(done))} took effect, though chaos.expect names what may have none"


def _not_looked_for(history: History) -> str:
    dead = history.expected.dead_lettered
    if not dead or history.flow.dead_letters:
        return ""
    return (
        f"whether {listed(sorted(dead))} came to the dead letters: chaos.flow(dead_letters=[...]) "
        "names none"
    )


def _slip(index: Index) -> tuple[str, str] | None:
    """What the test itself published and why it is not judged, and what to say; if nothing else is
    there to be judged: a misspelt name in chaos.flow, a function that forgot to return the id, a
    message that no broker takes."""
    history, inputs = index.history, index.history.flow.inputs
    if history.unconfirmed and not index.owed and not any(rule.fired for rule in history.rules):
        error = history.unconfirmed[0].error
        why = (
            "no judged message that the test published was confirmed to it, though no fault was in "
            f"the way: {error}"
        )
        return why, "look at what chaos.publish gives: a receipt for each message"
    if not inputs or index.first or index.stored_ids or PUBLISHER not in history.links.values():
        return None
    if history.disowned:
        why = "`id=` calls every message that the test published somebody else's: it gave None"
        return why, "let the function of id= return the id"
    aside = sorted({row.topic for row in history.attempts if row.owner == PUBLISHER} - inputs)
    if not aside:
        return None
    why = f"the test published to {listed(aside)}, which is no judged destination"
    return why, f"chaos.flow(inputs={aside!r}); now: {sorted(inputs)!r}"


def expected(index: Index) -> set[str]:
    """Messages that something should have come of: all that were published; if a fault took effect
    those of which a producer was told that they are safe."""
    if any(rule.fired for rule in index.history.rules):
        return index.owed
    return index.first.keys() | index.stored_ids


def _of_nothing(
    index: Index, nothing: str, add: str, possible: int | None, *, doubted: bool
) -> list[Doubt]:
    """The doubt about a question that had nothing to look at, unless there is a good reason."""
    history = index.history
    outputs_only = sorted(history.flow.outputs) if not history.flow.inputs else []
    unseen, slip = bypassed.unseen(index), _slip(index)
    drawn = all(rule.optional for rule in history.rules)
    if possible is None:
        possible = len(expected(index))
    excused = not history.rules or (drawn and not possible)
    if excused and not (doubted or outputs_only or unseen or slip):
        return []
    nothing, add = slip or (nothing, add)
    if outputs_only:
        add = f"say chaos.flow(inputs={outputs_only!r}) if what is sent there is to be judged"
    why = f"nothing to judge: {nothing}" + (f"; {unseen}" if unseen and not doubted else "")
    return [Doubt(sentence=why, missing=add)]


def answer(  # noqa: PLR0913 - one keyword per part of a verdict
    question: str,
    index: Index,
    *,
    population: Mapping[str, int],
    size: int,
    passed: str,
    failed: Sequence[Finding] = (),
    sentence: str = "",
    doubts: Sequence[Doubt] = (),
    advice: str = "",
    nothing: str = "no confirmed message on a judged destination",
    add: str = "publish something, or say chaos.flow(inputs=[...])",
    possible: int | None = None,
    limits: tuple[str, ...] = (),
) -> Verdict:
    """Make the verdict. `size` is what the question looked at; `passed` and `sentence` are what a
    person reads if nothing, or something, was found; `nothing` and `add` speak of size 0;
    `possible` is the size that was to be expected (None: as many as `expected`); `limits` says what
    a pass of this question does not cover."""
    history = index.history
    found = tuple(failed[:SHOWN]) + tuple(f for doubt in doubts for f in doubt.findings)
    if failed:
        return Verdict(
            question=question, status="failed", sentence=sentence, population=population,
            findings=found, advice=advice,
            missing="; ".join(dict.fromkeys(doubt.missing for doubt in doubts)),
            limits=tuple(doubt.sentence for doubt in doubts) + tuple(history.limits),
        )  # fmt: skip
    if size == 0:
        doubts = [*doubts, *_of_nothing(index, nothing, add, possible, doubted=bool(doubts))]
    if doubts:
        more = f" (and {number(len(doubts) - 1, 'more reason')})" if len(doubts) > 1 else ""
        return Verdict(
            question=question, status="unknown", sentence=doubts[0].sentence + more,
            population=population, findings=found[:SHOWN],
            missing="; ".join(dict.fromkeys(doubt.missing for doubt in doubts)),
            limits=tuple(doubt.sentence for doubt in doubts[1:]) + tuple(history.limits),
        )  # fmt: skip
    if size == 0:
        faults = "only faults that may not happen were" if history.rules else "no fault was"
        passed = f"nothing to judge ({nothing}), and {faults} armed"
    limits = (*limits, *not_covered(index))
    if size == 0:
        limits = (f"{question} had nothing to judge ({nothing})", *limits)
    return Verdict(
        question=question, status="passed", sentence=passed, population=population, limits=limits
    )
