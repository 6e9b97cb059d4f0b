"""What a process wrote on its standard output and error, line by line, with the time of each line.

<CLOCK_MONOTONIC ns> <the line, as it was>
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from typing import IO, NamedTuple


class Line(NamedTuple):
    """One line; `t` (CLOCK_MONOTONIC ns) is when it arrived here."""

    t: int
    text: str


def keep(source: IO[bytes], path: Path) -> None:
    """Copy lines from `source` to the end of `path` until every writer has closed it."""
    with source, path.open("ab", buffering=0) as sink:
        for line in source:
            sink.write(b"%d %s\n" % (time.monotonic_ns(), line.rstrip(b"\r\n")))


def lines(path: Path, t_from: int = 0, t_to: int | None = None) -> Iterator[Line]:
    """Give the lines that arrived in [t_from, t_to], in order; none if the file is not there."""
    if not path.exists():
        return
    with path.open("rb") as file:
        for raw in file:
            stamp, _, text = raw.rstrip(b"\n").partition(b" ")
            t = int(stamp)
            if t >= t_from and (t_to is None or t <= t_to):
                yield Line(t, text.decode("utf-8", "replace"))


def tail(path: Path, count: int = 20) -> str:
    """The last lines as one text, "" if there are none."""
    return "\n".join(line.text for line in deque(lines(path), count))
