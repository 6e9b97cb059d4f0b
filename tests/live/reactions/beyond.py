"""What was measured beforehand and no rule says: the row, why, and, where the rules themselves
refuse it, the rule (a test asks each again)."""

from __future__ import annotations

from typing import NamedTuple


class Beyond(NamedTuple):
    """`rule` is refused when it is armed; None: there is not even a word for it."""

    row: str
    why: str
    rule: str | None = None


ROWS = (
    Beyond(
        "1.1 case 3 with RST in place of FIN",
        "A lost confirm always ends with a FIN; with a reset at the same frame the answers before "
        "it might be lost too, which `on.publish(...).sever(reset=True)` causes on purpose.",
        "on.confirm(nth=3).sever(reset=True)",
    ),
    Beyond(
        "1.1 case 5, refused 7 or 20 without being forwarded",
        "A broker says these after its leader has appended. `.refuse(7)` and `.refuse(20)` forward "
        "the request and change the answer only (rows *5 forwarded*).",
    ),
    Beyond(
        "1.1 case 5, forwarded and answered 6 in place of 0",
        "6 means that nothing was appended: `.refuse(6)` does not forward.",
    ),
    Beyond(
        "1.1 refused 7 eight times running, not forwarded",
        "As above; the row is run with 6.",
    ),
    Beyond(
        "1.2 burst, response 3 swallowed with an immediate close, requests behind it stored",
        "`on.confirm(...).drop()` lets nothing pass behind the request, so that exactly one copy "
        "is made; without that the number of copies is chance.",
        "on.confirm(nth=3).sever()",
    ),
    Beyond(
        "1.2 max.in.flight=1 with a held answer",
        "`.reorder()` refuses only when the next request has arrived; with one in flight none "
        "does, and the rule says so. librdkafka's disorder is shown by the burst row.",
    ),
    Beyond(
        "2 case 10, commit response, dark",
        "The broker kept the position and the client cannot tell it from case 9, dark: one row.",
        "on.ack_confirm(nth=3).hang()",
    ),
    Beyond(
        "2 case 12, leave, then swallow the commit and close",
        "Two faults at one frame: the eviction alone has the same consequence (the commit fails).",
    ),
    Beyond(
        "2 case 14, fetch answered 6",
        "A fetch changes nothing in the broker; a leader that moved is caused by moving it.",
        "on.deliver(nth=1).refuse(6)",
    ),
    Beyond(
        "2 case 14, fetch answered 1 (OFFSET_OUT_OF_RANGE)",
        "It carries broker state and is caused: rows *deleted to 8, committed 5*.",
        "on.deliver(nth=1).refuse(1, forge=True)",
    ),
    Beyond(
        "15 a killed member that stays in its group until its session ends",
        "A crash by a rule or by `worker.crash()` ends the dead member's membership with a real "
        "LeaveGroup: the same consequence, 10 to 45 s sooner.",
    ),
    Beyond(
        "3 EndTxn response lost + close",
        "Requests by name are refused or cut; only confirms and commits have answers to lose.",
        "on.control(api='EndTxn', nth=2).drop()",
    ),
)
