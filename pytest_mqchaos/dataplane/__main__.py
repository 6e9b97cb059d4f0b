"""`python -m pytest_mqchaos.dataplane FD`: the data plane's own process.

It knows how it was started: FD is its end of a socketpair, the token in its environment must be the
first line's, that line says where else modules may be found. It imports the standard library and
its own room, nothing else, until a command needs more.
"""

from __future__ import annotations

import contextlib
import json
import os
import resource
import signal
import socket
import sys
from pathlib import Path
from typing import Any

TOKEN = "MQCHAOS_CONTROL_TOKEN"  # noqa: S105 - the name of the variable
HANDSHAKE = 10.0  # seconds
FILES = 65536


def _first_line(control: socket.socket) -> dict[str, Any]:
    """Read what we are to do, from who may tell us. Raises `SystemExit` for anybody else."""
    control.settimeout(HANDSHAKE)
    line = b""
    while not line.endswith(b"\n"):
        data = control.recv(65536)
        if not data:
            raise SystemExit("data plane: the control channel closed before its first line")
        line += data
    body: dict[str, Any] = json.loads(line)
    token = os.environ.pop(TOKEN, "")
    if not token or body.get("token") != token:
        raise SystemExit("data plane: the first line of the control channel has a wrong token")
    return body


def _descriptors() -> None:
    """Take as many open files as we may have: each connection needs two, and what a shell allows by
    default (often 1,024, on macOS 256) is soon used up."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = FILES if hard == resource.RLIM_INFINITY else min(FILES, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        with contextlib.suppress(OSError, ValueError):  # the system's own limit: then as it was
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def main(fd: int) -> None:
    """Serve the control channel on descriptor `fd` until it ends."""
    # This very package, also where another version of it is installed; whatever else is beside it
    # comes behind the standard library.
    root = str(Path(__file__).parents[2])
    sys.path.insert(0, root)
    import pytest_mqchaos.errors  # noqa: F401 - the package: its modules are found from here on

    sys.path.remove(root)
    sys.path.append(root)
    # A library of the embedded cluster's loads Hypothesis where it is installed, for 0.4 s of CPU.
    sys.modules.setdefault("hypothesis", None)  # type: ignore[arg-type]
    from pytest_mqchaos.dataplane.loop import READ
    from pytest_mqchaos.dataplane.shell import Shell

    _descriptors()
    control = socket.socket(fileno=fd)
    config = _first_line(control)
    # Behind our own paths: a file of the user's named like a standard module must not win here.
    sys.path.extend(path for path in config.get("path", ()) if path not in sys.path)
    shell = Shell(control, parts=config.get("parts"), host=config.get("host", "127.0.0.1"))
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the test process's to answer
    signal.signal(signal.SIGTERM, lambda *_: shell.stop())
    woken, wake = socket.socketpair()
    woken.setblocking(False)
    wake.setblocking(False)
    signal.set_wakeup_fd(wake.fileno(), warn_on_full_buffer=False)

    def drain(mask: int) -> None:
        del mask
        woken.recv(64)

    shell.loop.watch(woken, 0, READ, drain)
    shell.run()


if __name__ == "__main__":
    main(int(sys.argv[1]))
