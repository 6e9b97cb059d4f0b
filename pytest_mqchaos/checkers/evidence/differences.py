"""In which ids two runs end differently, and which of these differences nothing can undo any more.

It knows one id at a time; whether the two runs can be compared at all is who asks' to say
(same_outcome.py).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from pytest_mqchaos.checkers.doubts import COMPOSITE, gap_touches
from pytest_mqchaos.checkers.evidence import where as stages
from pytest_mqchaos.checkers.evidence.fault_free import (
    FaultFree,
    Shown,
    differing,
    everything,
    message,
)
from pytest_mqchaos.checkers.evidence.left_behind import left_behind
from pytest_mqchaos.checkers.evidence.missing import BLOCKED, Found, judge
from pytest_mqchaos.checkers.evidence.still_open import at_work, still_open
from pytest_mqchaos.checkers.evidence.values import alike
from pytest_mqchaos.checkers.verdict import Finding
from pytest_mqchaos.history.index import Index

_FINISH = (
    "let the worker finish: chaos.settle(timeout=...), and ask after the worker's `with` block"
)
_SEE = "let all be seen and read back; name all that is judged in chaos.flow(inputs=[...])"
NAME_THEM = "let each effect have the id of its message (id=... finds it in an output topic)"
NAMELESS = "there are effects without an id, which cannot be compared"
_AMBIGUOUS = "in the run without faults messages with different contents have this id"
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
    vague = base.index.ambiguous.keys() - index.ambiguous.keys() if base.index else set()
    for name in sorted(rows.keys() | base.rows.keys()):
        if name in vague:
            found.doubt(COMPOSITE, _AMBIGUOUS, Finding(id=name, what="ambiguous"))
        elif name not in index.ambiguous:
            _one(index, base, name, rows.get(name, []), found)


def _one(index: Index, base: FaultFree, name: str, mine: list[Shown], found: Differences) -> None:
    """Judge one id: by what stands there whether or not posthumous effects count."""
    mine, theirs = (sorted(rows, key=_passing) for rows in (mine, base.rows.get(name, [])))
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
    owed = message(index, name) or (base.index is not None and message(base.index, name))
    if not (more or mine or name in index.known_effects) and owed:
        _missing(index, base, name, lacking, found)
        return
    finding = _finding(index, name, more, lacking, len(mine), theirs)
    perhaps = [_has(index, base, name, more, theirs)] if more else []
    perhaps += [_lacks(index, base, name, lacking)] if lacking else []
    unsure = [why for why in perhaps if why is not None]
    if len(unsure) < len(perhaps):
        found.failed.append(finding)
    else:
        found.doubt(*unsure[-1], finding)


def _lacks(
    index: Index, base: FaultFree, name: str, lacking: list[Shown]
) -> tuple[str, str] | None:
    """Why what is lacking may still come, be there unseen, or not be the end without faults."""
    if why := _unfinished(index, name):
        return _FINISH, why
    if index.history.nameless_effects:
        return NAME_THEM, NAMELESS
    return _unseen(index) or _goes(base, name, lacking)


def _unseen(index: Index) -> tuple[str, str] | None:
    gap = gap_touches(index.history) or not index.history.read_back
    return (_SEE, _UNSEEN) if gap else None


def _goes(base: FaultFree, name: str, lacking: list[Shown]) -> tuple[str, str] | None:
    """Why what is there without faults may be gone at the end of that run."""
    if base.index is None or not all(map(_passing, lacking)):
        return None
    why = _unfinished(base.index, name)
    return (_FINISH, f"in the run without faults {why}") if why else None


def _has(
    index: Index, base: FaultFree, name: str, more: list[Shown], theirs: list[Shown]
) -> tuple[str, str] | None:
    """Why what there is more of may still go, or still come without faults. A repeat of what is
    there without faults can only be of a message that is still handed out there."""
    new = [one for one in more if not any(alike(one.what, other.what) for other in theirs)]
    if len(new) == len(more) and all(map(_passing, more)):
        why = _unfinished(index, name)
        if unsure := (_FINISH, why) if why else _unseen(index):
            return unsure
    if base.index is None:
        return None
    if base.index.history.nameless_effects:
        return NAME_THEM, f"in the run without faults {NAMELESS}"
    again = not message(base.index, name) or base.index.story(name).waiting
    if (new or again) and (why := _unfinished(base.index, name)):
        return _FINISH, f"in the run without faults {why}"
    return None


def _missing(
    index: Index, base: FaultFree, name: str, lacking: list[Shown], found: Differences
) -> None:
    """A message without any effect: as `lossless` would judge one that is owed."""
    lacks = lacking[0]
    by = lacks.effect.by if lacks.effect is not None else None
    bare = Finding(id=name, what="missing", by=by)
    if name not in index.stories.stored and (why := _unfinished(index, name)):
        found.doubt(_FINISH, why, bare)
        return
    if index.history.nameless_effects:
        found.doubt(NAME_THEM, NAMELESS, bare)
        return
    if unsure := _goes(base, name, lacking):
        found.doubt(*unsure, bare)
        return
    if name in index.withdrawn:
        text = f"its transaction was aborted, without faults {_told(lacks)}"
        found.failed.append(Finding(id=name, what="missing", text=text, by=by))
        return
    each: list[Found] = []
    for who, one in {one.effect.by if one.effect else None: one for one in lacking}.items():
        each.append(sorted_out := Found(last=True))
        judge(index, {name}, who, None, sorted_out)
        for lost in sorted_out.failed:
            more = f"; {lost.text}" if lost.text else ""
            text = f"no effect, without faults {_told(one)}{more}"
            found.failed.append(replace(lost, what="missing", text=text))
            return
    for sorted_out in each:
        for waiting in sorted_out.waiting + sorted_out.open:
            why = f"it is {waiting.text}" if waiting.what == "waiting" else waiting.text
            found.doubt(_FINISH, why, waiting)
        for unproven in sorted_out.unproven:
            found.doubt(_SEE, _UNSEEN, unproven)


def _finding(
    index: Index, name: str, more: list[Shown], lacking: list[Shown], count: int,
    theirs: list[Shown],
) -> Finding:  # fmt: skip
    by = next((one.effect.by for one in more + lacking if one.effect is not None), None)
    counts = f"effect {count}x, without faults {len(theirs)}x"
    if more and lacking:
        what, text = "altered", f"{_told(more[0])}, without faults {_told(lacking[0])}"
    elif more:
        text = counts if theirs else f"{_told(more[0])}, without faults none"
        what = "repeated" if theirs else "unexpected"
    elif count:
        what, text = "partial", f"{counts}: lacks {_told(lacking[0])}"
    else:
        gone = "its effect is gone" if name in index.known_effects else "no effect"
        known = message(index, name) or lacking[0].effect is not None
        nobody = "" if known else ", and no message has this id"
        what, text = "missing", f"{gone}{nobody}, without faults {_told(lacking[0])}"
    return Finding(id=name, what=what, text=text, by=by)


def _told(one: Shown) -> str:
    """What is compared of an effect, as short as it can be said."""
    effect = one.effect
    if effect is None or one.what != everything(effect):
        return f"value {one.what!r}"
    named = {"part": effect.part, "by": effect.by, "key": effect.key, "value": effect.value}
    said = [f"{word} {what!r}" for word, what in named.items() if what is not None]
    return ", ".join(said) or "an effect"


def _passing(one: Shown) -> bool:
    """Whether it is a row of something that is looked at, and may be gone when the work is done."""
    effect = one.effect
    return effect is not None and (not effect.countable or effect.t_from != effect.t_to)


def _unfinished(index: Index, name: str) -> str:
    """Why more may still become of this id, as a sentence. An id that no message has (an account)
    may be touched by any message."""
    waiting, mine = "", message(index, name)
    for one in (name,) if mine else sorted(index.stored_ids | index.history.blocked):
        story = index.story(one)
        if story.waiting and not left_behind(index, story):
            waiting = f"it is held for {stages.holder(story.waiting[0])}"
        elif one in index.history.blocked:
            waiting = BLOCKED
        waiting = waiting or still_open(index, story, stages.where(index, story))
        if waiting:
            return waiting if mine else f"{one!r} is not done: {waiting}"
    owner = at_work(index) if name not in index.stories.stored else ""
    return f"{owner} still runs and may still do it" if owner else ""
