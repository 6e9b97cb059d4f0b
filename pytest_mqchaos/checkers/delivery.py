"""Is the delivery class that the code claims the one that its effects show?

at_most_once = nothing twice; at_least_once = nothing lost; exactly_once = both, nothing unexpected.
A class is a promise: being better than it claims is no failure.
"""

from __future__ import annotations

from dataclasses import replace

from pytest_mqchaos.checkers.doubts import need_effects
from pytest_mqchaos.checkers.exactly_once import exactly_once
from pytest_mqchaos.checkers.idempotent import idempotent
from pytest_mqchaos.checkers.lossless import lossless
from pytest_mqchaos.checkers.verdict import Checker, Verdict
from pytest_mqchaos.errors import unknown
from pytest_mqchaos.history.history import History

_ASKED = {
    "at_most_once": idempotent(),
    "at_least_once": lossless(),
    "exactly_once": exactly_once(),
}


def delivery(*, cls: str) -> Checker:
    """The class observed keeps what `cls` ("at_most_once", "at_least_once", "exactly_once")
    promises."""
    if cls not in _ASKED:
        raise unknown("delivery class", cls, _ASKED)

    def check(history: History) -> Verdict:
        need_effects(history, "delivery")
        asked = _ASKED[cls](history)
        return replace(
            asked,
            question="delivery",
            sentence=f"{cls} claimed, {_observed(history)}: {asked.sentence}",
            parts=asked.parts or (asked,),
        )

    return check


def _observed(history: History) -> str:
    """The strongest class that this history shows, in words."""
    once, all_done = idempotent()(history).status, lossless()(history).status
    if "unknown" in (once, all_done):
        return "the observed class is not known"
    if once == all_done == "passed":
        return "exactly once observed"
    if once == "passed":
        return "at most once observed"
    return "at least once observed" if all_done == "passed" else "no class observed"
