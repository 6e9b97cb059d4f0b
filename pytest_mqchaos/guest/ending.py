"""The end of a test, inside its call phase: a bad verdict is a FAILURE, no error of teardown."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pytest_mqchaos.errors import DataPlaneDied, MqchaosError, NotApplicable, VerdictFailed
from pytest_mqchaos.guest import proof, replay
from pytest_mqchaos.guest.failing import Part, told
from pytest_mqchaos.guest.stash import LIMITS, RATE, RUNNING, SIMULATED, say
from pytest_mqchaos.report import text

if TYPE_CHECKING:
    from pytest_mqchaos.chaos.roles import Run
    from pytest_mqchaos.chaos.session import Chaos

OURS = Path(__file__).parent.parent
SEVERAL = "\n\n" + "═" * 100 + "\n\n"
TIMES = 5  # runs of a replay line of what has passed once


def judge(item: pytest.Item, chaos: Chaos) -> None:
    """The body of the test has passed: what its chaos says of that."""
    try:
        chaos.finish(body_failed=False)
    except NotApplicable as error:
        if not chaos.may_skip:
            raise
        pytest.skip(str(error).partition("\n")[0])
    if item.config.getoption("mqchaos_report"):
        chaos.telling.keep(chaos.last_history, chaos.telling.payloads(chaos))
    note(item, chaos)


def given_up(chaos: Chaos, error: BaseException) -> None:
    """The body of the test has failed: only clean up. Its failure is the one to tell, unless the
    ground under it was gone."""
    try:
        chaos.finish(body_failed=True)
    except DataPlaneDied as died:
        if isinstance(error, Exception) and not isinstance(error, DataPlaneDied):
            raise died from error
    except MqchaosError as trouble:
        error.add_note(f"mqchaos, cleaning up after it: {type(trouble).__name__}: {trouble}")


def note(item: pytest.Item, chaos: Run) -> None:
    """The summary's line, and apart from it what no pass of this run covers."""
    context = chaos.telling.context(chaos)
    line = text.passed(
        chaos.verdicts, chaos.last_history, context, profile=chaos.telling.profile, limits=False
    )
    say(item, line)
    item.user_properties += [(LIMITS, one) for one in text.uncovered(chaos.verdicts, context)]


def tell(
    item: pytest.Item, call: pytest.CallInfo[None], report: pytest.TestReport, parts: list[Part]
) -> None:
    """Our own failures speak for themselves: their text instead of a traceback into our code.
    Those of the call phase are kept."""
    running = item.stash.get(RUNNING, None)
    if call.excinfo is None:
        if call.when == "call":
            replay.passed(item, running or item.stash.get(SIMULATED, None), report)
        return
    if report.failed:
        for part in parts:
            replay.keep(item, part.failure(item, item.stash.get(RATE, None)))
    texts = [_told(part, item, report) for part in parts]
    error = call.excinfo.value
    if texts and all(texts):
        report.longrepr = SEVERAL.join(text for text in texts if text)
    elif not parts and (text := told(error)):  # no run of its own: while it was set up
        report.longrepr = _placed(text, item, call.excinfo)
    elif running is not None and call.when == "call" and report.failed:
        report.sections.append(("mqchaos", running.telling.summary(running)))


def _told(part: Part, item: pytest.Item, report: pytest.TestReport) -> str | None:
    """Its text with the place and the rate of its replay line, if it speaks for itself."""
    text = part.text
    if text is None:
        return None
    proved = not report.failed or RATE in item.stash or not isinstance(part.error, VerdictFailed)
    if not proved and proof.wanted(item, part.arguments):
        came = proof.replayed(item, part.arguments, TIMES if part.flaky else 1)
        text = proof.added(text, part.line, came.told)
        if came.rate is not None:
            replay.keep(item, part.failure(item, came.rate))
    return _placed(text, item, pytest.ExceptionInfo.from_exception(part.error))


def _placed(text: str, item: pytest.Item, excinfo: pytest.ExceptionInfo[BaseException]) -> str:
    """The text with the user's own line that asked below its first sentence: pytest's short summary
    shows only how a text begins, and that must be what happened."""
    sentence, gap, rest = text.partition("\n\n")
    place = _place(item, excinfo)
    return f"{sentence}\n  {place}{gap}{rest}" if place else text


def _place(item: pytest.Item, excinfo: pytest.ExceptionInfo[BaseException]) -> str:
    """`test_pay.py:31`: the innermost line of the project's own, if one is in the traceback."""
    root = item.config.rootpath
    for entry in reversed(excinfo.traceback):
        path = Path(entry.path)
        own = path.is_relative_to(root) or path == item.path
        if own and not path.is_relative_to(OURS) and "site-packages" not in path.parts:
            here = Path.cwd()
            near = path.relative_to(here) if path.is_relative_to(here) else path
            return f"{near}:{entry.lineno + 1}"
    return ""
