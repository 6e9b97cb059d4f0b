"""One run of pytest as a user would have it: its folder, its output, its end."""

from __future__ import annotations

import contextlib
import os
import pty
import select
import shutil
import subprocess
import threading
import uuid
from pathlib import Path

from orphans.ours import MARK
from orphans.scenarios import command

# What would make the run another one than a user's, or slow.
_STRIPPED = ("PYTEST", "MQCHAOS", "PYTHONDONTWRITEBYTECODE")
PROJECT = Path(__file__).with_name("project")


class Started:
    """`folder` becomes its home: project/ is where pytest runs, tmp/ its directory for litter. It
    stands still when it comes to the stage `hold`."""

    def __init__(
        self, folder: Path, scenario: str, output: str, bytecode: Path, hold: str = ""
    ) -> None:
        self.mark = uuid.uuid4().hex
        self.folder = folder
        self.stages = folder / "stages"
        self.temporary = folder / "tmp"
        self.project = folder / "project"
        self.temporary.mkdir(parents=True)
        shutil.copytree(PROJECT, self.project, ignore=shutil.ignore_patterns("__pycache__"))
        self._said = bytearray()
        self._closing = threading.Event()
        environment = {
            **{name: v for name, v in os.environ.items() if not name.startswith(_STRIPPED)},
            MARK: self.mark,
            "SPT_NOENV": "1",  # else setproctitle, of an xdist worker, writes over what marks it
            "ORPHANS_STAGES": str(self.stages),
            "ORPHANS_SCENARIO": scenario,
            "ORPHANS_HOLD": hold,
            "TMPDIR": str(self.temporary),
            "PYTHONPYCACHEPREFIX": str(bytecode),
            "PYTHONPATH": str(PROJECT.parents[1]),
        }
        argv = command(scenario)
        if output == "terminal":
            # A leader of a session that opens a terminal has it: closing it hangs up.
            self._ours, theirs = pty.openpty()
            name = os.ttyname(theirs)
            argv = ["sh", "-c", f'exec "$@" <>{name} >&0 2>&1', "sh", *argv]
        else:
            self._ours, theirs = os.pipe()
        self._process = subprocess.Popen(
            argv, cwd=self.project, env=environment, start_new_session=True,
            stdin=subprocess.DEVNULL, stdout=theirs, stderr=theirs,
        )  # fmt: skip
        self._terminal = theirs if output == "terminal" else None
        if self._terminal is None:
            os.close(theirs)
        self.pid = self._process.pid
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        """Take what it says until it is closed by us or by everybody; our end goes with it."""
        with contextlib.suppress(OSError):  # the end of a terminal is an error
            while not self._closing.is_set():
                if select.select([self._ours], [], [], 0.01)[0]:
                    data = os.read(self._ours, 65536)
                    if not data:
                        break
                    self._said += data
        os.close(self._ours)

    @property
    def status(self) -> int | None:
        """Its exit status (negative: the signal), None while it runs."""
        return self._process.poll()

    def said(self) -> str:
        """Everything that it wrote until now."""
        return self._said.decode(errors="replace")

    def stage_at(self, instant: int) -> str:
        """How far it had come at an instant of CLOCK_MONOTONIC (ns)."""
        last = "interpreter"
        if self.stages.exists():
            for line in self.stages.read_text().splitlines():
                t, _, stage = line.partition(" ")
                if int(t) <= instant:
                    last = stage
        return last

    def reached(self, stage: str) -> bool:
        """Whether it has come to a stage; "" is its start."""
        return not stage or (
            self.stages.exists() and f" {stage}\n" in self.stages.read_text(encoding="utf-8")
        )

    def close_output(self) -> None:
        """As a terminal window, or the `head` at the other end of a pipe, that goes away."""
        self._closing.set()
        self._reader.join()

    def close(self) -> None:
        """Give back what we hold ourselves; to be called when nothing of it lives any more."""
        self._process.wait()
        self._reader.join(0.5)  # until it has read all; a terminal has no end while we hold it
        self.close_output()
        if self._terminal is not None:
            os.close(self._terminal)
