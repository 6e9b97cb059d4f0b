"""Hold one broker process so that it can never outlive the test run: `python -m <this module>`.

It sits between the test process and the broker, in a session of its own. Its standard input is a
pipe from the test process: when that closes (also after kill -9), or the parent changes, it kills
the broker's whole process group and removes what it was told to remove. It is the broker's parent,
so a signal never hits a recycled pid. Standard library only; it must never know which broker.

    test process --JSON lines--> leash --signals--> broker (own process group)
                 <-{"pid"}/{"exit"}-
"""

from __future__ import annotations

import json
import os
import select
import shutil
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

_LOOK_AFTER = 1.0  # seconds; a forked grandchild of the test may hold our pipe open: watch ppid too


class Leash:
    """The child, at most one at a time, and the words about it."""

    def __init__(self) -> None:
        self.child: subprocess.Popen[bytes] | None = None

    def start(self, argv: Sequence[str], cwd: str, env: Mapping[str, str], log: str) -> None:
        """Run `argv` in a process group of its own, both outputs appended to the file `log`."""
        with Path(log).open("ab") as out:
            try:
                self.child = subprocess.Popen(
                    argv, cwd=cwd, env=dict(env), stdin=subprocess.DEVNULL, stdout=out, stderr=out,
                    process_group=0,
                )  # fmt: skip
            except OSError as error:
                say(failed=str(error))
                return
        say(pid=self.child.pid)

    def signal(self, number: int) -> None:
        """To the whole group: brokers of several processes stop and go on as one."""
        if self.child is not None:
            os.killpg(self.child.pid, number)

    def reap(self) -> None:
        """Notice an end, end what the child left behind, and say so."""
        if self.child is None:
            return
        code = self.child.poll()
        if code is None:
            return
        end_group(self.child.pid)
        self.child = None
        say(exit=code)

    def end(self) -> None:
        """Kill the child and wait for it."""
        if self.child is not None:
            end_group(self.child.pid)
            self.child.wait()
            self.child = None


def end_group(pgid: int) -> None:
    """SIGKILL every process of a group; none left is fine."""
    try:
        os.killpg(pgid, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):  # macOS: EPERM for a group of zombies
        return


def say(**words: object) -> None:
    """One line to the test process. It may be gone; the end of our input will tell."""
    try:
        os.write(1, json.dumps(words).encode() + b"\n")
    except BrokenPipeError:
        return


def obey(leash: Leash, line: bytes) -> None:
    """Do one order of the test process: start or signal."""
    order: dict[str, Any] = json.loads(line)
    match order.pop("do"):
        case "start":
            leash.start(**order)
        case "signal":
            leash.signal(order["number"])


def serve(leash: Leash, parent: int) -> None:
    """Until the test process closes the pipe or is gone."""
    wake, wake_end = os.pipe()
    os.set_blocking(wake_end, False)
    signal.set_wakeup_fd(wake_end)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    rest = b""
    while os.getppid() == parent:
        readable, _, _ = select.select([0, wake], [], [], _LOOK_AFTER)
        if wake in readable:
            os.read(wake, 4096)
        leash.reap()
        if 0 in readable:
            data = os.read(0, 65536)
            if not data:
                return
            *lines, rest = (rest + data).split(b"\n")
            for line in lines:
                obey(leash, line)


def main(remove: Sequence[str]) -> None:
    """Serve, then leave nothing behind: no process, and none of the paths in `remove`."""
    leash = Leash()
    try:
        serve(leash, os.getppid())
    finally:
        leash.end()
        for path in remove:
            shutil.rmtree(path, ignore_errors=True)


if __name__ == "__main__":
    main(sys.argv[1:])
