"""A process group of ours: started in a session of its own, killed as a whole, never left behind.

It knows processes, nothing of workers. The reaper (a process of its own, one per test process) is
told of every group, so that the group dies with us even if we are killed.
"""

from __future__ import annotations

import atexit
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from pytest_mqchaos.errors import WaitTimeout
from pytest_mqchaos.workloads import reaper

_POLL = 0.002  # seconds between two looks at a group whose processes are not our children


class Group:
    """One started command: its leader is our child, its descendants share its group."""

    def __init__(
        self,
        argv: Sequence[str | os.PathLike[str]],
        env: Mapping[str, str],
        cwd: Path | None = None,
    ) -> None:
        self._process = subprocess.Popen(
            list(argv),
            env=dict(env),
            cwd=cwd,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        self.pid = self._process.pid
        _reapers.tell(f"+{self.pid}")
        self.output = self._process.stdout

    def signal(self, number: int) -> None:
        """Send a signal to the leader alone, as a supervisor does for a graceful end."""
        try:
            os.kill(self.pid, number)  # Popen.send_signal would reap it under the waiting thread
        except ProcessLookupError:
            return  # it ended by itself

    def kill(self) -> None:
        """SIGKILL every process of the group."""
        try:
            os.killpg(self.pid, signal.SIGKILL)
        except ProcessLookupError:
            return  # nobody left
        except PermissionError:
            if members(self.pid):  # macOS answers so for a group of zombies
                raise

    def wait(self) -> int:
        """Wait for the leader, kill what it left behind, and give its status (negative: signal).

        To be called by one thread, once. Until the leader is reaped its pid cannot be reused, so
        the kill cannot hit strangers.
        """
        if hasattr(os, "waitid"):
            os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOWAIT)
            self.kill()
            status = self._process.wait()
        else:
            status = self._process.wait()
            self.kill()  # a group with living members keeps its number, so no stranger has it
        _reapers.tell(f"-{self.pid}")
        return status

    def wait_empty(self, limit: float) -> None:
        """Wait until no process of the group lives. Raises `WaitTimeout` with their pids."""
        _wait_for_none(
            lambda: members(self.pid), limit, f"process group {self.pid} was killed, but"
        )


def kill_one(pid: int, limit: float) -> None:
    """SIGKILL one process of a group and wait until it is dead. Raises `WaitTimeout`."""
    group = os.getpgid(pid)
    os.kill(pid, signal.SIGKILL)
    _wait_for_none(
        lambda: [living for living in members(group) if living == pid],
        limit,
        f"process {pid} was killed, but",
    )


def _wait_for_none(living: Callable[[], list[int]], limit: float, what: str) -> None:
    pause = threading.Event()
    until = time.monotonic() + limit
    while left := living():
        if time.monotonic() > until:
            raise WaitTimeout(f"{what} after {limit:g} s these of it still live: {left}")
        pause.wait(_POLL)


def members(group: int) -> list[int]:
    """The living (not zombie) processes of a group, as far as this system lets us see."""
    try:
        os.killpg(group, 0)
    except (ProcessLookupError, PermissionError):
        return []
    if not Path("/proc/self/stat").exists():
        return [group]
    names = os.listdir("/proc")  # noqa: PTH208 - hot while we wait; names are all we need
    return [int(name) for name in names if name.isdigit() and _belongs(name, group)]


def _belongs(pid: str, group: int) -> bool:
    try:
        stat = Path("/proc", pid, "stat").read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return False  # gone between listing and looking
    state, _parent, its_group = stat.rpartition(b")")[2].split()[:3]
    return int(its_group) == group and state not in (b"Z", b"X")


class _Reapers:
    """Our end of the reaper's pipe; started with the first group, again if it or we are new."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process: subprocess.Popen[str] | None = None
        self._started_by = 0
        self._alive: list[str] = []

    def tell(self, order: str) -> None:
        with self._lock:
            if self._started_by != os.getpid():
                self._alive = []  # a forked copy of us started none of those
            if order.startswith("+"):
                self._alive.append(order)
            else:
                self._alive.remove("+" + order[1:])
            process = self._process
            if process is None or self._started_by != os.getpid() or process.poll() is not None:
                self._start()
            else:
                self._write(process, order)

    def _start(self) -> None:
        self._process = process = subprocess.Popen(
            [sys.executable, "-I", "-S", reaper.__file__],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            start_new_session=True,
            text=True,
        )
        self._started_by = os.getpid()
        atexit.register(self._close, process)
        for order in self._alive:
            self._write(process, order)

    @staticmethod
    def _write(process: subprocess.Popen[str], order: str) -> None:
        assert process.stdin is not None
        process.stdin.write(order + "\n")
        process.stdin.flush()

    @staticmethod
    def _close(process: subprocess.Popen[str]) -> None:
        assert process.stdin is not None
        process.stdin.close()
        process.wait()


_reapers = _Reapers()
