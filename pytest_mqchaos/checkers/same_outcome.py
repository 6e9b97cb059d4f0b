"""Did everything end as it does without faults?

What is compared is the final state: the effects of each id that are there at the end, with their
part, `by`, key and value, each as often as it is there. Their order is not (`ordered`, `latest`).
The run without faults is made where the run is ours (a scenario of `simulate`, `mqchaos_sweep`,
`mqchaos_search`; a second one where the two differ), elsewhere it is `baseline=`. An effect too
many stays proven in spite of a gap, because effects do not pass the links.

Not decided, hence unknown: what may still come or go (here, or in the run without faults), what
rests on a posthumous effect, effects without an id; any difference where the test itself published
something else in the run without faults, where two runs without faults differ from each other (the
second has another seed and another time of day), or where each of the two runs has ids that the
other has never seen.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from pytest_mqchaos.checkers.advice.remedies import REMEDIES
from pytest_mqchaos.checkers.answer import answer
from pytest_mqchaos.checkers.doubts import SHOWN, Doubt, need_effects, standing_doubts
from pytest_mqchaos.checkers.evidence import where as stages
from pytest_mqchaos.checkers.evidence.differences import NAME_THEM, NAMELESS, Differences, compare
from pytest_mqchaos.checkers.evidence.fault_free import (
    Baseline,
    FaultFree,
    by_id,
    everything,
    fault_free,
    known,
    unlike,
)
from pytest_mqchaos.checkers.evidence.pending import pending_doubts
from pytest_mqchaos.checkers.idempotent import ONCE
from pytest_mqchaos.checkers.verdict import Checker, Finding, Verdict
from pytest_mqchaos.checkers.wording import listed, number
from pytest_mqchaos.history.history import History
from pytest_mqchaos.history.index import Index, index_of
from pytest_mqchaos.history.rows import Effect

_REPEATABLE = (
    "make all state of the run inside of the scenario, and leave out what changes from run to run: "
    "same_outcome(of=lambda effect: ...)"
)
_ASK = "ask it in every run, not only where something went wrong"
_SAME_IDS = "let a message have the same id in every run (id=... in the mark)"
_SAME_DATA = (
    "draw data before the scenario, or in it from a random.Random(seed) of its own, and publish "
    "the same in every run"
)


def same_outcome(
    *,
    baseline: Baseline | History | Mapping[str, object] | None = None,
    of: Callable[[Effect], object] | None = None,
) -> Checker:
    """Every id ends with the effects that it has without faults, and nothing else has one.

    `baseline`: id -> value of its one effect, or the `History` of a run without faults (default, in
    a scenario that we run: of that run). `of`: what of an effect is compared.
    """
    base = fault_free(baseline, of)

    def check(history: History) -> Verdict:
        if base is None or not base.has_source:
            need_effects(history, "same_outcome", awaited=base is not None and bool(base.rows))
        index = index_of(history)
        rows = by_id(index.effects, base.shows if base is not None else everything)
        found = Differences()
        if base is None:
            found.doubt(_ASK, "the run without faults never came to this question")
        else:
            compare(index, base, rows, found)
            _downgrade(index, base, found)
            _nameless(index, base, found)
        names = rows.keys() | (base.rows.keys() if base is not None else set())
        return answer(
            "same_outcome",
            index,
            population={**index.funnel, "compared": len(names), "different": len(found.failed)},
            size=len(names),
            passed=f"{number(len(names), 'id')} with the same effects as without faults",
            failed=found.failed,
            sentence=_sentence(found.failed, len(names)),
            doubts=standing_doubts(index) + pending_doubts(index) + _doubts(found),
            advice=_advice(found.failed),
            nothing="no effect was recorded, with faults or without",
            add="check that the effect source sees what the worker writes, and that the scenario "
            "makes all state of the run itself",
        )

    return check


def _downgrade(index: Index, base: FaultFree, found: Differences) -> None:
    """Take back what is proven only if the two runs are the same but for the faults."""
    if not found.failed:
        return
    missing, why = _unrepeated(base)
    if why:
        found.doubt(missing, f"two runs without any fault ended differently: {why}", *found.failed)
        found.failed = []
    if not found.failed:
        return
    others = unlike(index, base.index) if base.index is not None else []
    if others:
        why = f"the test itself did not publish the same in both runs ({listed(others)})"
        found.doubt(_SAME_DATA, why, *found.failed)
        found.failed = []
    here = known(index)
    odd = [f for f in found.failed if f.id not in base.known]
    gone = [f for f in found.failed if f.id not in here]
    if odd and gone:
        why = (
            f"ids are not the same from run to run ({odd[0].id!r} only here, {gone[0].id!r} only "
            "without faults)"
        )
        found.doubt(_SAME_IDS, why, *odd, *gone)
        found.failed = [f for f in found.failed if f not in odd and f not in gone]


def _nameless(index: Index, base: FaultFree, found: Differences) -> None:
    """Nobody knows whether those are the same in both."""
    if index.history.nameless_effects:
        found.doubt(NAME_THEM, NAMELESS)
    elif base.index is not None and base.index.history.nameless_effects:
        found.doubt(NAME_THEM, f"in the run without faults {NAMELESS}")


def _unrepeated(base: FaultFree) -> tuple[str, str]:
    """What to do where the runs without faults differ from each other, and in what; else ""."""
    if base.again is None or base.index is None:
        return "", ""
    again = index_of(base.again)
    if others := unlike(again, base.index):
        return _SAME_DATA, f"the test itself did not publish the same ({listed(others)})"
    found = Differences()
    compare(again, base, by_id(again.effects, base.shows), found)
    if found.failed:
        one = found.failed[0]
        return _REPEATABLE, f"{one.id} is {one.what}: {one.where or one.text}"
    for missing, why in found.open:
        return missing, f"in the second one {why}"
    return "", ""


def _doubts(found: Differences) -> list[Doubt]:
    made = []
    for (missing, sentence), rows in found.open.items():
        of = f"{number(len(rows), 'difference')} not decided ({listed(r.id for r in rows)}): "
        text = (of if rows else "") + sentence
        made.append(Doubt(sentence=text, missing=missing, findings=tuple(rows[:SHOWN])))
    return made


def _advice(failed: list[Finding]) -> str:
    if not failed:
        return ""
    return REMEDIES.get(failed[0].where, "") or (
        ONCE if failed[0].what in ("repeated", "altered") else ""
    )


def _sentence(failed: list[Finding], total: int) -> str:
    if not failed:
        return ""
    said = []
    for what in dict.fromkeys(finding.what for finding in failed):
        rows = [finding for finding in failed if finding.what == what]
        placed = [row.where for row in rows if row.where]
        why = stages.summed(placed) if placed else rows[0].text
        said.append(f"{len(rows)} {what}: {why}")
    count = number(total, "id")
    return f"{len(failed)} of {count} ended otherwise than without faults: {'; '.join(said)}"
