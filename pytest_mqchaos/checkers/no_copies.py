"""Does the broker hold at most one message per id? A question for producers, about what was read
back: no link has to be seen for a proven copy, so a copy stays proven in spite of a gap."""

from __future__ import annotations

from pytest_mqchaos.checkers.advice.copies import once_in_the_log
from pytest_mqchaos.checkers.answer import answer
from pytest_mqchaos.checkers.doubts import Doubt, standing_doubts
from pytest_mqchaos.checkers.verdict import Checker, Finding, Verdict
from pytest_mqchaos.checkers.wording import listed, number
from pytest_mqchaos.history.history import History
from pytest_mqchaos.history.index import Index, index_of
from pytest_mqchaos.history.rows import Stored


def no_copies() -> Checker:
    """No input destination holds a message twice (same id, key and value)."""

    def check(history: History) -> Verdict:
        index = index_of(history)
        # In another topic it is no copy: a service has passed it on under its id.
        rows: dict[tuple[str, str], list[Stored]] = {}
        for row in index.stored:
            if row.id is not None and row.id not in index.ambiguous:
                rows.setdefault((row.id, row.topic), []).append(row)
        distinct = len({(row.id, row.topic) for row in index.stored})
        failed = [_finding(index, name, each) for (name, _), each in rows.items() if len(each) > 1]
        doubts = standing_doubts(index)
        if not history.read_back:
            doubts.append(
                Doubt(sentence="the log was not read back", missing="let it be read back")
            )
        return answer(
            "no_copies",
            index,
            population={**index.funnel, "copies": len(index.stored) - distinct},
            size=len(rows),
            passed=f"{number(len(rows), 'stored message')}, each once",
            failed=failed,
            sentence=f"{len(failed)} of {number(len(rows), 'stored message')} in the broker more "
            f"than once: {failed[0].text if failed else ''}",
            doubts=doubts,
            advice=once_in_the_log(index, failed[0].id) if failed else "",
            nothing="no message is stored on a judged destination",
        )

    return check


def _finding(index: Index, name: str, rows: list[Stored]) -> Finding:
    at = listed((f"{r.topic}-{r.partition}@{r.offset}" for r in rows), 4)
    attempts = len(index.story(name).attempts)
    cause = f"{attempts} attempts seen" if attempts > 1 else "one attempt seen"
    where = "resent" if attempts > 1 else ""
    return Finding(id=name, what="copies", where=where, text=f"{name!r} at {at} ({cause})")
