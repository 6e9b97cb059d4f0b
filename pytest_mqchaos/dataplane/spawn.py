"""How the data plane's process is started: clean, findable, and never outliving us.

It knows interpreter flags, descriptors and paths; it must never know commands.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import socket
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import IO

from pytest_mqchaos.dataplane.__main__ import TOKEN

MAIN = Path(__file__).with_name("__main__.py")
# For glibc (others ignore it): keep freed memory of a large frame's size. By default each such
# frame is memory asked of the kernel and given back, and its page faults cost eight times the copy.
MALLOC = {"MALLOC_MMAP_THRESHOLD_": str(32 << 20), "MALLOC_TRIM_THRESHOLD_": str(8 << 20)}
TAIL = 4000  # bytes of the last words that are shown


class Child:
    """A started data plane: its process, our end of its control channel, its stderr."""

    def __init__(self, *, parts: Mapping[str, str], host: str) -> None:
        ours, theirs = socket.socketpair()
        token = secrets.token_hex(16)
        self.stderr: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 - closed in `reap`
        self.control = ours
        try:
            # -I: no PYTHON* variables, no user site, no current directory in the path.
            # A session of its own: Ctrl-C at the terminal must not end it before the test has.
            self.process = subprocess.Popen(
                [sys.executable, "-I", str(MAIN), str(theirs.fileno())],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=self.stderr,
                pass_fds=(theirs.fileno(),),
                env={**MALLOC, **os.environ, TOKEN: token},
                start_new_session=True,
            )
        except BaseException:
            ours.close()
            self.stderr.close()
            raise
        finally:
            theirs.close()
        first = {
            "token": token,
            "parts": dict(parts),
            "host": host,
            "path": [str(Path(path).resolve()) for path in sys.path],
        }
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # told by `reap`
            ours.sendall(json.dumps(first).encode() + b"\n")
        ours.setblocking(False)

    def last_words(self) -> str:
        """The end of what it wrote to its stderr."""
        if self.stderr.closed:
            return ""
        # pread: the child shares our file offset, moving it would make it overwrite itself.
        size = os.fstat(self.stderr.fileno()).st_size
        data = os.pread(self.stderr.fileno(), TAIL, max(0, size - TAIL))
        return data.decode(errors="replace").strip()

    def reap(self, timeout: float) -> int:
        """Close our end and wait for the process, which ends because of that; its exit code."""
        self.control.close()
        try:
            return self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            self.process.kill()
            return self.process.wait()

    def close(self) -> None:
        self.stderr.close()
