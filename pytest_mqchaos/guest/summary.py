"""One line per passed chaos test, and what became of stored failures, below the results."""

from __future__ import annotations

import pytest

from pytest_mqchaos.guest.ending import LINES
from pytest_mqchaos.guest.replay import FIXED


def write(reporter: pytest.TerminalReporter) -> None:
    """Write our section, if there is anything to say."""
    lines = [
        str(value)
        for report in reporter.stats.get("passed", [])
        for name, value in getattr(report, "user_properties", ())
        if name in (LINES, FIXED)
    ]
    if lines and not reporter.no_summary:
        reporter.section("mqchaos", sep="-")
        for line in dict.fromkeys(lines):
            reporter.line(line)
