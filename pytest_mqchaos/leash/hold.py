"""The test process's end of the leash: start what is held, signal it, hear of its end.

There is one leash per test process, started with the first thing to hold; if it is killed, what it
held is killed by us and the next thing starts a new one. It knows processes, descriptors and paths;
it must never know what they are for. All of it may be called from any thread.
"""

from __future__ import annotations

import atexit
import contextlib
import itertools
import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeout
from pathlib import Path
from typing import Any

_MAIN = Path(__file__).with_name("__main__.py")
_ANSWER = 30.0  # seconds; an order is done in milliseconds
_KILLED = -int(signal.SIGKILL)


class Held:
    """One started process and its group, in a session of its own. `lost`: the leash was killed from
    outside, and the group by us."""

    def __init__(self, leash: Leash, key: int, program: str) -> None:
        self.pid = 0
        self._program = program
        self.lost = False
        self._leash = leash
        self._key = key
        self._losing = threading.Lock()
        self.started: Future[int] = Future()
        self.ended: Future[int] = Future()

    def signal(self, number: int, *, group: bool = False) -> None:
        """Send a signal to it, or to its whole group; nothing happens if it has ended."""
        self._leash.order({"do": "signal", "key": self._key, "number": number, "group": group})

    @property
    def status(self) -> int | None:
        """Its exit status (negative: the signal), None while it lives."""
        return self.ended.result() if self.ended.done() else None

    def wait(self, timeout: float | None = None) -> int | None:
        """Wait for its end, after which nothing of its group lives; None if that takes longer."""
        try:
            return self.ended.result(timeout)
        except FutureTimeout:
            return None

    def tell(self, words: Mapping[str, Any]) -> None:
        """Take in what the leash says of it."""
        if "pid" in words:
            self.pid = words["pid"]
            self.started.set_result(self.pid)
        elif "exit" in words:
            self.ended.set_result(words["exit"])
        else:
            number, text = words["errno"], words["failed"]
            told = OSError(number, os.strerror(number), self._program) if number else None
            self.started.set_exception(told or ValueError(text))

    def lose(self) -> None:
        """The leash is gone: end it ourselves."""
        with self._losing:
            self.lost = True
            if not self.started.done():
                self.started.set_exception(BrokenPipeError("the process that holds it was killed"))
            elif self.pid and not self.ended.done():
                with contextlib.suppress(ProcessLookupError, PermissionError):  # it ended by itself
                    os.killpg(self.pid, signal.SIGKILL)
                self.ended.set_result(_KILLED)


class Leash:
    """One process that holds. `directories` are held from its start."""

    def __init__(self, directories: Sequence[Path]) -> None:
        self._control, theirs = socket.socketpair()
        self._keys = itertools.count(1)
        self._held: dict[int, Held] = {}
        self._sending = threading.Lock()
        self.process = subprocess.Popen(
            [sys.executable, "-I", "-S", str(_MAIN), str(theirs.fileno()), str(os.getpid())],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, pass_fds=(theirs.fileno(),),
            start_new_session=True,
        )  # fmt: skip
        theirs.close()
        self.alive = True
        threading.Thread(target=self._listen, name="mqchaos-leash", daemon=True).start()
        for path in directories:
            self.order({"do": "hold", "path": str(path)})

    def start(self, argv: Sequence[str], env: Mapping[str, str], cwd: str, output: int) -> Held:
        """See the function `start`."""
        key = next(self._keys)
        held = self._held[key] = Held(self, key, argv[0])
        order = {"do": "start", "key": key, "argv": argv, "env": dict(env), "cwd": cwd}
        try:
            self.order(order, output)
            if not self.alive:  # it may have died before it could see this one
                held.lose()
            held.started.result(_ANSWER)
        except BaseException:
            self._held.pop(key, None)
            raise
        return held

    def order(self, order: Mapping[str, object], *outputs: int) -> None:
        """Have one thing done, in the order of calls. A leash that is gone does nothing any more:
        what it held is gone too."""
        data = json.dumps(order).encode() + b"\n"
        with self._sending:
            try:
                sent = socket.send_fds(self._control, [data], outputs) if outputs else 0
                self._control.sendall(data[sent:])
            except OSError:
                return

    def _listen(self) -> None:
        rest = b""
        while True:
            try:
                data = self._control.recv(1 << 16)
            except OSError:
                data = b""
            if not data:
                break
            *lines, rest = (rest + data).split(b"\n")
            for line in lines:
                words = json.loads(line)
                if (held := self._held.get(words["key"])) is not None:
                    held.tell(words)
                if "exit" in words:
                    self._held.pop(words["key"], None)
        self.alive = False
        for held in list(self._held.values()):
            held.lose()
        with self._sending:
            self._control.close()
        self.process.wait()

    def close(self) -> None:
        """Have everything ended and removed, and wait for that."""
        with self._sending, contextlib.suppress(OSError):  # it may have died by itself
            self._control.shutdown(socket.SHUT_RDWR)
        self.process.wait()

    def forked(self) -> None:
        """In a forked copy of us: the socket is the parent's, or its end would go unseen."""
        self._control.close()


class _Ours:
    """The leash of this process and what a new one would have to be told."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.leash: Leash | None = None
        self.parents: Leash | None = None  # kept: its process is not ours to clear up
        self.directories: list[Path] = []

    def get(self) -> Leash:
        with self.lock:
            if self.leash is None or not self.leash.alive:
                self.leash = Leash(self.directories)
            return self.leash

    def close(self) -> None:
        if self.leash is not None and self.leash.alive:
            self.leash.close()

    def forked(self) -> None:
        self.lock = threading.RLock()
        if self.leash is not None:
            self.leash.forked()
        self.parents, self.leash, self.directories = self.leash, None, []


_ours = _Ours()


def _at_exit() -> None:
    # A Ctrl-C has nothing left to interrupt now but this, which takes no time; and it would be told
    # to a person as an exception of ours.
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        _ours.close()
    finally:
        signal.signal(signal.SIGINT, before or signal.SIG_DFL)


atexit.register(_at_exit)
os.register_at_fork(after_in_child=_ours.forked)


def start(
    argv: Sequence[str | os.PathLike[str]], *, env: Mapping[str, str], output: int,
    cwd: str | os.PathLike[str] | None = None,
) -> Held:  # fmt: skip
    """Start a command in a session of its own, both outputs to the descriptor `output` (which stays
    the caller's to close). Raises `OSError` as `subprocess.Popen` does, `ValueError` for arguments
    that no system can pass on."""
    words, where = [os.fsdecode(word) for word in argv], os.fspath(cwd) if cwd else str(Path.cwd())
    try:
        return _ours.get().start(words, env, where, output)
    except BrokenPipeError:  # somebody killed the leash: there is a new one
        return _ours.get().start(words, env, where, output)


def directory(prefix: str) -> Path:
    """Make a directory of our own in the system's place for temporary ones; it is removed with the
    test process if `discard` was not called before."""
    path = Path(tempfile.gettempdir()) / f"{prefix}{secrets.token_hex(6)}"
    with _ours.lock:
        leash = _ours.get()
        _ours.directories.append(path)
    leash.order({"do": "hold", "path": str(path)})  # before it is there: nobody can forget it
    path.mkdir(mode=0o700)
    return path


def discard(path: Path) -> None:
    """Remove a directory that `directory` made. May be called twice."""
    shutil.rmtree(path, ignore_errors=True)
    with _ours.lock:
        if path in _ours.directories and not path.exists():
            _ours.directories.remove(path)
            _ours.get().order({"do": "forget", "path": str(path)})
