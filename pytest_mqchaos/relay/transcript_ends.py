"""How transactions ended, as far as a link can tell: commit or abort, and whether it was taken.

It knows the outcome of one request and no protocol. An end that stays unknown is settled by a
read-back, which is not done here.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

from pytest_mqchaos.relay.transcript_rows import Seen


class TransactionEnd(NamedTuple):
    """A producer asked to commit (or abort) its transaction; `anew`: it, or another, begins under
    this id, which aborts what is open there. `outcome` is the broker's answer, heard or not:
    confirmed, refused (with `error`), else unknown."""

    seq: int
    t: int
    link: int
    owner: str
    transactional_id: str | None
    committed: bool
    reached: bool
    outcome: Literal["confirmed", "refused", "unknown"]
    end_seq: int
    end_t: int
    error: int
    anew: bool = False


def transaction_end(seen: Seen, answers: list[tuple[int, int, int]]) -> TransactionEnd:
    """The row of one end; `answers` are the broker's (error, seq, t), of which the first counts."""
    outcome: Literal["confirmed", "refused", "unknown"] = "unknown"
    error, seq, t = answers[0] if answers else (0, 0, 0)
    if answers:
        outcome = "refused" if error else "confirmed"
    return TransactionEnd(
        seen.seq,
        seen.t,
        seen.link,
        seen.owner,
        seen.said.transactional_id,
        bool(seen.said.details.get("committed")),
        seen.passed,
        outcome,
        seq,
        t,
        error,
        "anew" in seen.said.details,
    )
