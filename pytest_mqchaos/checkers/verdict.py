"""What a checker answers. The worst of several answers wins, each keeps its own evidence."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal, NoReturn, Protocol, TypeAlias

from pytest_mqchaos.errors import UsageError
from pytest_mqchaos.history.history import History

Status: TypeAlias = Literal["passed", "failed", "unknown"]
_WORSE: dict[Status, int] = {"passed": 0, "unknown": 1, "failed": 2}


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One message (or key, or group) that the verdict is about, worst first in `Verdict.findings`.

    `what` is a short word of checks.md (lost, repeated, partial, skipped, waiting, altered,
    unexpected, out of order, acked early...), `where` the furthest stage with proof, `text`
    one line.
    """

    id: str
    what: str
    where: str = ""
    text: str = ""
    by: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """`question` is the checker's name, `sentence` what a person reads first, `population` counts
    what was looked at (an ordered mapping of words to numbers), `missing` says for `unknown` what
    to add, `advice` what would fix a failure, `limits` what a pass does not cover."""

    question: str
    status: Status
    sentence: str
    population: Mapping[str, int] = field(default_factory=dict)
    findings: tuple[Finding, ...] = ()
    missing: str = ""
    advice: str = ""
    limits: tuple[str, ...] = ()
    parts: tuple[Verdict, ...] = ()

    def __bool__(self) -> NoReturn:
        """No yes or no: `assert chaos.check(...)` would be true of a failure, too."""
        raise UsageError(
            f"the verdict of {self.question} was asked for its truth, but there are three answers "
            f"(this one is {self.status!r}): compare it, chaos.check(...).status == 'passed', or "
            "ask with chaos.assert_<question>(...), which raises"
        )


class Checker(Protocol):
    """One question. A pure function of a history; it is never handed anything else."""

    def __call__(self, history: History) -> Verdict: ...


def worst(verdicts: Iterable[Verdict]) -> Verdict:
    """The verdict that decides; of equals the first."""
    return max(verdicts, key=lambda verdict: _WORSE[verdict.status])
