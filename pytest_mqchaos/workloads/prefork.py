"""Which process of a group holds a connection, for services that fork their workers (Linux only).

/proc/net/tcp: local port -> inode;  /proc/<pid>/fd: inode -> process
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from pytest_mqchaos.errors import UsageError

_TABLES = (Path("/proc/net/tcp"), Path("/proc/net/tcp6"))
_LOCAL, _INODE = 1, 9  # columns, as in proc(5)


def holders(pids: Sequence[int], port: int) -> list[int]:
    """Those of `pids` that hold a TCP socket whose own port is `port`.

    Raises `UsageError` where the system does not tell.
    """
    wanted = {f"socket:[{inode}]" for inode in _inodes(port)}
    return [pid for pid in pids if wanted.intersection(_open_files(pid))]


def _inodes(port: int) -> Iterator[str]:
    tables = [table for table in _TABLES if table.exists()]
    if not tables:
        raise UsageError(
            "scope='child' needs /proc/net/tcp to find the child that owns a connection, and this "
            "system has none: leave scope= out (the whole process group dies)"
        )
    for table in tables:
        for line in table.read_text().splitlines()[1:]:
            columns = line.split()
            if int(columns[_LOCAL].rpartition(":")[2], 16) == port:
                yield columns[_INODE]


def _open_files(pid: int) -> Iterator[str]:
    gone = FileNotFoundError, ProcessLookupError  # while we looked: then it holds nothing
    with suppress(*gone):
        for descriptor in Path("/proc", str(pid), "fd").iterdir():
            with suppress(*gone):
                yield os.readlink(descriptor)  # noqa: PTH115 - "socket:[1]" is no path
