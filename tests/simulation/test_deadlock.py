"""What is said where nothing can ever happen any more."""

import asyncio

import pytest

from pytest_mqchaos.errors import SimulationStuck
from pytest_mqchaos.simulation.loop import VirtualLoop
from pytest_mqchaos.simulation.stage import Stage


def stuck(main):
    with (
        pytest.raises(SimulationStuck) as caught,
        asyncio.Runner(loop_factory=VirtualLoop) as runner,
    ):
        runner.run(main)
    return str(caught.value)


async def gets(queue):
    return await queue.get()


def line_of(function, offset):
    code = function.__code__
    return f"test_deadlock.py:{code.co_firstlineno + offset}, in {function.__name__}"


def test_every_task_is_listed_with_its_line_and_what_it_waits_for():
    async def main():
        lock, queue = asyncio.Lock(), asyncio.Queue()
        await lock.acquire()

        async def locks():
            async with lock:
                pass

        tasks = [
            asyncio.create_task(gets(queue), name="worker-2"),
            asyncio.create_task(gets(queue), name="worker-10"),
            asyncio.create_task(locks(), name="locker"),
        ]
        await asyncio.gather(*tasks)

    text = stuck(main())
    lines = text.splitlines()
    assert "nothing is ready, and no timer is set" in lines[0]
    assert [line.split("'")[1] for line in lines[1:]][1:] == ["locker", "worker-2", "worker-10"]
    assert line_of(gets, 1) in text
    assert "<Queue maxsize=0 _getters[2]" in text
    assert "<asyncio.locks.Lock [locked, waiters:1]>" in text
    assert "0x" not in text


def test_a_task_that_waits_for_a_task_says_which():
    async def main():
        task = asyncio.create_task(asyncio.Event().wait(), name="deep")
        await task

    text = stuck(main())
    assert "for task 'deep'" in text
    assert "<asyncio.locks.Event [unset, waiters:1]>" in text


def test_who_waits_in_a_library_is_found_by_the_line_of_its_own():
    async def main():
        await asyncio.wait_for(asyncio.get_running_loop().create_future(), None)

    assert line_of(main, 1) in stuck(main())


def test_the_same_deadlock_is_told_in_the_same_words():
    async def main():
        asyncio.current_task().set_name("main")
        one = asyncio.create_task(gets(asyncio.Queue()), name="one")
        await asyncio.gather(one, asyncio.create_task(asyncio.Event().wait(), name="two"))

    assert stuck(main()) == stuck(main())


async def never_ends():
    try:
        await asyncio.Event().wait()
    finally:
        await asyncio.Event().wait()


def test_a_task_that_does_not_end_is_told_unless_there_was_an_error_before():
    async def main():
        main.task = asyncio.create_task(never_ends(), name="stubborn")
        await asyncio.sleep(1)

    async def fails():
        await main()
        raise KeyError

    with pytest.raises(SimulationStuck, match="task 'stubborn' waits at"), Stage() as stage:
        stage.run(main())
    with pytest.raises(KeyError), Stage() as stage:
        stage.run(fails())
