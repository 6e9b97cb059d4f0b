"""Workers of one loop: started, crashed, restarted between two of its steps, without a thread."""

import asyncio
import threading

import pytest

from pytest_mqchaos.errors import UsageError, WaitTimeout, WorkerFailed
from pytest_mqchaos.simulation.loop import VirtualLoop
from pytest_mqchaos.workloads.incarnation import Launch, current_incarnation
from pytest_mqchaos.workloads.on_loop import LoopSupervisor
from pytest_mqchaos.workloads.target import understand


@pytest.fixture
def loop():
    loop = VirtualLoop()
    yield loop
    loop.close()


class World:
    """A supervisor on a virtual loop, and what it records."""

    def __init__(self, loop, target, *, names=("worker-1",), fault=False, **options):
        self.events, self.fault, self.moved = [], fault, 0
        hooks = {key: options.pop(key) for key in ("setup", "on_crash") if key in options}
        self.keeper = LoopSupervisor(
            understand(target, **hooks), clock=lambda: loop.now, names=names, loop=loop,
            arguments_for=lambda incarnation: Launch(args=(incarnation.name,)),
            record=lambda event: self.events.append((event.who, event.what)),
            fault_seen=lambda: self.fault, progress=lambda: self.moved, **options,
        )  # fmt: skip


async def forever(name, done=None):
    await asyncio.Event().wait()


def test_it_starts_crashes_restarts_and_stops(loop):
    world = World(loop, forever, names=("worker-1", "worker-2"))
    keeper = world.keeper

    async def main():
        keeper.start()
        assert keeper.running == ("worker-1#1", "worker-2#1")
        assert await keeper.crash("worker-1#1", cause="by the test")
        await asyncio.sleep(0.01)
        assert keeper.running == ("worker-1#2", "worker-2#1")
        assert not await keeper.crash("worker-1#1")
        await keeper.restart()
        assert keeper.running == ("worker-1#3", "worker-2#2")
        await keeper.stop()
        await keeper.stop()

    before = set(threading.enumerate())
    loop.run_until_complete(main())
    assert not set(threading.enumerate()) - before
    assert keeper.failure is None
    assert keeper.running == keeper.waiting == ()
    assert world.events == [
        ("worker-1#1", "started"), ("worker-2#1", "started"), ("worker-1#1", "crashed"),
        ("worker-1#2", "restarted"), ("worker-1#2", "stopped"), ("worker-2#1", "stopped"),
        ("worker-1#3", "restarted"), ("worker-2#2", "restarted"), ("worker-1#3", "stopped"),
        ("worker-2#2", "stopped"),
    ]  # fmt: skip


def test_no_step_that_was_ready_runs_after_a_crash(loop):
    did, go = [], None

    async def works(name):
        await go
        did.append(name)

    async def main():
        nonlocal go
        go = loop.create_future()
        world.keeper.start()
        await asyncio.sleep(0)
        go.set_result(None)  # its wake-up is ready, and has not run
        death = world.keeper.crash("worker-1#1")
        assert await death
        await world.keeper.stop()

    world = World(loop, works, restart=False)
    loop.run_until_complete(main())
    assert "worker-1#1" not in did


def test_a_crash_before_the_first_step_leaves_it_undone(loop):
    did = []

    async def works(name):
        did.append(name)

    async def main():
        world.keeper.start()
        assert await world.keeper.crash("worker-1#1")

    world = World(loop, works, restart=False)
    loop.run_until_complete(main())
    assert did == []


def test_its_tasks_die_with_it_and_who_asks_is_told_its_name(loop):
    names, ended = [], []

    async def child():
        names.append(current_incarnation())
        try:
            await asyncio.Event().wait()
        finally:
            ended.append("child")

    async def works(name):
        task = asyncio.create_task(child())
        try:
            await task
        finally:
            ended.append("parent")

    async def main():
        world.keeper.start()
        await asyncio.sleep(0.01)
        await world.keeper.crash("worker-1#1")

    world = World(loop, works, restart=False, on_crash=lambda: ended.append("closed"))
    loop.run_until_complete(main())
    assert names == ["worker-1#1"]
    assert ended[-1] == "closed"
    assert sorted(ended) == ["child", "closed", "parent"]


async def fails(name):
    raise LookupError(name)


def test_an_exception_without_a_fault_is_the_tests_failure(loop):
    async def main():
        world.keeper.start()
        await asyncio.sleep(1)

    world = World(loop, fails)
    loop.run_until_complete(main())
    assert isinstance(world.keeper.failure, LookupError)
    assert world.events == [("worker-1#1", "started"), ("worker-1#1", "ended")]


def test_after_a_fault_it_is_started_again_until_nothing_moves(loop):
    async def main():
        world.keeper.start()
        await asyncio.sleep(0.25)
        assert world.keeper.waiting == ("worker-1",)
        await asyncio.sleep(60)

    world = World(loop, fails, fault=True)
    loop.run_until_complete(main())
    assert isinstance(world.keeper.failure, WorkerFailed)
    assert "crash loop" in str(world.keeper.failure)
    assert world.events.count(("worker-1#9", "restarted")) == 1
    assert world.keeper.waiting == ()


def test_what_fails_while_its_end_is_recorded_is_not_swallowed(loop):
    async def main():
        world.keeper.start()
        await asyncio.sleep(1)

    async def returns(name): ...

    world = World(loop, returns)
    world.events = type("Broken", (), {"append": lambda self, event: self.check(event)})()
    world.events.check = lambda event: 1 / 0 if event[1] == "ended" else None
    loop.run_until_complete(main())
    assert isinstance(world.keeper.failure, ZeroDivisionError)


def test_who_swallows_the_cancellation_is_named_after_the_limit(loop):
    async def stubborn(name):
        for _ in range(8):  # so that it ends, some day
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                continue

    async def main():
        world.keeper.start()
        await asyncio.sleep(0.01)
        with pytest.raises(WaitTimeout, match="worker-1#1 was to be stopped but still runs"):
            await world.keeper.stop(limit=1.0)
        await asyncio.sleep(1)
        with pytest.raises(WaitTimeout):
            raise world.keeper.failure
        await world.keeper.stop(limit=10)

    world = World(loop, stubborn)
    loop.run_until_complete(main())


def test_a_stubborn_worker_is_cancelled_again_until_it_ends(loop):
    async def stubborn(name):
        for _ in range(3):
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                continue

    async def main():
        world.keeper.start()
        await asyncio.sleep(0.01)
        assert await world.keeper.crash("worker-1#1")

    world = World(loop, stubborn, restart=False)
    loop.run_until_complete(main())
    assert world.keeper.failure is None


def test_what_no_loop_can_do_is_refused(loop):
    world = World(loop, forever)
    world.keeper.require_crashable()
    assert world.keeper.pid_of("worker-1#1") is None
    with pytest.raises(UsageError, match="none"):
        world.keeper.crash_child("worker-1#1", 4711)
    with pytest.raises(UsageError, match="needs a thread"):
        World(loop, print)
    with pytest.raises(UsageError, match="async with"):
        World(None, forever)
