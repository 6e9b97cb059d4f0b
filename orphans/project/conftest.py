"""A user's conftest, and besides: it notes how far the run has come, so that a kill has a stage.

Every line of the file $ORPHANS_STAGES is "<CLOCK_MONOTONIC ns> <stage>", of all processes of a run.
At the stage $ORPHANS_HOLD it stands still, once.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from pathlib import Path

# A library of ours loads Hypothesis if it is there, for a second; most users do not have it.
sys.modules["hypothesis"] = None


def note(stage):
    line = f"{time.monotonic_ns()} {stage}\n".encode()
    descriptor = os.open(os.environ["ORPHANS_STAGES"], os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    try:
        os.write(descriptor, line)
    finally:
        os.close(descriptor)
    if stage == os.environ.get("ORPHANS_HOLD"):
        del os.environ["ORPHANS_HOLD"]
        for _ in range(6000):  # a test strikes here; a Ctrl-C just before a wait does not end it
            threading.Event().wait(0.1)


def before(owner, name, stage, after=""):
    """Note `stage` whenever `owner.name` is called (and `after` when it returns)."""
    original = getattr(owner, name)

    def noting(*args, **kwargs):
        note(stage)
        result = original(*args, **kwargs)
        if after:
            note(after)
        return result

    setattr(owner, name, noting)


def pytest_collectstart():
    note("collection")


def pytest_runtest_setup():
    note("set-up")
    from pytest_mqchaos.brokers.kafka_process import KafkaProcess
    from pytest_mqchaos.chaos.host import ChaosBroker
    from pytest_mqchaos.dataplane.controller import DataPlane
    from pytest_mqchaos.guest import proof
    from pytest_mqchaos.workloads.supervisor import Supervisor

    if getattr(DataPlane.start, "__name__", "") == "noting":
        return
    before(DataPlane, "start", "data plane starts", "set-up")
    before(ChaosBroker, "begin", "broker starts", "set-up")
    before(KafkaProcess, "start", "broker starts", "set-up")
    before(Supervisor, "crash", "worker restarts")
    before(proof, "replayed", "replay proof", "judging")


def pytest_runtest_teardown():
    note("tear-down")


def pytest_sessionfinish():
    note("tear-down")


def pytest_unconfigure():
    note("exit")


def pytest_configure():
    if "MQCHAOS_REPLAYING" in os.environ:  # of a replay all is one stage
        global note
        note = lambda stage: None  # noqa: ARG005, E731
    from importlib import import_module

    import_module("services").note = note
    assert Path(os.environ["ORPHANS_STAGES"]).is_absolute()
