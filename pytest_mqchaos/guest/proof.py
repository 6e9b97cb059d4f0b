"""The replay line is run once before it is printed: in a process of its own, as it will be pasted.

It knows the line and exit codes of pytest; it must never change a verdict.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pytest_mqchaos.guest.settings import config_of
from pytest_mqchaos.leash import hold

if TYPE_CHECKING:
    from pytest_mqchaos.chaos.session import Chaos

ENVIRONMENT = "MQCHAOS_REPLAYING"  # set in the replay itself, so that it does not replay again
LIMIT = 60.0  # seconds
_DONE = pytest.StashKey[int]()
_PASSED, _FAILED = 0, 1


def wanted(item: pytest.Item, chaos: Chaos) -> bool:
    """Whether this failure is replayed: it has rules, it is none itself, and few were before it."""
    config = item.config
    settings = config_of(config)
    return (
        bool(chaos.plan.rules)
        and ENVIRONMENT not in os.environ
        and config.getoption("mqchaos_plan") is None
        and settings.listen is None  # the port is ours already
        and config.stash.get(_DONE, 0) < settings.replays
    )


def replayed(item: pytest.Item, chaos: Chaos) -> str:
    """Run the line once and say what came of it."""
    config = item.config
    config.stash[_DONE] = config.stash.get(_DONE, 0) + 1
    environment = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("PYTEST_XDIST", "PYTEST_CURRENT_TEST"))
    }
    line = [sys.executable, "-m", "pytest", "-q", *chaos.telling.arguments(chaos)]
    with Path(os.devnull).open("wb") as nowhere:
        run = hold.start(
            line, cwd=config.invocation_params.dir, env={**environment, ENVIRONMENT: "1"},
            output=nowhere.fileno(),
        )  # fmt: skip
    try:
        code = run.wait(LIMIT)
    finally:  # also after a Ctrl-C, which it does not hear
        run.signal(signal.SIGKILL, group=True)
    if code is None:
        return f"replayed once: did not end within {LIMIT:.0f} s"
    if code == _FAILED:
        return "reproduced 1/1"
    if code == _PASSED:
        return "reproduced 0/1: it passed when it was replayed, so something else plays a part"
    return f"could not be replayed here (pytest's exit code {code})"


def added(text: str, line: str, told: str) -> str:
    """The text with what came of the replay below its line."""
    return "\n".join(
        f"{row}\n{' ' * row.index(line)}{told}" if line and line in row else row
        for row in text.split("\n")
    )
