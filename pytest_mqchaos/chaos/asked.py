"""What was asked and answered; and what was asked too early, while messages still moved: a pass of
then says nothing of what came after.

It asks again what it was told; it must never judge by itself.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from pytest_mqchaos.checkers.registry import run
from pytest_mqchaos.checkers.verdict import Checker, Verdict
from pytest_mqchaos.history.history import History

_EARLY = "ask after chaos.settle()"


class Asked:
    """The answers of one Chaos, in the order in which they were given."""

    def __init__(self) -> None:
        self.verdicts: list[Verdict] = []
        self._settled_at = 0
        self._early: dict[str, Checker] = {}  # the last pass of each question

    def settled(self, now: int) -> None:
        """Nothing moves any more, at this instant."""
        self._settled_at = now

    def ask(self, question: Checker, history: History) -> Verdict:
        """The answer now."""
        verdict = run(question, history)
        self.verdicts.append(verdict)
        self._early.pop(verdict.question, None)
        if verdict.status == "passed" and self._moved(history):
            self._early[verdict.question] = question
        return verdict

    def _moved(self, history: History) -> bool:
        """Whether anything was published or handed out since it had settled."""
        times = [row.t for row in history.attempts[-1:]]
        times += [row.t for row in history.deliveries[-1:]]
        return max(times, default=0) > self._settled_at

    def failed_since(self, history: History) -> Iterator[Verdict]:
        """What passed too early and fails in the end."""
        for question in self._early.values():
            verdict = run(question, history)
            if verdict.status == "failed":
                said = "it had passed, asked before the run had settled"
                yield replace(
                    verdict, sentence=f"{verdict.sentence} ({said})",
                    advice=f"{verdict.advice}; {_EARLY}" if verdict.advice else _EARLY,
                )  # fmt: skip
