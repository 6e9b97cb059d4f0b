"""One cell of the honesty table: one service under one plan, and what became of it.

Beside the verdicts stands the *truth*: what the ledger says, counted here in a few lines of its own
that share nothing with the checkers. A pass against the truth is a missed plant, a failure of a
correct service a false alarm.
"""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pytest_mqchaos import Plan
from pytest_mqchaos.chaos.session import Chaos
from pytest_mqchaos.checkers.verdict import Verdict
from pytest_mqchaos.errors import NotApplicable, VerdictFailed
from pytest_mqchaos.history.history import History
from tests.shapes.shape import ORDERS, Shape, run, told

# What an answer claims, in words of the truth.
CLAIMS = {
    "lossless": ("lost",), "idempotent": ("repeated",), "exactly_once": ("lost", "repeated"),
    "dead_lettered": (),
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One cell to be run. `service` is "correct" or the number of a planted bug of the shape;
    `under` names the plan for people."""

    shape: str
    service: str | int
    under: str
    plan: Plan
    orders: int = len(ORDERS)
    partitions: int = 1
    workers: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """What became of a case: status and words per question, `unfired` rules (then nothing else
    counts), the truth (ids by kind), or the `error` that ended it."""

    case: Case
    status: Mapping[str, str] = field(default_factory=dict)
    words: Mapping[str, str] = field(default_factory=dict)
    unfired: tuple[str, ...] = ()
    truth: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    error: str = ""
    caught: bool = False


def truth(history: History) -> dict[str, tuple[str, ...]]:
    """Which messages that somebody was told are safe have no effect, and which have it twice."""
    inputs, expected = history.flow.inputs, history.expected.all()
    owed = {a.id for a in history.attempts if a.topic in inputs and a.outcome == "confirmed"}
    owed |= {a.id for a in history.attempts if a.topic in inputs and a.acks == 0}
    owed |= {a.id for a in history.accepted}
    rows = history.effects or ()
    counts = Counter((row.id, row.part, row.by) for row in rows)
    done = [{row.id for row in rows if row.by == by} for by in {row.by for row in rows} or {None}]
    lost = {one for ids in done for one in owed - ids if one is not None} - expected
    repeated = {one[0] for one, count in counts.items() if count > 1}
    return {"lost": tuple(sorted(lost)), "repeated": tuple(sorted(repeated))}


def perform(host: Any, shape: Shape, case: Case, orders: tuple[Any, ...] = ORDERS) -> Cell:
    """Run a case on a broker; whatever it raises is its error."""
    seen: list[tuple[Chaos, dict[str, Verdict]]] = []
    planted = None if case.service == "correct" else shape.caught[int(case.service)]
    service = shape.service if planted is None else planted.broken
    workers = {"count": case.workers} if case.workers else {}
    error = ""
    try:
        with contextlib.suppress(NotApplicable):
            run(
                host, shape, service, case.plan, orders=orders, partitions=case.partitions,
                workers=workers,
                watch=lambda chaos, verdicts: seen.append((chaos, verdicts)),
            )  # fmt: skip
    except VerdictFailed as failed:
        error = str(failed)
    except Exception as raised:  # noqa: BLE001 - a cell that broke is a row of the table
        error = f"{type(raised).__name__}: {raised}"
    if not seen:
        return Cell(case=case, error=error or "it ended before any question was asked")
    chaos, verdicts = seen[0]
    rules = chaos.last_history.rules
    unfired = tuple(rule.source for rule in rules if not rule.fired and not rule.optional)
    return Cell(
        case=case,
        status={question: verdict.status for question, verdict in verdicts.items()},
        words={question: told(verdict) for question, verdict in verdicts.items()},
        unfired=unfired,
        truth=truth(chaos.last_history),
        error="" if unfired else error,
        caught=planted is not None and _caught(planted, verdicts),
    )


def _caught(planted: Any, verdicts: Mapping[str, Verdict]) -> bool:
    """Whether the question fails that is made for this bug, with the words that belong to it."""
    verdict = verdicts[planted.question]
    return verdict.status == "failed" and planted.what in {f.what for f in verdict.findings}


def missed(cell: Cell) -> list[str]:
    """Questions that passed against the truth."""
    return [
        f"{question} passed, but {kind}: {', '.join(cell.truth[kind])}"
        for question, status in cell.status.items()
        if status == "passed"
        for kind in CLAIMS.get(question, ())
        if cell.truth.get(kind)
    ]


def convicted(cell: Cell) -> list[str]:
    """What the ledger says of a service that was failed: then the service is wrong, not we."""
    return [f"{kind}: {', '.join(ids)}" for kind, ids in cell.truth.items() if ids]


def outcome(cell: Cell) -> str:
    """One word: error, unfired, missed, failed (as planted), other (failed elsewhere), unknown,
    passed."""
    if cell.error:
        return "error"
    if cell.unfired:
        return "unfired"
    if missed(cell):
        return "missed"
    statuses = set(cell.status.values())
    if "failed" in statuses:
        return "failed" if cell.caught or cell.case.service == "correct" else "other"
    return "unknown" if "unknown" in statuses else "passed"
