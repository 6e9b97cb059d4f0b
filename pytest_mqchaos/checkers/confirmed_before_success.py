"""Was anything accepted before the broker confirmed it?

Accepted is what the service told its own caller (`chaos.accepted(id)`), and every message sent in a
mode without confirms: that counts as accepted when sent, and no confirm can ever come before.
What is sent in a transaction is confirmed when that is committed: until then it can be taken back.
A gap may hide the confirm: then unknown.
"""

from __future__ import annotations

from pytest_mqchaos.checkers.answer import answer
from pytest_mqchaos.checkers.bypassed import foreign
from pytest_mqchaos.checkers.doubts import SHOWN, Doubt, gap_touches, standing_doubts
from pytest_mqchaos.checkers.evidence.unmatched import unmatched_acceptances
from pytest_mqchaos.checkers.verdict import Checker, Finding, Verdict
from pytest_mqchaos.checkers.wording import lapse, number
from pytest_mqchaos.history.history import History
from pytest_mqchaos.history.index import Index, index_of
from pytest_mqchaos.history.rows import Attempt

COMMITTED_ONLY = (
    "what is sent in a transaction is safe when that is committed: tell the caller after "
    "commit_transaction() has returned"
)
_ADVICE = {"transaction": COMMITTED_ONLY}


def confirmed_before_success() -> Checker:
    """Every accepted message was confirmed before."""

    def check(history: History) -> Verdict:
        index = index_of(history)
        accepted = index.accepted.keys() | index.unconfirmable
        ids = sorted(accepted - index.ambiguous.keys())
        failed = [finding for name in ids if (finding := _early(index, name)) is not None]
        doubts = standing_doubts(index)
        unseen = (
            failed
            if gap_touches(history)
            else [
                finding
                for finding in failed
                if finding.id in foreign(index)  # the broker holds it
            ]
        )
        if unseen:
            hidden = Doubt(
                sentence=f"{number(len(unseen), 'message')} without a confirm in sight",
                missing="let every producer use the chaos address",
                findings=tuple(unseen[:SHOWN]),
            )
            doubts, failed = [*doubts, hidden], [f for f in failed if f not in unseen]
        if failed and (other := unmatched_acceptances(index)):
            doubts, failed = [*doubts, *other], []
        return answer(
            "confirmed_before_success",
            index,
            population={**index.funnel, "accepted": len(accepted)},
            size=len(accepted),
            passed=f"{number(len(accepted), 'accepted message')}, each confirmed before",
            failed=failed,
            sentence=f"{len(failed)} of {number(len(accepted), 'message')} accepted before the "
            f"confirm: {failed[0].text if failed else ''}",
            doubts=doubts,
            advice=_ADVICE.get(failed[0].where, "wait for the confirm before telling the caller")
            if failed
            else "",
            nothing="nothing was accepted",
            add="say when the service tells its caller: chaos.accepted(id)",
        )

    return check


def _early(index: Index, name: str) -> Finding | None:
    at = index.accepted.get(name)
    rows = [a for a in index.stories.attempts.get(name, ()) if a.topic in index.inputs]
    confirms = [t for row in rows if (t := _confirm(index, row)) is not None]
    if confirms and (at is None or min(confirms) <= at):
        return None
    inside = bool(rows) and all(row.transactional_id is not None for row in rows)
    if confirms and at is not None:
        what = "its transaction was committed" if inside else "its confirm"
        text = f"{name!r} accepted {lapse(min(confirms) - at)} before {what}"
    elif any(row.outcome == "confirmed" for row in rows):
        end = "was aborted" if name in index.withdrawn else "has no commit that was confirmed"
        text = f"{name!r} accepted, its transaction {end}"
    elif not rows:
        text = f"{name!r} accepted, never published"
    elif all(a.acks == 0 for a in rows):
        text = f"{name!r} sent with acks=0: no confirm can come"
    else:
        text = f"{name!r} accepted, outcome of its last publish: {rows[-1].outcome}"
    where = "transaction" if inside else ""
    return Finding(id=name, what="accepted early", where=where, text=text)


def _confirm(index: Index, row: Attempt) -> int | None:
    """When its producer was told that it is safe; None: never."""
    if row.outcome != "confirmed":
        return None
    return row.end_t if row.transactional_id is None else index.history.committed.get(row.seq)
