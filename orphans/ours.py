"""What on this machine belongs to one run: told by a variable in the environment of its processes.

A child has its parent's environment from the first instant, so nobody is missed (Linux).
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

MARK = "ORPHANS_RUN"
# A checkout or an environment may be in such a place itself.
_OURS = (str(Path(__file__).parents[1]), sys.prefix)
_PLACES = ("/tmp/", "/dev/shm/", "/run/", "/var/tmp/")


def processes(mark: str) -> dict[int, str]:
    """Pid and command line of every living process of a run."""
    wanted = f"{MARK}={mark}".encode()
    found = {}
    for name in os.listdir("/proc"):  # noqa: PTH208 - hot while we wait
        if name.isdigit():
            try:
                if wanted in Path("/proc", name, "environ").read_bytes().split(b"\0"):
                    found[int(name)] = _command(name)
            except OSError:
                continue  # it ended, or is somebody else's
    return found


def _command(pid: str) -> str:
    words = Path("/proc", pid, "cmdline").read_bytes().split(b"\0")
    return b" ".join(words).decode(errors="replace").strip()


def state(pid: int) -> str:
    """The letter of proc(5), T for a stopped process; nothing if it is gone."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return ""


def sockets(pids: Iterable[int]) -> set[str]:
    """Inodes of the sockets that these processes hold."""
    return {
        target.removeprefix("socket:[").rstrip("]")
        for pid in pids
        for target in _targets(pid)
        if target.startswith("socket:[")
    }


def bound(inodes: set[str]) -> dict[str, str]:
    """Those of the sockets that are TCP sockets now: inode -> local address and state."""
    found = {}
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        for line in Path(table).read_text().splitlines()[1:]:
            columns = line.split()
            if columns[9] in inodes:
                found[columns[9]] = f"port {int(columns[1].rpartition(':')[2], 16)}"
    return found


def files(pids: Iterable[int]) -> set[str]:
    """Paths in the machine's places for litter that these processes have open or mapped; and the
    files that Java keeps about itself."""
    found = {f"/tmp/hsperfdata_{os.environ.get('USER', 'root')}/{pid}" for pid in pids}
    for pid in pids:
        found |= {path for path in (*_targets(pid), *_mapped(pid)) if path.startswith(_PLACES)}
    return {
        path for path in found
        if not path.endswith((" (deleted)", ".pyc")) and not any(ours in path for ours in _OURS)
    }  # fmt: skip


def _targets(pid: int) -> Iterator[str]:
    try:
        for descriptor in Path("/proc", str(pid), "fd").iterdir():
            yield os.readlink(descriptor)  # noqa: PTH115 - "socket:[1]" is no path
    except OSError:
        return  # it ended


def _mapped(pid: int) -> Iterator[str]:
    try:
        lines = Path("/proc", str(pid), "maps").read_text().splitlines()
    except OSError:
        return  # it ended
    for line in lines:
        _, slash, rest = line.partition("/")
        if slash:
            yield f"/{rest}"
