"""The end of a test, inside its call phase: a bad verdict is a FAILURE, no error of teardown."""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pytest_mqchaos.errors import DataPlaneDied, MqchaosError, NotApplicable, VerdictFailed
from pytest_mqchaos.guest import proof, replay
from pytest_mqchaos.guest.stash import LIMITS, PASSED, RUNNING, SIMULATED
from pytest_mqchaos.report import text

if TYPE_CHECKING:
    from pytest_mqchaos.chaos.session import Chaos

OURS = Path(__file__).parent.parent


def judged(item: pytest.Item, chaos: Chaos) -> Generator[None, object, object]:
    """Around the call: judge when the body passed, only clean up when it did not."""
    try:
        result = yield
    except BaseException as error:
        _clean_up(chaos, error)
        raise
    try:
        chaos.finish(body_failed=False)
    except NotApplicable as error:
        if not chaos.may_skip:
            raise
        pytest.skip(str(error).partition("\n")[0])
    if item.config.getoption("mqchaos_report"):
        chaos.telling.keep(chaos.last_history, chaos.telling.payloads(chaos))
    _note(item, chaos)
    return result


def _clean_up(chaos: Chaos, error: BaseException) -> None:
    """The body's own failure is the one to tell, unless the ground under it was gone."""
    try:
        chaos.finish(body_failed=True)
    except DataPlaneDied as died:
        if isinstance(error, Exception) and not isinstance(error, DataPlaneDied):
            raise died from error
    except MqchaosError as trouble:
        error.add_note(f"mqchaos, cleaning up after it: {type(trouble).__name__}: {trouble}")


def _note(item: pytest.Item, chaos: Chaos) -> None:
    """The summary's line, and apart from it what no pass of this run covers."""
    context = chaos.telling.context(chaos)
    line = text.passed(
        chaos.verdicts, chaos.last_history, context, profile=chaos.telling.profile, limits=False
    )
    name = item.nodeid.rpartition("::")[2]
    item.user_properties.append((PASSED, f"{name}: {line}"))
    item.user_properties += [(LIMITS, one) for one in text.uncovered(chaos.verdicts, context)]


def tell(item: pytest.Item, call: pytest.CallInfo[None], report: pytest.TestReport) -> None:
    """Our own failures speak for themselves: their text instead of a traceback into our code."""
    chaos = item.stash.get(RUNNING, None)
    either = chaos or item.stash.get(SIMULATED, None)
    if either is not None and call.when == "call":
        replay.remember(item, either, report)
    if call.excinfo is None:
        return
    error = call.excinfo.value
    if isinstance(error, VerdictFailed):
        text = "\n\n".join([str(error), *getattr(error, "__notes__", ())])  # such as the example
        report.longrepr = _placed(_proven(text, item, either), item, call.excinfo)
    elif isinstance(error, MqchaosError):
        report.longrepr = _placed(f"{type(error).__name__}: {error}", item, call.excinfo)
    elif chaos is not None and call.when == "call" and report.failed:
        report.sections.append(("mqchaos", chaos.telling.summary(chaos)))


def _proven(text: str, item: pytest.Item, chaos: Chaos | None) -> str:
    """The text with the rate of its replay line."""
    if chaos is None or not proof.wanted(item, chaos):
        return text
    return proof.added(text, chaos.telling.replay(chaos), proof.replayed(item, chaos))


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
