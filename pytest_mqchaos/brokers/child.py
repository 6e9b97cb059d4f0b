"""A broker's process, as the test process holds it: on the leash, never by pid.

It knows processes, signals and log files; it must never know which broker runs in them. All
methods may be called from any thread.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path

from pytest_mqchaos.errors import BrokerError, WaitTimeout
from pytest_mqchaos.leash import hold


class Child:
    """One process that can be started, signalled, waited for and started again.

    `directory` (of `hold.directory`) holds the log of its output and goes when the child is closed.
    `name` is for error texts.
    """

    def __init__(self, name: str, directory: Path) -> None:
        self.name = name
        self.directory = directory
        self.log = directory / "output.log"
        self._lock = threading.RLock()
        self._held: hold.Held | None = None
        self._closed = False
        self._log_from = 0

    @property
    def pid(self) -> int | None:
        """Of the process that runs, or ran last; None before the first start."""
        return self._held.pid if self._held is not None else None

    @property
    def returncode(self) -> int | None:
        """Its exit status (negative: the signal); None while it runs, or before."""
        return self._held.status if self._held is not None else None

    def start(self, argv: Sequence[str], env: Mapping[str, str] | None = None) -> None:
        """Run `argv` with the log as its output. BrokerError if it cannot be run, or runs already:
        one process at a time."""
        with self._lock:
            if self.alive():
                raise BrokerError(f"{self.name} runs already (pid {self.pid})")
            if self._closed:
                raise BrokerError(f"{self.name} was closed, its directory is gone: make a new one")
            self._held = None
            self._log_from = self.log.stat().st_size if self.log.exists() else 0
            environment = os.environ if env is None else env
            with self.log.open("ab") as log:
                try:
                    self._held = hold.start(
                        argv, env=environment, output=log.fileno(), cwd=self.directory
                    )
                except (OSError, ValueError) as error:
                    raise BrokerError(f"{self.name} could not be started: {error}") from error

    def alive(self) -> bool:
        held = self._held
        return held is not None and held.status is None

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the process group; nothing happens if it has ended."""
        with self._lock:
            if self._held is not None:
                self._held.signal(number, group=True)

    def wait(self, timeout: float) -> int:
        """Wait for its end; returns the exit status (negative: the signal). WaitTimeout else."""
        held = self._held
        status = held.wait(timeout) if held is not None else None
        if held is None or status is None:
            raise WaitTimeout(f"{self.name} (pid {self.pid}) did not end within {timeout:g} s")
        if held.lost:
            raise BrokerError(f"{self.name}: the process that holds it was killed from outside")
        return status

    def check(self) -> None:
        """Raise BrokerError with the last lines of output if the process has ended."""
        if not self.alive():
            raise BrokerError(
                f"{self.name} ended early with status {self.returncode}. Its last lines:\n"
                f"{self.last_lines()}"
            )

    def last_lines(self, count: int = 15) -> str:
        """The end of what it wrote since its last start, indented; "(no output)" for nothing."""
        if not self.log.exists():
            return "  (no output)"
        with self.log.open("rb") as log:
            log.seek(max(self._log_from, self.log.stat().st_size - 65536))
            lines = log.read().decode(errors="replace").splitlines()[-count:]
        return "\n".join(f"  {line[:300]}" for line in lines) or "  (no output)"

    def close(self) -> None:
        """Kill it if it runs, remove the directory. May be called twice."""
        with self._lock:
            self._closed = True
            if self._held is not None:
                self._held.signal(signal.SIGKILL, group=True)
                self._held.wait()
            hold.discard(self.directory)
