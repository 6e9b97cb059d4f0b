import asyncio
import contextvars
import threading

import pytest

from pytest_mqchaos.errors import UsageError, WaitTimeout
from pytest_mqchaos.workloads.incarnation import current_incarnation


def test_it_runs_on_a_thread_and_loop_of_its_own(world, tools):
    where = []

    async def service():
        where.append((threading.current_thread(), asyncio.get_running_loop()))

    supervisor = world.supervise(service, names=("worker-1", "worker-2"))
    supervisor.start()
    tools.eventually(lambda: len(where) == 2)
    supervisor.stop()
    threads, loops = zip(*where, strict=True)
    assert len(set(threads)) == 2
    assert threading.current_thread() not in threads
    assert len(set(map(id, loops))) == 2


def test_a_crash_runs_finally_then_on_crash_and_only_then_returns(world, tools):
    steps = []

    async def service(pool):
        try:
            steps.append("working")
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)
            steps.append(f"finally as {current_incarnation()}")

    async def setup():
        return "pool"

    supervisor = world.supervise(
        service, setup=setup, on_crash=lambda pool: steps.append(f"closed {pool}"), restart=False
    )
    supervisor.start()
    tools.eventually(lambda: steps)
    supervisor.crash("worker-1#1")
    assert steps == ["working", "finally as worker-1#1", "closed pool"]
    assert supervisor.crashed_at("worker-1#1") is not None


def test_a_stop_runs_finally_to_its_end_but_not_on_crash(world, tools):
    steps = []

    async def service():
        try:
            steps.append("working")
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0.5)  # it says good-bye: longer than who swallows a stop is given
            steps.append("finally")

    supervisor = world.supervise(service, on_crash=lambda: steps.append("on_crash"))
    supervisor.start()
    tools.eventually(lambda: steps)
    supervisor.stop()
    assert steps == ["working", "finally"]
    assert world.events[-1].what == "stopped"


def test_an_on_crash_that_fails_is_the_tests_failure(world, tools):
    async def service():
        await asyncio.Event().wait()

    async def on_crash():
        raise RuntimeError("cannot close the store")

    supervisor = world.supervise(service, on_crash=on_crash, restart=False)
    supervisor.start()
    supervisor.crash("worker-1#1")
    tools.eventually(lambda: supervisor.failure)
    assert "cannot close the store" in str(supervisor.failure)


def test_a_setup_that_fails_is_the_workers_exception(world, tools):
    async def service(pool):
        raise AssertionError("never reached")

    async def setup():
        raise OSError("no database")

    supervisor = world.supervise(service, setup=setup)
    supervisor.start()
    tools.eventually(lambda: supervisor.failure)
    assert isinstance(supervisor.failure, OSError)


def test_a_setup_without_result_adds_no_argument(world, tools):
    got = []

    async def service(*args, **kwargs):
        got.append((args, kwargs))

    supervisor = world.supervise(service, "address", setup=lambda: None, kwargs={"group": "g"})
    supervisor.start()
    tools.eventually(lambda: got)
    assert got == [(("address",), {"group": "g"})]


def test_a_coroutine_that_swallows_its_cancellation_once_still_dies(world, tools):
    begun, swallowed = threading.Event(), []

    async def service():
        while True:
            begun.set()
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                swallowed.append(1)
                if len(swallowed) > 1:
                    raise

    supervisor = world.supervise(service, restart=False)
    supervisor.start()
    assert begun.wait(20)
    supervisor.crash("worker-1#1")
    assert len(swallowed) == 2


def test_a_coroutine_that_never_dies_is_named(world, tools):
    begun, released = threading.Event(), threading.Event()

    async def service():
        while not released.is_set():
            begun.set()
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                continue

    supervisor = world.supervise(service, restart=False)
    supervisor.start()
    assert begun.wait(20)
    with pytest.raises(WaitTimeout, match=r"worker-1#1 was to be crashed.*CancelledError") as error:
        supervisor.crash("worker-1#1", limit=0.1)
    assert "process=True" in str(error.value)
    released.set()
    supervisor.stop()


def test_it_runs_in_the_context_of_whoever_defined_it(world, tools):
    tenant = contextvars.ContextVar("tenant", default="nobody")
    seen = []

    async def service():
        seen.append(tenant.get())
        tenant.set("changed inside")

    token = tenant.set("acme")
    supervisor = world.supervise(service)
    tenant.reset(token)
    supervisor.start()
    tools.eventually(lambda: seen)
    assert seen == ["acme"]
    assert tenant.get() == "nobody"


def test_a_system_exit_of_a_background_task_is_surfaced(world, tools):
    async def exiting():
        raise SystemExit(3)

    async def service():
        task = asyncio.create_task(exiting())
        await task

    supervisor = world.supervise(service)
    supervisor.start()
    tools.eventually(lambda: supervisor.failure)
    assert isinstance(supervisor.failure, SystemExit)


def test_on_crash_belongs_to_coroutines(world):
    with pytest.raises(UsageError, match="exists for coroutines"):
        world.supervise(lambda: None, on_crash=lambda: None)
