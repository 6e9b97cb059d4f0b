"""Threads that were admitted: virtual time stands still for them, answers come in order."""

import asyncio
import concurrent.futures
import threading
import time

import pytest

from pytest_mqchaos.errors import SimulationStuck
from pytest_mqchaos.simulation import jobs
from tests.simulation.staged import simulated


def test_time_stands_still_while_a_thread_works():
    release = threading.Event()

    async def main():
        loop = asyncio.get_running_loop()
        other = asyncio.create_task(asyncio.sleep(3600))
        before = loop.time()
        await asyncio.to_thread(lambda: (time.sleep(0.02), release.set()))
        assert release.is_set()
        assert loop.time() - before < 0.01
        assert not other.done()

    simulated(main, "to_thread")


def test_answers_come_in_the_order_of_submission_whatever_the_threads_take():
    order = []

    def work(number):
        time.sleep(0.02 if number == 0 else 0)  # a thread sleeps for real
        return number

    async def main():
        async def ask(number):
            order.append(await asyncio.to_thread(work, number))

        await asyncio.gather(*(ask(number) for number in range(5)))

    simulated(main, "to_thread")
    assert order == [0, 1, 2, 3, 4]


def test_one_works_at_a_time_in_the_order_of_submission(monkeypatch):
    monkeypatch.setattr(jobs, "PATIENCE", 20.0)  # a thread may have no turn for a while
    started = []

    async def main():
        await asyncio.gather(*(asyncio.to_thread(started.append, number) for number in range(20)))

    simulated(main, "to_thread")
    assert started == list(range(20))


def test_one_that_waits_for_the_next_does_not_hold_it_up(monkeypatch):
    monkeypatch.setattr(jobs, "PATIENCE", 0.01)
    second = threading.Event()

    async def main():
        return await asyncio.gather(
            asyncio.to_thread(second.wait, 20), asyncio.to_thread(second.set)
        )

    assert simulated(main, "to_thread") == [True, None]


def test_one_that_waits_for_what_comes_behind_anothers_answer_does_not_hold_it_up(monkeypatch):
    """As a database does that is locked: who holds the lock has its answer, and is to commit."""
    monkeypatch.setattr(jobs, "PATIENCE", 0.01)
    monkeypatch.setattr(jobs, "STUCK", 0.01)
    committed = threading.Event()

    async def write_and_commit():
        await asyncio.to_thread(time.sleep, 0)
        committed.set()

    async def main():
        return await asyncio.gather(asyncio.to_thread(committed.wait, 20), write_and_commit())

    assert simulated(main, "to_thread") == [True, None]


def test_what_a_thread_raises_is_raised_where_it_is_awaited():
    async def main():
        with pytest.raises(ZeroDivisionError):
            await asyncio.to_thread(lambda: 1 / 0)
        with pytest.raises(StopAsyncIteration):
            await asyncio.get_running_loop().run_in_executor(None, raises)

    def raises():
        raise StopAsyncIteration

    simulated(main, "to_thread")


def test_an_executor_of_ones_own_does_the_work():
    with concurrent.futures.ThreadPoolExecutor(1, "own") as executor:

        async def main():
            loop = asyncio.get_running_loop()
            return await loop.run_in_executor(executor, lambda: threading.current_thread().name)

        assert simulated(main, "to_thread").startswith("own")


def test_a_time_out_around_a_thread_never_strikes():
    async def main():
        async with asyncio.timeout(1e-6):
            return await asyncio.to_thread(time.sleep, 0.01)

    assert simulated(main, "to_thread") is None


def test_a_cancelled_call_is_still_worked_off_before_time_goes_on():
    worked = []

    async def main():
        task = asyncio.create_task(asyncio.to_thread(worked.append, 1))
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.sleep(5)
        assert task.cancelled()
        assert worked == [1]

    simulated(main, "to_thread")


def test_a_thread_that_never_ends_is_named(monkeypatch):
    monkeypatch.setattr(jobs, "LIMIT", 0.05)
    monkeypatch.setattr(jobs, "PATIENCE", 0.01)
    ends = threading.Event()

    async def main():
        await asyncio.to_thread(ends.wait, 20)

    try:
        with pytest.raises(SimulationStuck, match=r"real seconds were not enough for.*Event\.wait"):
            simulated(main, "to_thread")
    finally:
        ends.set()
