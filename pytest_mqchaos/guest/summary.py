"""One line per passed chaos test, what became of stored failures, and how many tests had no broker:
below the results."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import pytest

from pytest_mqchaos.guest.stash import (
    FIXED,
    HUNTED,
    INTERRUPTED,
    LIMITS,
    NO_BROKER,
    PASSED,
    SWEPT,
    UNSURE,
)


def write(reporter: pytest.TerminalReporter) -> None:
    """Write our section, if there is anything to say."""
    _long(reporter, SWEPT, "mqchaos sweep")
    interrupted: list[str] = reporter.config.stash.get(INTERRUPTED, [])
    _long(reporter, HUNTED, "mqchaos search", interrupted)
    told = [
        (name, str(value))
        for report in reporter.stats.get("passed", [])
        if report.when == "call"
        for name, value in report.user_properties
    ]
    lines = dict.fromkeys(value for name, value in told if name in (PASSED, FIXED, UNSURE))
    absent = _without_broker(reporter)
    if not (lines or absent) or reporter.no_summary:
        return
    reporter.section("mqchaos", sep="-")
    for line in lines:
        reporter.line(line)
    limits = Counter(value for name, value in told if name == LIMITS)
    if limits:
        reporter.line("What these passes do not cover:")
    for limit, count in limits.items():
        reporter.line(f"  {limit} ({_tests(count)})")
    for reason, count in absent.items():
        reporter.line(f"{_tests(count)} skipped, which say nothing: {reason}")


def _tests(count: int) -> str:
    return f"{count} {'test' if count == 1 else 'tests'}"


def _without_broker(reporter: pytest.TerminalReporter) -> Counter[str]:
    """Why there was no broker, and how many tests wanted it: a run that is green because of that
    must say so, also without `-rs`."""
    reasons = (
        report.longrepr[2].removeprefix("Skipped: ")
        for report in reporter.stats.get("skipped", [])
        if isinstance(report.longrepr, tuple)
    )
    return Counter(reason for reason in reasons if reason.startswith(NO_BROKER))


def _long(
    reporter: pytest.TerminalReporter, named: str, title: str, more: Sequence[str] = ()
) -> None:
    """What each sweep or search has shown, whatever became of its test."""
    reports = [*reporter.stats.get("passed", []), *reporter.stats.get("failed", [])]
    told = dict.fromkeys(
        str(value)
        for report in reports
        if report.when == "call"
        for name, value in report.user_properties
        if name == named
    )
    told.update(dict.fromkeys(more))
    if told and not reporter.no_summary:
        reporter.section(title, sep="-")
        for text in told:
            for line in text.split("\n"):
                reporter.line(line)
