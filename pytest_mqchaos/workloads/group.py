"""A process group of ours: held by the leash, killed as a whole, never left behind.

It knows processes, nothing of workers.
"""

from __future__ import annotations

import contextlib
import os
import signal
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO

from pytest_mqchaos.errors import WaitTimeout
from pytest_mqchaos.leash import hold

_POLL = 0.002  # seconds between two looks at a group whose processes are not our children


class Group:
    """One started command: its leader and its descendants, `output` what they write."""

    def __init__(
        self,
        argv: Sequence[str | os.PathLike[str]],
        env: Mapping[str, str],
        cwd: Path | None = None,
    ) -> None:
        ours, theirs = os.pipe()
        self.output: IO[bytes] = os.fdopen(ours, "rb")
        try:
            self._held = hold.start(argv, env=env, cwd=cwd, output=theirs)
        except BaseException:
            self.output.close()
            raise
        finally:
            os.close(theirs)
        self.pid = self._held.pid

    def signal(self, number: int) -> None:
        """Send a signal to the leader alone, as a supervisor does for a graceful end."""
        self._held.signal(number)

    def kill(self) -> None:
        """SIGKILL every process of the group."""
        self._held.signal(signal.SIGKILL, group=True)

    def freeze(self, limit: float, one: int | None = None) -> None:
        """SIGSTOP every process of the group, or `one` of them, and wait until none of these runs
        (at most `limit` seconds: who cannot be stopped will be killed all the same)."""
        self._signal_now(signal.SIGSTOP, one)
        pause, until = threading.Event(), time.monotonic() + limit
        while _running(self.pid, one) and time.monotonic() < until:
            pause.wait(_POLL / 4)

    def thaw(self) -> None:
        """SIGCONT every process of the group."""
        self._signal_now(signal.SIGCONT)

    def _signal_now(self, number: int, one: int | None = None) -> None:
        """By ourselves: an order to the leash is done some time after."""
        if self._held.status is None:
            with contextlib.suppress(ProcessLookupError, PermissionError):  # it has just ended
                os.killpg(self.pid, number) if one is None else os.kill(one, number)

    def wait(self) -> int:
        """Wait for the leader and give its status (negative: signal); what it left behind has got
        its SIGKILL by then."""
        return self._held.ended.result()

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


def _running(group: int, one: int | None) -> bool:
    """Whether a process of the group, or `one` of it, may still do something, as far as this system
    lets us see."""
    if not Path("/proc/self/stat").exists():
        return False
    living = [pid for pid in members(group) if one in (None, pid)]
    return any(_state(str(pid))[0].upper() != b"T" for pid in living)


def _belongs(pid: str, group: int) -> bool:
    state, its_group = _state(pid)
    return its_group == group and state not in (b"Z", b"X")


def _state(pid: str) -> tuple[bytes, int]:
    """State and group of a process; "stopped", of no group, if it is gone between listing and
    looking."""
    try:
        stat = Path("/proc", pid, "stat").read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return b"T", 0
    state, _parent, group = stat.rpartition(b")")[2].split()[:3]
    return state, int(group)
