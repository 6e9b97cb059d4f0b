"""The replay line is run once before it is printed: in a process of its own, as it will be pasted.

It knows the line and exit codes of pytest; it must never change a verdict.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import pytest

from pytest_mqchaos.guest.settings import config_of
from pytest_mqchaos.leash import hold

ENVIRONMENT = "MQCHAOS_REPLAYING"  # set in the replay itself, so that it does not replay again
LIMIT = 60.0  # seconds
_DONE = pytest.StashKey[int]()
_PASSED, _FAILED = 0, 1


class Proof(NamedTuple):
    """What came of a line that was run, in words, and how often it failed of how many times."""

    told: str
    rate: tuple[int, int] | None = None


def wanted(item: pytest.Item, line: Sequence[str]) -> bool:
    """Whether this failure is replayed: its line brings a plan, it is no replay itself, and few
    were before it."""
    config = item.config
    settings = config_of(config)
    return (
        any(word.startswith("--mqchaos-plan=") for word in line)
        and ENVIRONMENT not in os.environ
        and config.getoption("mqchaos_plan") is None
        and settings.listen is None  # the port is ours already
        and config.stash.get(_DONE, 0) < settings.replays
    )


def replayed(item: pytest.Item, line: Sequence[str], times: int = 1) -> Proof:
    """Run the line and say what came of it: `times`, or until something else than a result came."""
    config = item.config
    config.stash[_DONE] = config.stash.get(_DONE, 0) + 1
    failed = 0
    for _ in range(times):
        code = _run(config, line)
        if code is None:
            return Proof(told=f"replayed once: did not end within {LIMIT:.0f} s")
        if code not in (_PASSED, _FAILED):
            return Proof(told=f"could not be replayed here (pytest's exit code {code})")
        failed += code == _FAILED
    told = f"reproduced {failed}/{times}"
    if not failed:
        told += ": it passed when it was replayed, so something else plays a part"
    return Proof(told=told, rate=(failed, times))


def _run(config: pytest.Config, line: Sequence[str]) -> int | None:
    """The exit code of pytest; None if it did not end."""
    environment = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("PYTEST_XDIST", "PYTEST_CURRENT_TEST"))
    }
    with Path(os.devnull).open("wb") as nowhere:
        run = hold.start(
            [sys.executable, "-m", "pytest", "-q", *line], cwd=config.invocation_params.dir,
            env={**environment, ENVIRONMENT: "1"}, output=nowhere.fileno(),
        )  # fmt: skip
    try:
        return run.wait(LIMIT)
    finally:  # also after a Ctrl-C, which it does not hear
        run.signal(signal.SIGKILL, group=True)


def added(text: str, line: str, told: str) -> str:
    """The text with what came of the replay below its line."""
    return "\n".join(
        f"{row}\n{' ' * row.index(line)}{told}" if line and line in row else row
        for row in text.split("\n")
    )
