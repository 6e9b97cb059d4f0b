"""One kill: start a run, strike at its moment, wait until nothing of it is left, look at what is.

Waiting is for conditions with the limits below; they are long because the machine may be busy.
"""

from __future__ import annotations

import itertools
import os
import re
import shutil
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from orphans import ours, truth
from orphans.kills import Kind, strike
from orphans.row import Row
from orphans.started import PROJECT, Started

CLEAN = 30.0  # seconds from the end of pytest until nothing may be left
END = 120.0  # seconds that pytest may go on after a part of it was killed; its own limits are below
LOOK = 0.02  # seconds between two looks
# What may be in the project: its own files, ours, those of pytest and Hypothesis. (In the directory
# for temporary files pytest keeps its pytest-of-*.)
KNOWN = {path.name for path in PROJECT.iterdir()} | {".mqchaos", ".pytest_cache", ".hypothesis"}


class Grounds:
    """Where runs have their folders. Those of bad runs are moved to `kept`; beside it stays the
    compiled code of all runs, as a user's does."""

    def __init__(self, folder: Path, *, kept: Path) -> None:
        self.folder = folder
        self.kept = kept
        self.bytecode = kept.with_name("orphans-bytecode")
        self._numbers = itertools.count(1)

    def fresh(self) -> Path:
        """A new folder's path."""
        return self.folder / str(next(self._numbers))

    def done(self, started: Started, *, bad: bool) -> str:
        """Clear up after a run; where its folder is, if that is worth a look."""
        started.close()
        if not bad:
            shutil.rmtree(started.folder)
            return ""
        self.kept.mkdir(exist_ok=True)
        target = self.kept / f"{os.getpid()}-{started.folder.name}"
        shutil.move(started.folder, target)
        (target / "output").write_text(started.said())
        return str(target)


def until(condition: Callable[[], object], limit: float) -> bool:
    """Wait for it; whether it came."""
    pause, end = threading.Event(), time.monotonic() + limit
    while not condition():
        if time.monotonic() > end:
            return False
        pause.wait(LOOK)
    return True


def lifetime(grounds: Grounds, scenario: str) -> float:
    """Seconds that an undisturbed run takes. The very first one also compiles and fills caches."""
    if not grounds.bytecode.exists():
        _undisturbed(grounds, scenario)
    return _undisturbed(grounds, scenario)


def _undisturbed(grounds: Grounds, scenario: str) -> float:
    started = Started(grounds.fresh(), scenario, "file", grounds.bytecode)
    began = time.monotonic()
    if not until(lambda: started.status is not None, END):
        os.killpg(started.pid, signal.SIGKILL)
    life = time.monotonic() - began
    wrong = truth.undisturbed(scenario, started.status, started.said())
    kept = grounds.done(started, bad=bool(wrong))
    if wrong:
        raise SystemExit(f"{scenario} without any kill: {wrong}; see {kept}")
    return life


def _victim(kind: Kind, started: Started) -> int | None:
    """Whom to kill: pytest itself, or the process of that command line, once it is there."""
    if kind.target in ("", "group"):
        return started.pid if started.status is None else None
    found: list[int] = []

    def there() -> bool:
        living = ours.processes(started.mark)
        found[:] = [pid for pid, line in living.items() if kind.target in line]
        return bool(found) or started.status is not None

    until(there, END)
    return found[0] if found else None


class Moment(NamedTuple):
    """When to strike: `wait` seconds after the start, or after the run has come to `stage`."""

    wait: float
    stage: str = ""


def killed(grounds: Grounds, scenario: str, kind: Kind, moment: Moment) -> Row | None:
    """Run and kill. None: the run was over before its moment came."""
    started = Started(grounds.fresh(), scenario, kind.output, grounds.bytecode)
    began = time.monotonic()
    try:
        until(lambda: started.reached(moment.stage) or started.status is not None, END)
        threading.Event().wait(moment.wait)
        victim = _victim(kind, started)
        if victim is None or started.status is not None:
            until(lambda: started.status is not None, END)
            grounds.done(started, bad=False)
            return None
        before = list(ours.processes(started.mark))
        sockets, files = ours.sockets(before), ours.files(before)
        struck, instant = time.monotonic() - began, time.monotonic_ns()
        strike(kind, started, victim, again=moment.wait % 0.3)
        return _aftermath(grounds, started, scenario, kind, struck, (instant, sockets, files))
    finally:
        for pid in ours.processes(started.mark):
            os.kill(pid, signal.SIGKILL)


def _aftermath(
    grounds: Grounds, started: Started, scenario: str, kind: Kind, moment: float,
    before: tuple[int, set[str], set[str]],
) -> Row:  # fmt: skip
    instant, sockets, files = before
    stage = started.stage_at(instant)
    hung = not until(lambda: started.status is not None, END)
    ended = (time.monotonic_ns() - instant) / 1e9
    until(lambda: not remains(started, sockets, files), CLEAN)
    seconds = (time.monotonic_ns() - instant) / 1e9
    left = remains(started, sockets, files)
    untrue = truth.untruths(kind, stage, scenario, started.status, started.said())
    if hung:
        untrue = (f"pytest had not ended after {END:.0f} s", *untrue)
    # For those that go on, the time from their end counts.
    cleaned = seconds - ended if kind.survives else seconds
    bad = bool(left or untrue)
    return Row(
        kind=kind.name, scenario=scenario, stage=stage, moment=moment, seconds=cleaned, ended=ended,
        status=started.status, left=left, untrue=untrue, folder=grounds.done(started, bad=bad),
    )  # fmt: skip


def pythons(path: Path) -> bool:
    """Whether `tempfile` made it to see if it may: killed just then, any Python leaves it."""
    try:
        return bool(re.fullmatch(r"[a-z0-9_]{8}", path.name)) and path.read_bytes() in (
            b"",
            b"blat",
        )
    except OSError:  # a directory, or gone
        return False


def remains(started: Started, sockets: set[str], files: set[str]) -> tuple[str, ...]:
    """What is still there, in words."""
    found = []
    for pid, line in ours.processes(started.mark).items():
        stopped = " (stopped)" if ours.state(pid) == "T" else ""
        found.append(f"process {pid}{stopped} {line[:100]}")
    found += [f"socket at {where}" for where in ours.bound(sockets).values()]
    home = str(started.project)
    found += [
        path for path in sorted(files) if not path.startswith(home) and Path(path).exists()
        and path != str(started.stages) and not path.startswith("/dev/p")
        and not pythons(Path(path))
    ]  # fmt: skip
    found += [
        f"{path} in the temporary directory"
        for path in started.temporary.iterdir()
        if not path.name.startswith("pytest-of-") and not pythons(path)
    ]
    found += [
        f"{path.relative_to(started.project)} in the project"
        for path in started.project.iterdir()
        if path.name not in KNOWN
    ]
    return tuple(found)
