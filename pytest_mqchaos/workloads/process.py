"""A command, or an importable function in a child, as a process group: the kind that can be killed.

It knows how a service is started, told to end and killed; never why.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import cast

from pytest_mqchaos.errors import UsageError, WaitTimeout, WorkerFailed
from pytest_mqchaos.workloads import output
from pytest_mqchaos.workloads.child import write_launch
from pytest_mqchaos.workloads.group import Group, kill_one, members
from pytest_mqchaos.workloads.incarnation import ENVIRONMENT, End, Ended, Incarnation, Launch
from pytest_mqchaos.workloads.prefork import holders
from pytest_mqchaos.workloads.target import Job

_DRAIN = 3.0  # seconds that a dead group's last output may take; a fled descendant may keep it open
_DIE = 10.0  # seconds that the kernel may take to end a killed process
_STOPPED = 1.0  # seconds that it may take to stop one
_LOOK = 0.5  # seconds between two SIGCONT to who was told to end
_FROZEN = 5.0  # seconds until a crash that was announced, and was then healed, is called off


class ProcessWorker:
    """One incarnation as a process. Its output is kept in `directory`/<incarnation>.log."""

    def __init__(self, incarnation: Incarnation, job: Job, launch: Launch, directory: Path) -> None:
        self.incarnation = incarnation
        self.log = directory / f"{incarnation.name}.log"
        self._job = job
        self._launch = launch
        self._directory = directory
        self._starting = threading.Lock()  # a crash waits until a start has finished
        self._group: Group | None = None
        self._over = threading.Event()
        self._told = ""
        self._thaw: threading.Timer | None = None
        self._children: dict[int, int] = {}  # port -> who held it when its crash was announced

    @property
    def pid(self) -> int | None:
        """The leader's process id, which is also the group's; None before the start."""
        return None if self._group is None else self._group.pid

    def start(self, ended: Ended) -> None:
        """Raises `UsageError` if the command is not there or its arguments cannot be handed on.
        Who was told to end before this is not started any more."""
        with self._starting:
            if not self._told:
                self._group = self._spawn()
        if self._group is None:
            ended(End(None, self._told))
            self._over.set()
            return
        reader = threading.Thread(
            target=output.keep,
            args=(self._group.output, self.log),
            name=f"{self.incarnation.name} output",
            daemon=True,
        )
        reader.start()
        threading.Thread(
            target=self._watch,
            args=(self._group, reader, ended),
            name=self.incarnation.name,
            daemon=True,
        ).start()

    def freeze(self, child_at: int | None = None) -> None:
        """It is to crash now, and must not see how its links are cut before it dies. `child_at`:
        only the forked child that holds the connection from this port, found while it stands;
        raises as `crash_child`."""
        with self._starting:
            group = self._group
        if group is None or self._over.is_set():
            return
        child = None
        if child_at is not None:
            child = self._children[child_at] = self._child(child_at)
        self._stays_frozen()
        group.freeze(_STOPPED, child)
        self._thaw = threading.Timer(_FROZEN, group.thaw)
        self._thaw.daemon = True
        self._thaw.start()

    def _stays_frozen(self) -> None:
        if self._thaw is not None:
            self._thaw.cancel()

    def crash(self, limit: float) -> None:
        with self._starting:
            group, self._told = self._group, self._told or "crashed"
        if group is None:
            return
        self._stays_frozen()
        until = time.monotonic() + limit
        group.kill()
        self._await_end(limit)
        group.wait_empty(max(0.0, until - time.monotonic()))

    def crash_child(self, port: int, limit: float) -> int:
        """SIGKILL the one forked child that holds the connection from `port`; give its pid when it
        is dead. Raises `UsageError` if the leader itself or several children hold it.
        """
        pid = self._children.pop(port, None) or self._child(port)
        self._stays_frozen()
        kill_one(pid, limit)
        return pid

    def _child(self, port: int) -> int:
        with self._starting:
            group = self._group
        living = [] if group is None else members(group.pid)
        found = [pid for pid in holders(living, port) if pid != self.pid]
        if len(found) != 1:
            raise UsageError(
                f"scope='child' needs one forked child of {self.incarnation.name} that holds the "
                f"connection from port {port}; {found or 'none'} of its processes {living} do. "
                "Leave scope= out to kill the whole group."
            )
        return found[0]

    def stop(self, limit: float) -> None:
        """SIGTERM to the leader; after `limit` seconds SIGKILL to the group."""
        with self._starting:
            group, self._told = self._group, self._told or "stopped"
        if group is None or self._over.is_set():
            return
        self._stays_frozen()
        group.signal(signal.SIGTERM)
        if not self._ends(group, limit):
            self._told = f"killed: it did not end within {limit:g} s of SIGTERM"
            group.kill()
        self._await_end(_DIE)
        group.wait_empty(_DIE)

    def _ends(self, group: Group, limit: float) -> bool:
        until = time.monotonic() + limit
        while not self._over.is_set() and (left := until - time.monotonic()) > 0:
            group.thaw()  # who had stopped gets its SIGTERM, and a child of ours looks for it
            self._over.wait(min(_LOOK, left))
        return self._over.is_set()

    def _await_end(self, limit: float) -> None:
        if not self._over.wait(limit):
            raise WaitTimeout(
                f"{self.incarnation.name} (pid {self.pid}) got SIGKILL but still lives after "
                f"{limit:g} s"
            )

    def _spawn(self) -> Group:
        self._directory.mkdir(parents=True, exist_ok=True)
        if self._job.kind == "command":
            argv = cast("Sequence[str | os.PathLike[str]]", self._launch.args)
        else:
            launch = self._directory / f"{self.incarnation.name}.launch"
            write_launch(launch, self._job, self._launch.args, self._launch.kwargs)
            argv = [sys.executable, "-m", "pytest_mqchaos.workloads.child", launch]
        # Unbuffered, or the times of a Python service's lines would be those of its buffers.
        env = {"PYTHONUNBUFFERED": "1"} | os.environ | dict(self._launch.env)
        try:
            return Group(argv, env | {ENVIRONMENT: self.incarnation.name})
        except (FileNotFoundError, PermissionError) as error:
            raise UsageError(f"the command {list(argv)!r} cannot be started: {error}") from error

    def _watch(self, group: Group, reader: threading.Thread, ended: Ended) -> None:
        status = group.wait()
        reader.join(_DRAIN)
        ended(self._end_of(status))
        self._over.set()

    def _end_of(self, status: int) -> End:
        if self._told:
            return End(None, self._told)
        if status == 0:
            return End(None, "exited with status 0")
        how = f"was killed by signal {-status}" if status < 0 else f"exited with status {status}"
        said = output.tail(self.log) or "(nothing)"
        return End(WorkerFailed(f"{self.incarnation.name} {how}. Its last lines:\n{said}"), how)
