"""A loop whose time is made: the order of things, and that nothing waits."""

import asyncio
import contextvars
import math
import time

import pytest

from pytest_mqchaos.errors import SimulationStuck
from pytest_mqchaos.simulation.loop import VirtualLoop
from pytest_mqchaos.simulation.turns import SECOND, START, TURN


@pytest.fixture(params=[False, True], ids=["plain", "debug"])
def run(request):
    def run(main, **options):
        made = []

        def factory():
            loop = VirtualLoop(**options)
            loop.set_debug(request.param)
            made.append(loop)
            return loop

        with asyncio.Runner(loop_factory=factory) as runner:
            return runner.run(main)

    return run


def test_an_hour_of_sleep_takes_no_time(run):
    async def main():
        began, loop = time.monotonic(), asyncio.get_running_loop()
        before = loop.time()
        await asyncio.sleep(3600)
        assert loop.time() - before == pytest.approx(3600, abs=1e-4)
        return time.monotonic() - began

    assert run(main()) < 60


def test_timers_of_one_instant_run_in_the_order_of_their_making(run):
    async def main():
        loop, seen = asyncio.get_running_loop(), []
        when = loop.time() + 1
        for number in range(200):
            loop.call_at(when, seen.append, number)
        loop.at(round(when * SECOND), seen.append, "world")
        await asyncio.sleep(2)
        return seen

    assert run(main()) == [*range(200), "world"]


def test_timers_run_in_the_order_of_their_instants_whatever_their_kind(run):
    async def main():
        loop, seen = asyncio.get_running_loop(), []
        loop.call_later(3, seen.append, 3)
        loop.at(loop.now + 2 * SECOND, seen.append, 2)
        loop.call_later(1, seen.append, 1)
        await asyncio.sleep(4)
        return seen

    assert run(main()) == [1, 2, 3]


def test_a_sleeper_never_wakes_before_its_time(run):
    async def main():
        loop = asyncio.get_running_loop()
        for delay in (1e-9, 0.1, 0.3, 1 / 3, 1e-4, 0.7):
            until = loop.time() + delay
            await asyncio.sleep(delay)
            assert loop.time() >= until

    run(main())


def test_who_waits_until_a_clock_is_past_a_deadline_gets_on(run):
    async def main():
        loop = asyncio.get_running_loop()
        deadline, turns = loop.time() + 5, 0
        while not loop.time() > deadline:  # aiokafka's commits wait so
            await asyncio.sleep(max(0, deadline - loop.time()))
            turns += 1
        return turns

    assert run(main()) <= 3


def test_who_polls_without_a_pause_sees_time_go_on(run):
    async def main():
        loop = asyncio.get_running_loop()
        deadline = loop.time() + 0.05
        while loop.time() < deadline:  # noqa: ASYNC110 - this is asked
            await asyncio.sleep(0)
        return True

    assert run(main())


def test_groups_time_outs_queues_and_contexts_work(run):
    name = contextvars.ContextVar("name")

    async def main():
        queue, seen = asyncio.Queue(maxsize=1), []

        async def produce():
            name.set("producer")
            for number in range(3):
                await asyncio.sleep(10)
                await queue.put(number)
            seen.append(name.get())

        async with asyncio.TaskGroup() as group:
            group.create_task(produce())
            seen += [await queue.get() for _ in range(3)]
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(40):
                await queue.get()
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(queue.get(), 40)
        assert name.get(None) is None
        return seen

    assert sorted(map(str, run(main()))) == ["0", "1", "2", "producer"]


def test_cancelled_timers_are_swept(run):
    async def main():
        loop = asyncio.get_running_loop()
        for _ in range(1000):
            loop.call_later(1e6, lambda: None).cancel()
        return len(loop._timers)

    assert run(main()) < 300


def test_asynchronous_generators_are_closed_at_the_end(run):
    closed = []

    async def numbers():
        try:
            yield 1
            yield 2
        finally:
            await asyncio.sleep(1)
            closed.append(True)

    async def main():
        generator = numbers()
        assert await anext(generator) == 1
        main.kept = generator

    run(main())
    assert closed == [True]


def test_an_error_in_a_callback_goes_to_the_handler_and_the_loop_goes_on(run):
    async def main():
        loop, told = asyncio.get_running_loop(), []
        loop.set_exception_handler(lambda _, context: told.append(context["exception"]))
        loop.call_soon(lambda: 1 / 0)
        await asyncio.sleep(1)
        return told

    assert isinstance(run(main())[0], ZeroDivisionError)


def test_the_limit_of_time_ends_what_would_go_on_for_ever(run):
    async def main():
        while True:  # noqa: ASYNC110 - this is asked
            await asyncio.sleep(10)

    with pytest.raises(SimulationStuck, match="100 virtual seconds have passed"):
        run(main(), limit=100 * SECOND)


def test_the_limit_of_time_ends_what_polls_for_ever(run):
    async def main():
        while True:  # noqa: ASYNC110 - this is asked
            await asyncio.sleep(0)

    with pytest.raises(SimulationStuck, match=r"0\.05 virtual seconds have passed"):
        run(main(), limit=SECOND // 20)


def test_what_blocks_lets_the_world_go_on_and_nothing_else(run):
    async def main():
        loop, seen = asyncio.get_running_loop(), []
        loop.at(loop.now + SECOND, lambda: seen.append(("world", loop.now)))
        loop.call_later(1, lambda: seen.append(("loop", loop.now)))
        began = loop.now
        loop.block(60 * SECOND)
        assert seen == [("world", began + SECOND)]
        await asyncio.sleep(0.001)
        assert seen[1][0] == "loop"
        assert seen[1][1] >= began + 60 * SECOND

    run(main())


def test_a_timer_at_infinity_is_no_reason_to_wait(run):
    async def main():
        await asyncio.sleep(math.inf)

    with pytest.raises(SimulationStuck, match="no timer is set"):
        run(main())


def test_a_loop_begins_at_the_same_instant_always():
    loop = VirtualLoop()
    assert loop.now == START
    loop.run_until_complete(asyncio.sleep(0))
    assert START < loop.now <= START + 10 * TURN
    loop.close()
    with pytest.raises(RuntimeError, match="closed"):
        loop.call_later(1, print)
