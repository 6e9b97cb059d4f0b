"""The dead man's hand: holds processes and directories that may not outlive the test process.

It runs as a plain script in a session of its own, so neither Ctrl-C nor the death of the test
process ends it. It is the parent of what it starts: nothing can be started and not be held, and no
signal ever hits a recycled pid. When its socket ends (also after kill -9) or the parent changes, it
kills every process group and then removes the directories. Standard library only; it must never
know what it holds.

    test process --JSON lines, outputs as descriptors--> leash --signals--> process groups
                 <------- {"key", "pid" | "exit" | "failed"} -------
"""

from __future__ import annotations

import json
import os
import select
import signal
import socket
import subprocess
import sys
import time
from collections import deque
from typing import Any

_LOOK_AFTER = 1.0  # seconds; a forked grandchild of the test may hold our socket open: watch ppid
_REMOVE = 5.0  # seconds for a directory into which somebody may still write
_CHUNK = 1 << 16


class Leash:
    """Children by the keys that the test process gave them, and the directories to remove."""

    def __init__(self, control: socket.socket) -> None:
        self._control = control
        self._children: dict[int, subprocess.Popen[bytes]] = {}
        self._directories: dict[str, None] = {}
        self._outputs: deque[int] = deque()
        self._rest = b""
        self._over = False

    def read(self) -> bool:
        """Take in what came and do it; False at the end of the socket."""
        try:
            data, outputs, _, _ = socket.recv_fds(self._control, _CHUNK, 16)
        except (ConnectionResetError, BlockingIOError):
            return False
        self._outputs += outputs
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            self._obey(json.loads(line))
        return bool(data)

    def _obey(self, order: dict[str, Any]) -> None:
        match order["do"]:
            case "start" if self._over:
                os.close(self._outputs.popleft())
            case "start":
                self._start(order, self._outputs.popleft())
            case "signal":
                self._signal(order["key"], order["number"], group=order["group"])
            case "hold":
                self._directories[order["path"]] = None
            case "forget":
                self._directories.pop(order["path"], None)

    def _start(self, order: dict[str, Any], output: int) -> None:
        key = order["key"]
        try:
            child = subprocess.Popen(
                order["argv"], cwd=order["cwd"], env=order["env"], stdin=subprocess.DEVNULL,
                stdout=output, stderr=output, start_new_session=True,
            )  # fmt: skip
        except (OSError, ValueError) as error:
            number = error.errno if isinstance(error, OSError) else None
            self._say(key=key, failed=str(error), errno=number)
        else:
            self._children[key] = child
            self._say(key=key, pid=child.pid)
        finally:
            os.close(output)

    def _signal(self, key: int, number: int, *, group: bool) -> None:
        child = self._children.get(key)
        if child is None:
            return  # it has ended, and its end is on its way
        try:
            (os.killpg if group else os.kill)(child.pid, number)
        except (ProcessLookupError, PermissionError):  # macOS: EPERM for a group of zombies
            return

    def reap(self) -> None:
        """Notice ends, end what the ended left behind, say so."""
        for key, child in list(self._children.items()):
            if _ended(child):
                _end_group(child.pid)
                del self._children[key]
                self._say(key=key, exit=child.wait())

    def _say(self, **words: object) -> None:
        try:
            self._control.sendall(json.dumps(words).encode() + b"\n")
        except OSError:
            return  # nobody is there any more; the end of our input will tell

    def end(self) -> None:
        """Leave nothing behind: no process, and then none of the directories; also of what was said
        and not yet read, as when the test process died while we were starting."""
        self._over = True
        self._control.setblocking(False)
        while self.read():
            pass
        for child in self._children.values():
            _end_group(child.pid)
        for child in self._children.values():
            child.wait()
        for path in self._directories:
            _remove(path)


def _ended(child: subprocess.Popen[bytes]) -> bool:
    """Whether it has; it stays a zombie where that can be, so that its number is not used again."""
    if not hasattr(os, "waitid"):
        return child.poll() is not None
    flags = os.WEXITED | os.WNOWAIT | os.WNOHANG
    return os.waitid(os.P_PID, child.pid, flags) is not None


def _end_group(pgid: int) -> None:
    """SIGKILL every process of a group; none left is fine."""
    try:
        os.killpg(pgid, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):  # macOS: EPERM for a group of zombies
        return


def _remove(path: str) -> None:
    import shutil  # here: most of us start, and end, without having to

    until = time.monotonic() + _REMOVE
    while os.path.lexists(path) and time.monotonic() < until:
        shutil.rmtree(path, ignore_errors=True)  # a writer may have been faster: once more


def serve(leash: Leash, control: socket.socket, parent: int) -> None:
    """Until the test process closes the socket or is gone."""
    wake, wake_end = os.pipe()
    os.set_blocking(wake_end, False)
    signal.set_wakeup_fd(wake_end)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    while os.getppid() == parent:
        watched: list[Any] = [control, wake]
        readable, _, _ = select.select(watched, [], [], _LOOK_AFTER)
        if wake in readable:
            os.read(wake, 4096)
        leash.reap()
        if control in readable and not leash.read():
            return


def main(descriptor: int, parent: int) -> None:
    """Serve on our end of the socket, then leave nothing behind."""
    control = socket.socket(fileno=descriptor)
    leash = Leash(control)
    try:
        serve(leash, control, parent)
    finally:
        leash.end()


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
