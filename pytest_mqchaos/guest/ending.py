"""The end of a test, inside its call phase: a bad verdict is a FAILURE, no error of teardown."""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pytest_mqchaos.errors import MqchaosError, VerdictFailed
from pytest_mqchaos.guest import proof, replay
from pytest_mqchaos.guest.fixtures import RUNNING
from pytest_mqchaos.report import text

if TYPE_CHECKING:
    from pytest_mqchaos.chaos.session import Chaos

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
        report.longrepr = _placed(_proven(str(error), item, chaos), call.excinfo)
    elif isinstance(error, MqchaosError):
        report.longrepr = _placed(f"{type(error).__name__}: {error}", call.excinfo)
    elif chaos is not None and call.when == "call" and chaos.started_well:
        report.sections.append(("mqchaos", chaos.summary()))


def _proven(text: str, item: pytest.Item, chaos: Chaos | None) -> str:
    """The text with the rate of its replay line."""
    if chaos is None or not proof.wanted(item, chaos):
        return text
    return proof.added(text, chaos.telling.replay(chaos), proof.replayed(item, chaos))


def _placed(text: str, excinfo: pytest.ExceptionInfo[BaseException]) -> str:
    """The text with the user's own line that asked below its first sentence: pytest's short summary
    shows only how a text begins, and that must be what happened."""
    sentence, gap, rest = text.partition("\n\n")
    place = _place(excinfo)
    return f"{sentence}\n  {place}{gap}{rest}" if place else text


def _place(excinfo: pytest.ExceptionInfo[BaseException]) -> str:
    """`test_pay.py:31`, if a line of the user's is in the traceback."""
    here = Path.cwd()
    for entry in reversed(excinfo.traceback):
        path = Path(entry.path)
        if not any(ours in str(path) for ours in ("pytest_mqchaos", "_pytest", "pluggy")):
            near = path.relative_to(here) if path.is_relative_to(here) else path
            return f"{near}:{entry.lineno + 1}"
    return ""
