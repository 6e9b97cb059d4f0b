import threading

import pytest

from pytest_mqchaos.errors import UsageError
from pytest_mqchaos.workloads.incarnation import current_incarnation, told


def test_a_thread_cannot_be_crashed_and_goes_on(world, tools):
    working = threading.Event()

    def service(*, stop):
        working.set()
        stop.wait()

    supervisor = world.supervise(service)
    supervisor.start()
    tools.eventually(working.is_set)
    with pytest.raises(UsageError, match="run it with process=True"):
        supervisor.crash("worker-1#1")
    assert supervisor.running == ("worker-1#1",)
    assert supervisor.crashed_at("worker-1#1") is None


def test_stop_is_handed_over_only_if_asked_for(world, tools):
    got = []

    def plain(*args, **kwargs):
        got.append((args, kwargs))

    def own(stop):
        got.append(stop)

    for target, options in ((plain, {}), (own, {"kwargs": {"stop": "mine"}})):
        world.supervise(target, **options).start()
    tools.eventually(lambda: len(got) == 2)
    assert ((), {}) in got
    assert "mine" in got


def test_setup_runs_in_the_workers_thread(world, tools):
    threads = []

    def setup():
        threads.append((threading.current_thread(), current_incarnation()))
        return "connection"

    def service(connection, address):
        threads.append((threading.current_thread(), connection, address))

    world.supervise(service, "host:1", setup=setup).start()
    tools.eventually(lambda: len(threads) == 2)
    assert threads[0] == (threads[1][0], "worker-1#1")
    assert threads[1][1:] == ("connection", "host:1")
    assert threads[0][0] is not threading.current_thread()


def test_an_async_setup_needs_an_async_worker(world):
    async def setup():
        raise AssertionError("never called")

    with pytest.raises(UsageError, match="runs in a thread without a loop"):
        world.supervise(lambda pool: None, setup=setup)


def test_a_function_that_returns_a_coroutine_is_named(world, tools):
    async def consume(_number):
        raise AssertionError("never awaited")

    supervisor = world.supervise(lambda: consume(1))
    supervisor.start()
    tools.eventually(lambda: supervisor.failure)
    assert isinstance(supervisor.failure, UsageError)
    assert "Give the coroutine function itself" in str(supervisor.failure)


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (ValueError("no\n   such account"), "ValueError: no such account"),
        (KeyError(), "KeyError"),
        (OSError("OSError: twice"), "OSError: twice"),
        (RuntimeError("x " * 500), "RuntimeError: " + "x " * 79 + "x…"),
    ],
)
def test_an_exception_is_told_in_one_short_line(error, line):
    assert told(error) == line
