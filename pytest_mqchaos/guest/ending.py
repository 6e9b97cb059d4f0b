"""The end of a test, inside its call phase: a bad verdict is a FAILURE, no error of teardown."""

from __future__ import annotations

from collections.abc import Generator

import pytest

from pytest_mqchaos.errors import MqchaosError, VerdictFailed
from pytest_mqchaos.guest import replay
from pytest_mqchaos.guest.fixtures import RUNNING
from pytest_mqchaos.report import text

LINES = "mqchaos"  # user property: one summary line of a passed test


def judged(item: pytest.Item) -> Generator[None, object, object]:
    """Around the call: judge when the body passed, only clean up when it did not."""
    try:
        result = yield
    except BaseException:
        chaos = item.stash.get(RUNNING, None)
        if chaos is not None:
            chaos.finish(body_failed=True)
        raise
    chaos = item.stash.get(RUNNING, None)
    if chaos is not None:
        chaos.finish(body_failed=False)
        line = text.passed(
            chaos.verdicts, chaos.last_history, chaos.telling.context(chaos),
            profile=chaos.telling.profile,
        )  # fmt: skip
        item.user_properties.append((LINES, f"{item.nodeid.rpartition('::')[2]}: {line}"))
    return result


def tell(item: pytest.Item, call: pytest.CallInfo[None], report: pytest.TestReport) -> None:
    """Our own failures speak for themselves: their text instead of a traceback into our code."""
    chaos = item.stash.get(RUNNING, None)
    if chaos is not None and call.when == "call":
        replay.remember(item, chaos, report)
    if call.excinfo is None:
        return
    error = call.excinfo.value
    if isinstance(error, VerdictFailed):
        report.longrepr = f"{_place(call.excinfo)}{error}"
    elif isinstance(error, MqchaosError):
        report.longrepr = f"{_place(call.excinfo)}{type(error).__name__}: {error}"
    elif chaos is not None and call.when == "call" and chaos.started_well:
        report.sections.append(("mqchaos", chaos.summary()))


def _place(excinfo: pytest.ExceptionInfo[BaseException]) -> str:
    """The user's own line that asked, if it is in the traceback."""
    for entry in reversed(excinfo.traceback):
        path = str(entry.path)
        if "pytest_mqchaos" not in path and "_pytest" not in path and "pluggy" not in path:
            return f"{path}:{entry.lineno + 1}: "
    return ""
