"""A broker's process, as the test process holds it: through a leash (leash.py), never by pid.

It knows processes, signals and log files; it must never know which broker runs in them. All
methods may be called from any thread.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from pytest_mqchaos.errors import BrokerError, WaitTimeout

_PACKAGE_ROOT = str(Path(__file__).parents[2])


class Child:
    """One process that can be started, signalled, waited for and started again.

    `directory` must exist and holds the log of its output; it is removed when the child is closed,
    also when the test process is killed. `name` is for error texts.
    """

    def __init__(self, name: str, directory: Path) -> None:
        self.name = name
        self.directory = directory
        self.log = directory / "output.log"
        self.pid: int | None = None
        self.returncode: int | None = None
        self._lock = threading.RLock()
        self._rest = b""
        self._failed: str | None = None
        self._log_from = 0
        self._leash = subprocess.Popen(
            [sys.executable, "-P", "-m", "pytest_mqchaos.brokers.leash", str(directory)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=_leash_environment(),
            start_new_session=True,  # a Ctrl-C at the terminal is for the tests, not for brokers
        )

    def start(self, argv: Sequence[str], env: Mapping[str, str] | None = None) -> None:
        """Run `argv` with the log as its output. BrokerError if it cannot be run, or runs already:
        one process at a time."""
        with self._lock:
            if self.alive():
                raise BrokerError(f"{self.name} runs already (pid {self.pid})")
            self.pid = self.returncode = self._failed = None
            self._log_from = self.log.stat().st_size if self.log.exists() else 0
            environment = dict(os.environ if env is None else env)
            self._order(
                do="start",
                argv=list(argv),
                cwd=str(self.directory),
                env=environment,
                log=str(self.log),
            )
            self._listen(lambda: self.pid is not None or self._failed is not None, 30.0)
            if self._failed is not None:
                raise BrokerError(f"{self.name} could not be started: {self._failed}")

    def alive(self) -> bool:
        with self._lock:
            self._listen(lambda: False, 0.0)
            return self.pid is not None and self.returncode is None

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the process group; nothing happens if it has ended."""
        with self._lock:
            if self.alive():
                self._order(do="signal", number=int(number))

    def wait(self, timeout: float) -> int:
        """Wait for its end; returns the exit status (negative: the signal). WaitTimeout else."""
        with self._lock:
            if not self._listen(lambda: self.returncode is not None, timeout):
                raise WaitTimeout(f"{self.name} (pid {self.pid}) did not end within {timeout:g} s")
            assert self.returncode is not None
            return self.returncode

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
        """Kill it if it runs, end the leash, remove the directory. May be called twice."""
        with self._lock:
            assert self._leash.stdin is not None
            assert self._leash.stdout is not None
            self._leash.stdin.close()
            self._leash.wait()
            self._leash.stdout.close()
            if self.pid is not None and self.returncode is None:
                self.returncode = -int(signal.SIGKILL)

    def _order(self, **words: object) -> None:
        assert self._leash.stdin is not None
        try:
            self._leash.stdin.write(json.dumps(words).encode() + b"\n")
            self._leash.stdin.flush()
        except (BrokenPipeError, ValueError) as error:  # ValueError: we closed it
            raise BrokerError(f"{self.name}: the process that holds it is gone") from error

    def _listen(self, done: Callable[[], bool], timeout: float) -> bool:
        """Take in what the leash says until `done()` or the time is over; returns `done()`."""
        end = time.monotonic() + timeout
        while not done():
            stdout = self._leash.stdout
            if stdout is None or stdout.closed:
                return done()
            left = max(0.0, end - time.monotonic())
            if not select.select([stdout], [], [], left)[0]:
                return done()
            data = os.read(stdout.fileno(), 65536)
            if not data:
                self._orphaned()
            *lines, self._rest = (self._rest + data).split(b"\n")
            for line in lines:
                self._heard(json.loads(line))
        return True

    def _heard(self, words: dict[str, object]) -> None:
        match words:
            case {"pid": int(pid)}:
                self.pid = pid
            case {"exit": int(code)}:
                self.returncode = code
            case {"failed": str(why)}:
                self._failed = why

    def _orphaned(self) -> None:
        """The leash was killed from outside: end what it held, as it can no longer."""
        if self.pid is not None and self.returncode is None:
            self.returncode = -int(signal.SIGKILL)
            with contextlib.suppress(ProcessLookupError):  # it may have ended by itself
                os.killpg(self.pid, signal.SIGKILL)
        raise BrokerError(f"{self.name}: the process that holds it was killed from outside")


def _leash_environment() -> dict[str, str]:
    """The leash must import this very package, wherever the tests found it."""
    path = os.environ.get("PYTHONPATH")
    joined = _PACKAGE_ROOT if not path else os.pathsep.join((_PACKAGE_ROOT, path))
    return {**os.environ, "PYTHONPATH": joined}
