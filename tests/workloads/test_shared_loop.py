"""Coroutine workers on the loop of the test itself (`async with`)."""

import asyncio
import threading

from pytest_mqchaos.errors import WaitTimeout
from pytest_mqchaos.workloads import offspring
from pytest_mqchaos.workloads.offspring import Offspring


def test_background_tasks_die_with_their_worker_on_the_tests_loop(world, tools):
    async def test():
        background = []

        async def heartbeat(beat):
            background.append(beat)
            try:
                await asyncio.Event().wait()
            finally:
                background.remove(beat)

        async def service():
            keep = [asyncio.create_task(heartbeat(n)) for n in range(3)]
            await asyncio.gather(*keep)

        async def not_ours():
            await asyncio.Event().wait()

        mine = asyncio.create_task(not_ours())
        loop = asyncio.get_running_loop()
        supervisor = world.supervise(service, restart=False, loop=loop)
        await supervisor.start_async()
        await tools.eventually_async(lambda: len(background) == 3)
        assert isinstance(loop.get_task_factory().__self__, Offspring)
        await supervisor.crash_async("worker-1#1")
        assert background == []
        assert not mine.done()
        await supervisor.stop_async()
        assert loop.get_task_factory() is None
        mine.cancel()

    asyncio.run(test())


def test_forgotten_tasks_die_even_if_nobody_awaits_them(world, tools):
    async def test():
        forgotten = []

        async def service():
            forgotten.append(asyncio.create_task(asyncio.Event().wait()))

        supervisor = world.supervise(service, loop=asyncio.get_running_loop())
        await supervisor.start_async()
        await tools.eventually_async(lambda: ("worker-1#1", "ended") in world.told())
        assert forgotten[0].cancelled()
        await supervisor.stop_async()

    asyncio.run(test())


def test_a_task_that_waits_while_it_is_cancelled_is_cancelled_there_too(world, tools, monkeypatch):
    monkeypatch.setattr(offspring, "AGAIN", 0.01)

    async def test():
        stuck = []

        async def stop():
            try:
                await asyncio.Event().wait()
            finally:
                await asyncio.Event().wait()  # for one that is cancelled as well

        async def service():
            stuck.append(asyncio.create_task(stop()))
            await asyncio.sleep(0)

        supervisor = world.supervise(service, loop=asyncio.get_running_loop())
        await supervisor.start_async()
        await tools.eventually_async(lambda: ("worker-1#1", "ended") in world.told())
        assert stuck[0].cancelled()
        await supervisor.stop_async()

    asyncio.run(test())


def test_it_is_started_again_on_the_tests_loop(world, tools):
    async def test():
        loops = []

        async def service():
            loops.append(asyncio.get_running_loop())
            await asyncio.Event().wait()

        supervisor = world.supervise(service, loop=asyncio.get_running_loop())
        await supervisor.start_async()
        assert await supervisor.crash_async("worker-1#1")
        await tools.eventually_async(lambda: len(loops) == 2)
        await supervisor.restart_async()
        await tools.eventually_async(lambda: len(loops) == 3)
        await supervisor.stop_async()
        assert set(map(id, loops)) == {id(asyncio.get_running_loop())}

    asyncio.run(test())
    assert [what for _, what in world.told()] == [
        "started", "crashed", "restarted", "stopped", "restarted", "stopped",
    ]  # fmt: skip


def test_the_factory_of_the_tests_loop_is_used_and_put_back(world, tools):
    made = []

    def factory(loop, coro, **kwargs):
        made.append(coro.__qualname__)
        return asyncio.Task(coro, loop=loop, **kwargs)

    async def test():
        loop = asyncio.get_running_loop()
        loop.set_task_factory(factory)

        async def service():
            await asyncio.create_task(asyncio.sleep(0))

        supervisor = world.supervise(service, loop=loop)
        await supervisor.start_async()
        await tools.eventually_async(lambda: ("worker-1#1", "ended") in world.told())
        await supervisor.stop_async()
        assert loop.get_task_factory() is factory

    asyncio.run(test())
    assert "sleep" in made


def test_a_loop_that_is_gone_ends_its_workers(world):
    async def service():
        await asyncio.Event().wait()

    async def test():
        supervisor = world.supervise(service, loop=asyncio.get_running_loop())
        await supervisor.start_async()
        return supervisor

    supervisor = asyncio.run(test())
    supervisor.stop()
    assert supervisor.running == ()
    assert supervisor.failure is None


def test_a_blocked_loop_is_named_and_does_not_block_us(world):
    async def service():
        await asyncio.Event().wait()

    async def test():
        supervisor = world.supervise(service, restart=False, loop=asyncio.get_running_loop())
        supervisor.start()
        errors = []

        def controller():
            try:
                supervisor.crash("worker-1#1", limit=0.05)
            except WaitTimeout as error:
                errors.append(str(error))

        thread = threading.Thread(target=controller)
        thread.start()
        thread.join()  # what a test must not do: block its loop
        assert "the event loop that it shares with the test is blocked" in errors[0]
        await supervisor.stop_async()

    asyncio.run(test())


def test_a_crash_on_a_shared_loop_hits_one_worker_alone(world, tools):
    async def test():
        beating = set()

        async def heartbeat(name):
            beating.add(name)
            try:
                await asyncio.Event().wait()
            finally:
                beating.remove(name)

        async def service(name):
            await asyncio.create_task(heartbeat(name))

        loop = asyncio.get_running_loop()
        supervisor = world.supervise(
            service,
            lambda incarnation: incarnation.name,
            names=("worker-1", "worker-2"),
            restart=False,
            loop=loop,
        )
        await supervisor.start_async()
        await tools.eventually_async(lambda: len(beating) == 2)
        await supervisor.crash_async("worker-1#1")
        assert beating == {"worker-2#1"}
        assert supervisor.running == ("worker-2#1",)
        await supervisor.stop_async()
        assert beating == set()
        assert loop.get_task_factory() is None

    asyncio.run(test())


def test_a_factory_that_came_after_ours_stays(world, tools):
    async def test():
        loop = asyncio.get_running_loop()
        supervisor = world.supervise(asyncio.sleep, 3600, restart=False, loop=loop)
        await supervisor.start_async()
        await tools.eventually_async(lambda: loop.get_task_factory() is not None)

        def later(loop, coro, **kwargs):
            return asyncio.Task(coro, loop=loop, **kwargs)

        loop.set_task_factory(later)
        await supervisor.stop_async()
        assert loop.get_task_factory() is later

    asyncio.run(test())
