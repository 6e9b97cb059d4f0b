"""The ways in which a run, or a part of it, is killed."""

from __future__ import annotations

import os
import signal
import threading
from typing import TYPE_CHECKING, Literal, NamedTuple

from orphans.scenarios import SCENARIOS

if TYPE_CHECKING:
    from orphans.started import Started

# What stands in the command line of the process that is killed.
WORKER = "pytest_mqchaos.workloads.child"
PLANE = "pytest_mqchaos/dataplane/__main__.py"
BROKER = "kafka.Kafka"


class Kind(NamedTuple):
    """`target`: words of the command line of what gets `signal`; "" is pytest itself, "group" its
    process group. `survives`: pytest goes on and must end by itself, with a true verdict."""

    name: str
    weight: float
    signal: signal.Signals | None
    target: str = ""
    twice: bool = False
    output: Literal["file", "pipe", "terminal"] = "file"
    survives: bool = False
    ctrl_c: bool = False


_ALL = (
    Kind("kill -9 pytest", 22, signal.SIGKILL),
    Kind("kill -9 worker", 13, signal.SIGKILL, WORKER, survives=True),
    Kind("kill -9 data plane", 13, signal.SIGKILL, PLANE, survives=True),
    Kind("kill -9 broker", 5, signal.SIGKILL, BROKER, survives=True),
    Kind("SIGINT to the group", 10, signal.SIGINT, "group", ctrl_c=True),
    Kind("SIGINT to pytest", 8, signal.SIGINT, ctrl_c=True),
    Kind("SIGINT twice", 8, signal.SIGINT, "group", twice=True),
    Kind("SIGTERM", 8, signal.SIGTERM),
    Kind("SIGHUP", 5, signal.SIGHUP),
    Kind("stdout closed", 4, None, output="pipe"),
    Kind("terminal closed", 4, None, output="terminal"),
)
KINDS = {kind.name: kind for kind in _ALL}


def possible(kind: Kind, scenario: str) -> bool:
    """Whether the scenario has such a process."""
    return kind.target != BROKER or SCENARIOS[scenario].broker


def strike(kind: Kind, started: Started, victim: int, again: float) -> None:
    """Do it; a second signal follows after `again` seconds."""
    if kind.signal is None:
        started.close_output()
        return
    for wait in (0.0, again)[: 1 + kind.twice]:
        threading.Event().wait(wait)
        try:
            if kind.target == "group":
                os.killpg(started.pid, kind.signal)
            else:
                os.kill(victim, kind.signal)
        except ProcessLookupError:
            return  # it ended between two signals
