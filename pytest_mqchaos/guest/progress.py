"""One line that says how far something long is: rewritten on a terminal, now and then in a file.

It knows pytest's terminal and capturing; it must never know what is told.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import nullcontext
from typing import Any

import pytest

EVERY = 0.5, 10.0  # seconds between two lines: on a terminal, in a file


class Progress:
    """The line of one test."""

    def __init__(self, config: pytest.Config) -> None:
        self._reporter: Any = config.pluginmanager.get_plugin("terminalreporter")
        capture: Any = config.pluginmanager.get_plugin("capturemanager")
        self._uncaptured = capture.global_and_fixture_disabled if capture else nullcontext
        self._terminal = bool(self._reporter and self._reporter.isatty)
        self._every = EVERY[0] if self._terminal else EVERY[1]
        self._next = time.monotonic() + self._every
        self._written = False

    def tell(self, said: Callable[[], str]) -> None:
        """Say it, if it is time to."""
        now = time.monotonic()
        if self._reporter is None or now < self._next:  # a worker of xdist has no terminal
            return
        self._next = now + self._every
        self._write(said())

    def end(self) -> None:
        """Leave the terminal as it was."""
        if self._written and self._terminal:
            self._write("")

    def _write(self, line: str) -> None:
        self._written = True
        with self._uncaptured():
            if self._terminal:
                self._reporter.rewrite(line, erase=True)
            else:
                self._reporter.ensure_newline()
                self._reporter.write_line(line)
            self._reporter.flush()
