"""What a test failed with: its errors, the run that each came from, the arguments of its example.

It knows pytest's errors and what Hypothesis hangs on them as notes; it must never know how they are
judged. A replay line that was written inside of an example is completed here: only at the end of
its test is it known what the example was drawn from.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pytest_mqchaos.chaos.telling import line, run_of
from pytest_mqchaos.errors import MqchaosError, VerdictFailed
from pytest_mqchaos.guest import examples, replay
from pytest_mqchaos.guest.stash import RUNNING, SIMULATED
from pytest_mqchaos.search.given import Given, is_print, judged, printed

if TYPE_CHECKING:
    from pytest_mqchaos.chaos.roles import Run
    from pytest_mqchaos.search.failure import Failure

FLAKY = "FlakyFailure"
EXPLANATION = "Explanation:"  # then lines that only failing examples ran, a note each
OURS = str(Path(__file__).parent.parent)
_PLACE = re.compile(r":\d+\s*$")


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One error of a test; a test has several where Hypothesis has found several. `given`: its
    drawn arguments, `arguments`: pytest's, to see it again; `flaky`: it passed when it was run once
    more."""

    error: BaseException
    chaos: Run
    given: Given | None
    arguments: tuple[str, ...]
    flaky: bool = False

    @property
    def line(self) -> str:
        """The replay line."""
        return line(self.arguments) if self.arguments else ""

    @property
    def text(self) -> str | None:
        """What speaks for itself; None where pytest shows a traceback."""
        text = told(self.error)
        more = "\n\nflaky: the same example passed when Hypothesis ran it again"
        return f"{text}{more}" if text and self.flaky else text

    def failure(self, item: pytest.Item, rate: tuple[int, int] | None = None) -> Failure:
        """What is to be kept of it."""
        sentence = " ".join(str(self.error).partition("\n\n")[0].split())
        if not isinstance(self.error, VerdictFailed):
            sentence = f"{type(self.error).__name__}: {sentence}"
        return replay.failure(item, self.chaos, sentence=sentence, rate=rate, given=self.given)


def told(error: BaseException) -> str | None:
    """What one of our errors says for itself; None for any other."""
    if isinstance(error, VerdictFailed):
        text = str(error)
    elif isinstance(error, MqchaosError):
        text = f"{type(error).__name__}: {error}"
    else:
        return None
    notes = "\n".join(_notes(error))  # such as the example
    return f"{text}\n\n{notes}" if notes else text


def parts(item: pytest.Item, call: pytest.CallInfo[None]) -> list[Part]:
    """The errors of a test that come from a run of chaos, each with its whole replay line."""
    if call.excinfo is None or call.when != "call":
        return []
    error = call.excinfo.value
    test = examples.subject(item)
    default = item.stash.get(RUNNING, None) or item.stash.get(SIMULATED, None)
    outer = printed(_notes(error), test)
    group = isinstance(error, BaseExceptionGroup)
    found = []
    for leaf in _leaves(error):
        chaos = run_of(leaf) or (None if group or _of_hypothesis(leaf) else default)
        if chaos is None:
            continue
        given = printed(_notes(leaf), test) or outer or examples.given_for(item)
        part = Part(
            error=leaf, chaos=chaos, given=given, flaky=group and type(error).__name__ == FLAKY,
            arguments=tuple(replay.arguments(item, chaos, given)),
        )  # fmt: skip
        _complete(part)
        found.append(part)
    told = item.stash.get(examples.TOLD, None)
    if found and told is not None:  # a property test
        for one in (error, *(part.error for part in found)):
            one.__notes__ = list(_plainer(_notes(one), told=told))
    return found


def settle(item: pytest.Item, call: pytest.CallInfo[None], report: pytest.TestReport) -> None:
    """Of a replayed unittest.TestCase (a state machine is one): that it passed now is no failure.
    Elsewhere `brought` has seen to that; here the case itself has caught it."""
    error = None if call.excinfo is None else call.excinfo.value
    given = examples.given_for(item)
    if given is None or error is None or type(error).__name__ != "DidNotReproduce":
        return
    changed = judged(given, error)
    if changed is not None:
        report.longrepr = told(changed) or ""
        return
    call.excinfo, report.longrepr, report.outcome = None, None, "passed"


def _leaves(error: BaseException) -> Iterator[BaseException]:
    if isinstance(error, BaseExceptionGroup):
        for one in error.exceptions:
            yield from _leaves(one)
    else:
        yield error


def _of_hypothesis(error: BaseException) -> bool:
    """It is about the property test itself (a health check), not about an example."""
    return type(error).__module__.partition(".")[0] == "hypothesis"


def _complete(part: Part) -> None:
    short, error = part.chaos.telling.replay(part.chaos), part.error
    if not short or short == part.line:
        return
    if isinstance(error, VerdictFailed) and part.line not in str(error):
        error.args = (str(error).replace(short, part.line),)
    if _notes(error):
        error.__notes__ = [
            one if part.line in one else one.replace(short, part.line) for one in _notes(error)
        ]


def _plainer(notes: Iterable[str], *, told: bool) -> Iterator[str]:
    """Without Hypothesis's own way to reproduce, unless it was asked for (`told`), and without an
    explanation of which only lines of ours are left."""
    held: list[str] = []
    for note in notes:
        if held and note.startswith("    "):
            held.append(note)
            continue
        yield from _explained(held)
        held = [note] if note.strip() == EXPLANATION else []
        if not held and (told or not is_print(note)):
            yield note
    yield from _explained(held)


def _explained(held: list[str]) -> list[str]:
    kept = [one for one in held if OURS not in one]
    return kept if any(_PLACE.search(one) for one in kept) else []


def _notes(error: BaseException) -> list[str]:
    return list(getattr(error, "__notes__", ()))
