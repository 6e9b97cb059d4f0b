"""What was asked and answered; what was asked too early, while messages still moved: a pass of then
says nothing of what came after; and what was answered to nobody.

It asks again what it was told; it must never judge by itself.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields, replace
from typing import Any
from weakref import ReferenceType, ref

from pytest_mqchaos.checkers.registry import run
from pytest_mqchaos.checkers.verdict import Checker, Verdict
from pytest_mqchaos.history.history import History

_EARLY = "ask after chaos.settle()"
_LOOK = "ask with chaos.assert_<question>(...), or say chaos.check(...).status == 'passed'"
_NOBODY: set[str] = set()  # a copy's looks are nobody's to count


class _Given(Verdict):
    """A verdict in somebody's hands. It tells whether anybody looked at it."""

    __slots__ = ("__weakref__", "_looks")
    _looks: set[str]

    def __getattribute__(self, name: str) -> Any:
        if not name.startswith("_"):
            getattr(self, "_looks", _NOBODY).add(name)
        return super().__getattribute__(name)


class Asked:
    """The answers of one Chaos, in the order in which they were given."""

    def __init__(self) -> None:
        self.verdicts: list[Verdict] = []
        self._settled_at = 0
        self._early: dict[str, Checker] = {}  # the last pass of each question
        self._given: list[tuple[Verdict, ReferenceType[_Given], set[str]]] = []

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

    def give(self, verdict: Verdict) -> Verdict:
        """The same verdict, for who asked without wishing it to raise."""
        given = _Given(**{each.name: getattr(verdict, each.name) for each in fields(verdict)})
        looks: set[str] = set()
        object.__setattr__(given, "_looks", looks)
        self._given.append((verdict, ref(given), looks))
        return given

    def unread(self) -> Iterator[Verdict]:
        """What did not pass, and nobody looked, nor can any more: `chaos.check(...)` alone raises
        nothing."""
        for verdict, given, looks in self._given:
            if verdict.status != "passed" and not looks and given() is None:
                yield _also(verdict, "chaos.check gave this answer, and nobody looked at it", _LOOK)

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
                yield _also(verdict, "it had passed, asked before the run had settled", _EARLY)


def _also(verdict: Verdict, said: str, advice: str) -> Verdict:
    told = f"{verdict.advice}; {advice}" if verdict.advice else advice
    return replace(verdict, sentence=f"{verdict.sentence} ({said})", advice=told)
