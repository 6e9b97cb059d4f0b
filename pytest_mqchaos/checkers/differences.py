"""In which ids two runs end differently, and which of these differences nothing can undo any more.

It knows one id at a time; whether the two runs can be compared at all is who asks' to say
(same_outcome.py).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from pytest_mqchaos.checkers import where as stages
from pytest_mqchaos.checkers.answer import gap_touches
from pytest_mqchaos.checkers.fault_free import FaultFree, Shown, differing, everything, known
from pytest_mqchaos.checkers.missing import Found, judge
from pytest_mqchaos.checkers.still_open import still_open
from pytest_mqchaos.checkers.verdict import Finding
from pytest_mqchaos.history.index import Index

_FINISH = (
    "let the worker finish: chaos.settle(timeout=...), and ask after the worker's `with` block"
)
_SEE = "let all be seen and read back; name all that is judged in chaos.flow(inputs=[...])"
_UNSEEN = "not everything was seen or read back"
_PROCESS = "run the worker as a process (process=True)"


@dataclass(slots=True)
class Differences:
    """What was found: proven, or why not (what to add, sentence -> findings)."""

    failed: list[Finding] = field(default_factory=list)
    open: dict[tuple[str, str], list[Finding]] = field(default_factory=dict)

    def doubt(self, missing: str, sentence: str, *findings: Finding) -> None:
        self.open.setdefault((missing, sentence), []).extend(findings)


def compare(
    index: Index, base: FaultFree, rows: Mapping[str, list[Shown]], found: Differences
) -> None:
    """Judge each id that has effects in either run: `rows` are those of this one."""
    vague = index.ambiguous.keys() | (base.index.ambiguous.keys() if base.index else set())
    for name in sorted(rows.keys() | base.rows.keys()):
        if name not in vague:
            _one(index, base, name, rows.get(name, []), found)


def _one(index: Index, base: FaultFree, name: str, mine: list[Shown], found: Differences) -> None:
    """Judge one id: by what stands there whether or not posthumous effects count."""
    theirs = base.rows.get(name, [])
    alive = [one for one in mine if one.effect is None or not one.effect.posthumous]
    more, _ = differing(alive, theirs)
    _, lacking = differing(mine, theirs)
    if not more and not lacking:
        if len(alive) != len(theirs) or len(mine) != len(theirs):
            finding = Finding(id=name, what="posthumous", text="recorded by a crashed worker")
            found.doubt(_PROCESS, "it depends on a posthumous effect", finding)
        return
    if lacking and not more and name in index.history.expected.all():
        return
    if lacking and not more and not mine:
        _missing(index, name, lacking[0], found)
        return
    finding = _finding(name, more, lacking, len(mine), len(theirs))
    if lacking and (why := _unfinished(index, name)):
        found.doubt(_FINISH, why, finding)
    elif lacking and (gap_touches(index.history) or not index.history.read_back):
        found.doubt(_SEE, _UNSEEN, finding)
    elif base.index is not None and _new(more, theirs) and (why := _unfinished(base.index, name)):
        found.doubt(_FINISH, f"in the run without faults {why}", finding)
    else:
        found.failed.append(finding)


def _missing(index: Index, name: str, lacks: Shown, found: Differences) -> None:
    """An id without any effect: as `lossless` would judge a message that is owed."""
    by = lacks.effect.by if lacks.effect is not None else None
    if name in index.withdrawn:
        text = f"its transaction was aborted, without faults {_told(lacks)}"
        found.failed.append(Finding(id=name, what="missing", text=text, by=by))
        return
    if name not in known(index) and (why := _unfinished(index, name)):
        found.doubt(_FINISH, why, Finding(id=name, what="missing", by=by))
        return
    sorted_out = Found()
    judge(index, {name}, by, None, sorted_out)
    for lost in sorted_out.failed:
        text = f"no effect, without faults {_told(lacks)}" + (f"; {lost.text}" if lost.text else "")
        found.failed.append(Finding(id=name, what="missing", where=lost.where, text=text, by=by))
    for waiting in sorted_out.waiting + sorted_out.open:
        why = f"it is {waiting.text}" if waiting.what == "waiting" else waiting.text
        found.doubt(_FINISH, why, waiting)
    for unproven in sorted_out.unproven + sorted_out.posthumous:
        found.doubt(_SEE, _UNSEEN, unproven)


def _finding(name: str, more: list[Shown], lacking: list[Shown], mine: int, theirs: int) -> Finding:
    by = next((one.effect.by for one in more + lacking if one.effect is not None), None)
    if more and lacking:
        text = f"{_told(more[0])}, without faults {_told(lacking[0])}"
        return Finding(id=name, what="altered", text=text, by=by)
    if lacking:
        text = f"effect {mine}x, without faults {theirs}x: lacks {_told(lacking[0])}"
        return Finding(id=name, what="partial", text=text, by=by)
    if theirs:
        text = f"effect {mine}x, without faults {theirs}x"
        return Finding(id=name, what="repeated", text=text, by=by)
    return Finding(id=name, what="unexpected", text=f"{_told(more[0])}, without faults none", by=by)


def _told(one: Shown) -> str:
    """What is compared of an effect, as short as it can be said."""
    effect = one.effect
    if effect is None or one.what != everything(effect):
        return f"value {one.what!r}"
    named = {"part": effect.part, "by": effect.by, "key": effect.key, "value": effect.value}
    said = [f"{word} {what!r}" for word, what in named.items() if what is not None]
    return ", ".join(said) or "an effect"


def _new(more: list[Shown], theirs: list[Shown]) -> bool:
    """Whether any of them is no repeat of what is there without faults."""
    return any(all(one.what != other.what for other in theirs) for one in more)


def _unfinished(index: Index, name: str) -> str:
    """Why more may still become of this id, as a sentence. An id that no message has (an account)
    may be touched by any message."""
    stories, waiting = index.stories, ""
    mine = name in stories.attempts or name in stories.stored or name in stories.deliveries
    for one in (name,) if mine else sorted(index.stored_ids):
        story = index.story(one)
        if story.waiting:
            waiting = f"it is held for {stages.holder(story.waiting[0])}"
        waiting = waiting or still_open(index, story, stages.where(index, story))
        if waiting:
            return waiting if mine else f"{one!r} is not done: {waiting}"
    return ""
