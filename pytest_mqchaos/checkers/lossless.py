"""Does every confirmed or accepted message have all its effects?

    owed = confirmed + accepted + sent without confirms      owed - done = missing
    missing: expected | superseded | parked | waiting | lost, judged per subscriber

Not decided by the rows, hence unknown: a message that is waiting (also for the end of a
transaction that holds its record in an output topic back), or whose only effect is posthumous or
went when a worker died or began anew; one without a row where a later message of its key may have
written over it; any message of a run that was not read back. In spite of a gap a loss stays proven
in two cases only, since whatever was not seen cannot undo them: the log was read back and does not
hold the message though it was confirmed, or a delivery was seen and an ack of that very group let
through. An undeclared set of parts is never guessed.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Literal

from pytest_mqchaos.checkers.advice.remedies import remedy
from pytest_mqchaos.checkers.answer import answer
from pytest_mqchaos.checkers.doubts import (
    SHOWN,
    Doubt,
    foreign_doubts,
    need_effects,
    standing_doubts,
)
from pytest_mqchaos.checkers.evidence import where as stages
from pytest_mqchaos.checkers.evidence.absent import absent
from pytest_mqchaos.checkers.evidence.fenced import fenced
from pytest_mqchaos.checkers.evidence.in_parts import uneven_doubts
from pytest_mqchaos.checkers.evidence.missing import DIES_WHOLE, Found, judge
from pytest_mqchaos.checkers.evidence.one_row_a_key import JOURNAL
from pytest_mqchaos.checkers.evidence.pending import end_it
from pytest_mqchaos.checkers.evidence.set_aside import declared
from pytest_mqchaos.checkers.evidence.set_back import set_back_doubts, taken_away
from pytest_mqchaos.checkers.evidence.still_open import left, own_output
from pytest_mqchaos.checkers.evidence.superseded import deleted, superseded
from pytest_mqchaos.checkers.evidence.unmatched import unmatched, unmatched_acceptances
from pytest_mqchaos.checkers.evidence.unnamed_groups import not_told_apart, unnamed_groups
from pytest_mqchaos.checkers.evidence.whose import scope, subscribers
from pytest_mqchaos.checkers.verdict import Checker, Finding, Verdict
from pytest_mqchaos.checkers.wording import listed, number
from pytest_mqchaos.errors import UsageError, unknown
from pytest_mqchaos.history.history import History
from pytest_mqchaos.history.identity import Spec, as_id
from pytest_mqchaos.history.index import Index, index_of

AGAIN_AND_AGAIN = 10  # times that a message is handed out: whoever reads it is in a circle
_UNEVEN = "say which parts every message has: lossless(parts=[...])"
_SOURCES = "name what each source shows (part=...), and " + _UNEVEN + ", [] if any one is enough"
_ONE_ROW = (
    f"where only the last message of a key counts, ask lossless(keep='latest'); else {JOURNAL}"
)
_INSTEAD = (
    "where one of several does each message, record no `by` (a part= says which did it); where "
    "each must do it, pass it on to all of them"
)
_STILL_OPEN = (
    "start whoever reads it as a worker with chaos.bootstrap_servers, settle, and ask after the "
    "worker's `with` block (slow work: chaos.settle(timeout=...))"
)


def lossless(
    *,
    keep: Literal["all", "latest"] = "all",
    parts: Iterable[str] | None = None,
    by: Iterable[str] | None = None,
    version: Spec | None = None,
) -> Checker:
    """Every confirmed or accepted message has all its effects or is expected.

    `keep="latest"`: an older version of a key need not have one, nor a deletion (no value) whose
    key is gone from the table. `parts`: the named effects that
    each message must have. `by`: the subscribers that are judged (default: those effects name).
    `version`: where a message carries its number; then a higher one of the key is the newer.
    """
    if version is not None and keep != "latest":
        raise UsageError("lossless(version=...) says which is the latest: it needs keep='latest'.")
    if keep not in ("all", "latest"):
        raise unknown("keep", keep, ("all", "latest"))
    for word, names in (("parts", parts), ("by", by)):
        if isinstance(names, str):
            raise UsageError(f"lossless({word}={names!r}): give a list of names, [{names!r}].")
    wanted = None if parts is None else frozenset(map(as_id, parts))

    def check(history: History) -> Verdict:
        need_effects(history, "lossless")
        index = index_of(history)
        names, doubts = subscribers(index, by)
        owed = index.owed - index.ambiguous.keys() if index.ambiguous else index.owed
        excused: set[str] = set()
        if keep == "latest":
            excused = superseded(index, owed, version)
            excused |= owed & deleted(index, excused)
        found = Found(last=keep == "latest")
        expected, strange = declared(index, owed)
        doubts += strange
        free = excused | expected
        asked = unread = owed - free if free else owed
        for name in names:
            mine, unsure = scope(index, owed, name)
            doubts += unsure
            unread = unread - mine
            judge(index, mine - free if free else mine, name, wanted, found)
        doubts = standing_doubts(index) + doubts + _unread(unread) + _unmatched(index, found)
        doubts += foreign_doubts(index, free) + set_back_doubts(index, asked, wanted)
        doubts += unnamed_groups(index, asked) if by is None else []
        doubts += uneven_doubts(index, asked) if wanted is None else []
        doubts += _doubts(index, found, len(owed))
        population = {**index.funnel, "lost": len(found.failed)}
        if excused:
            population["superseded"] = len(excused)
        if expected & owed:
            population["expected"] = len(expected & owed)
        noun = "confirmed or accepted" if not owed <= index.confirmed else "confirmed"
        return answer(
            "lossless",
            index,
            population=population,
            size=len(owed),
            passed=f"all {number(len(owed), f'{noun} message')} accounted for",
            failed=found.failed,
            sentence=_sentence(found.failed, len(owed), noun),
            doubts=doubts,
            advice=remedy(index, found.failed),
            limits=not_told_apart(index) + taken_away(index, asked, wanted),
        )

    return check


def _unread(ids: set[str]) -> list[Doubt]:
    """Messages of destinations that none of the judged subscribers reads."""
    if not ids:
        return []
    return [
        Doubt(
            sentence=f"{number(len(ids), 'message')} read by nobody who is judged: "
            f"{listed(sorted(ids))}",
            missing="name whoever reads it in by=, or leave what nobody reads out of "
            "chaos.flow(inputs=[...])",
        )
    ]


def _unmatched(index: Index, found: Found) -> list[Doubt]:
    """If the ids do not match, nothing that has no effect is proven lost; if a source is not there,
    nothing that was handed out."""
    doubts, hidden = unmatched(index), found.failed
    if not doubts and (vain := [f for f in found.failed if f.where == stages.NEVER_LEFT]):
        doubts, hidden = unmatched_acceptances(index), vain
    if not doubts:
        hidden = [f for f in found.failed if f.where in (stages.ACKED, stages.UNACKED, "partial")]
        doubts = absent(index) if hidden else []
    if doubts:
        found.unproven += [
            replace(finding, what="no effect") if finding.what == "lost" else finding
            for finding in hidden
        ]
        found.failed = [finding for finding in found.failed if finding not in hidden]
    return doubts


def _doubts(index: Index, found: Found, total: int) -> list[Doubt]:
    made = []
    for rows, said, missing in (
        (found.waiting, "still waiting", _still_waiting(index, found)),
        (found.open, "without an effect, which may still come",
         own_output(index, found.open) or _STILL_OPEN),
        (found.instead, "done by one subscriber and not by another", _INSTEAD),
        (found.over, "without a row, in a source with one row for each key", _ONE_ROW),
        (found.posthumous, "known only from a posthumous effect (recorded by a crashed worker)",
         DIES_WHOLE),
        (found.unproven, "without an effect, but not proven lost",
         "let all be seen and read back; name all that is judged in chaos.flow(inputs=[...])"),
        (found.uneven, "with fewer parts than others",
         _SOURCES if index.several else _UNEVEN),
    ):  # fmt: skip
        if rows:
            text = f": {rows[0].text}" if rows[0].text else ""
            sentence = f"{len(rows)} of {number(total, 'message')} {said}{text}"
            made.append(Doubt(sentence=sentence, missing=missing, findings=tuple(rows[:SHOWN])))
    return made


def _still_waiting(index: Index, found: Found) -> str:
    """Who waits longer gets more, unless the reader began behind all of it, or as another group."""
    if found.waiting and (by_turns := fenced(index)):
        return by_turns
    if found.behind:
        return end_it(index)
    if found.handed >= AGAIN_AND_AGAIN:
        return (
            f"it was handed out {found.handed} times: what fails again and again, or takes longer "
            "than max.poll.interval.ms allows, holds back all that stands behind it; set it aside "
            "(dead letters) after some tries, or take fewer at a time"
        )
    gone = left(index) if found.alone else ""
    if gone:
        return (
            f"{gone} and left it: what gives up must end with an error (a status other than "
            "0) to be started again; what ends after so many messages ends too early where some "
            "come twice"
        )
    todo = "let the worker finish: chaos.settle(timeout=...)"
    if found.groups > 1:
        todo += (
            f". It is held for {found.groups} groups: a service that names its group anew at each "
            "start leaves behind what the old one had not done; give it a fixed name"
        )
    if found.placed and any(row.where != stages.UNDELIVERED for row in found.waiting):
        return todo
    return (
        f"{todo}. If nothing came at all, or not again: a group without a position that begins at "
        "the end of the log ('latest') never reads what was sent before it; begin at 'earliest'"
    )


def _sentence(failed: list[Finding], total: int, noun: str) -> str:
    lost = [f for f in failed if f.what in ("lost", "skipped")]
    parked = [f for f in failed if f.what == "parked"]
    partial = [f for f in failed if f.what == "partial"]
    of = f"of {number(total, f'{noun} message')}"
    said = []
    for rows, what, why in (
        (lost, "lost", ": " + stages.summed(f.where for f in lost) if lost else ""),
        (parked, "parked in a dead-letter destination", ""),
        (partial, "done in part only", f": {partial[0].text}" if partial else ""),
    ):
        if rows:
            who = sorted({f.by for f in rows if f.by})
            count = len({f.id for f in rows})
            verb = "was" if count == 1 else "were"
            said.append(
                f"{count} {of} {verb} {what}" + (f" for {listed(who)}" if who else "") + why
            )
    return "; ".join(said)
