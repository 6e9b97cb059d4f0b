"""A supervisor with answers that a test can change, and waiting for a condition."""

import asyncio
import threading
import time
from dataclasses import dataclass, field
from types import SimpleNamespace

import psutil
import pytest

from pytest_mqchaos.workloads.incarnation import Launch
from pytest_mqchaos.workloads.supervisor import Supervisor
from pytest_mqchaos.workloads.target import understand

LIMIT = 20.0


def eventually(condition, what="the condition"):
    """Wait until it holds; fails with what was waited for."""
    pause = threading.Event()
    until = time.monotonic() + LIMIT
    while not condition():
        assert time.monotonic() < until, f"waited {LIMIT} s in vain for {what}"
        pause.wait(0.002)


async def eventually_async(condition):
    """The same on a running loop, which goes on running."""
    async with asyncio.timeout(LIMIT):
        while not condition():  # noqa: ASYNC110 - other threads make it true
            await asyncio.sleep(0.002)


def gone(pid):
    """No such process, or only its entry is left."""
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


@dataclass
class World:
    """What a supervisor asks and tells."""

    directory: object
    fault: bool = False
    moved: int = 0
    events: list = field(default_factory=list)
    launches: list = field(default_factory=list)
    supervisors: list = field(default_factory=list)

    def supervise(self, target, *args, names=("worker-1",), kwargs=None, env=None, **options):
        job = understand(
            target, **{k: options.pop(k) for k in ("process", "setup", "on_crash") if k in options}
        )
        whole = tuple(target) if job.kind == "command" else args

        def arguments_for(incarnation):
            self.launches.append(incarnation.name)
            given = tuple(a(incarnation) if callable(a) else a for a in whole)
            return Launch(args=given, kwargs=kwargs or {}, env=env or {})

        supervisor = Supervisor(
            job,
            names=names,
            arguments_for=arguments_for,
            record=self.events.append,
            fault_seen=lambda: self.fault,
            progress=lambda: self.moved,
            directory=self.directory,
            **options,
        )
        self.supervisors.append(supervisor)
        return supervisor

    def told(self):
        return [(event.who, event.what) for event in self.events]


@pytest.fixture
def world(tmp_path):
    world = World(directory=tmp_path / "workers")
    yield world
    for supervisor in world.supervisors:
        supervisor.stop(limit=LIMIT)


@pytest.fixture
def tools():
    return SimpleNamespace(eventually=eventually, eventually_async=eventually_async, gone=gone)
