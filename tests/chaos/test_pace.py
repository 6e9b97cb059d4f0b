"""The one way in which everything waits, and its two halves."""

import asyncio
import threading

import pytest

from pytest_mqchaos.chaos.pace import REAL, done, given


async def work(threads):
    before = REAL.clock()
    await REAL.pause(0.001)
    threads.append(threading.current_thread())
    return REAL.clock() - before >= 1_000_000


def test_the_sync_half_is_carried_out_where_it_is():
    threads = []
    assert done(work(threads))
    assert threads == [threading.current_thread()]


def test_the_async_half_does_not_hold_up_the_loop():
    threads = []
    assert asyncio.run(REAL.apart(work(threads)))
    assert threads != [threading.current_thread()]


def test_work_that_needs_a_loop_is_refused_without_one():
    ended = []

    async def waits():
        try:
            await asyncio.sleep(0)
        finally:
            ended.append(True)

    with pytest.raises(RuntimeError, match="without one"):
        done(waits())
    assert ended == [True]


def test_what_is_there_and_what_is_to_come_are_both_given():
    async def five():
        return 5

    assert done(given(5)) == done(given(five())) == 5


def test_later_comes_once_unless_it_is_cancelled():
    came = threading.Event()
    never = REAL.later(3600, lambda: pytest.fail("it was cancelled"))
    REAL.later(0, came.set)
    never.cancel()
    assert came.wait(10)
