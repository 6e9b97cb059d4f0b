"""Ctrl-C at each stage of a run: pytest says that it was interrupted, and nothing is left."""

import os
import signal

import pytest

from orphans import ours, truth
from orphans.kills import KINDS
from orphans.run import CLEAN, END, remains, until
from orphans.started import Started

STAGES = [
    "collection", "set-up", "data plane starts", "traffic", "frames held", "settle", "judging",
    "tear-down",
]  # fmt: skip
DEFAULT = ("frames held", True)  # in the default run one is enough
CASES = [
    pytest.param(
        stage, group, marks=() if (stage, group) == DEFAULT else pytest.mark.wide,
        id=f"{stage}, {'terminal' if group else 'pytest alone'}",
    )
    for stage in STAGES
    for group in (True, False)
]  # fmt: skip


@pytest.fixture
def run(tmp_path, monkeypatch):
    """A run that stands still at a stage."""
    # A shell's background job, as some CI runs us, ignores SIGINT, and children inherit that.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    runs = []

    def start(stage, scenario="rules"):
        runs.append(Started(tmp_path / "run", scenario, "file", tmp_path / "bytecode", stage))
        assert until(lambda: runs[0].reached(stage), END), runs[0].said()
        return runs[0]

    yield start
    signal.signal(signal.SIGINT, before)
    for started in runs:
        for pid in ours.processes(started.mark):
            os.kill(pid, signal.SIGKILL)
        started.close()


@pytest.mark.parametrize(("stage", "group"), CASES)
def test_ctrl_c(run, stage, group):
    started = run(stage)
    before = list(ours.processes(started.mark))
    sockets, files = ours.sockets(before), ours.files(before)
    (os.killpg if group else os.kill)(started.pid, signal.SIGINT)
    assert until(lambda: started.status is not None, END), "it went on"
    assert started.status == pytest.ExitCode.INTERRUPTED, started.said()
    assert until(lambda: "KeyboardInterrupt" in started.said(), END), started.said()
    kind = KINDS["SIGINT to pytest"]
    assert truth.untruths(kind, stage, "rules", started.status, started.said()) == ()
    until(lambda: not remains(started, sockets, files), CLEAN)
    assert remains(started, sockets, files) == ()
