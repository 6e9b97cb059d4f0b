import asyncio
import threading

import pytest

from pytest_mqchaos.errors import UsageError, WaitTimeout, WorkerFailed
from pytest_mqchaos.workloads.incarnation import current_incarnation
from pytest_mqchaos.workloads.slot import Patience


def test_a_worker_that_returns_is_over_and_not_started_again(world, tools):
    ran = []
    supervisor = world.supervise(lambda: ran.append(current_incarnation()))
    supervisor.start()
    tools.eventually(lambda: ("worker-1#1", "ended") in world.told())
    supervisor.stop()
    assert ran == ["worker-1#1"]
    assert world.told() == [("worker-1#1", "started"), ("worker-1#1", "ended")]
    assert supervisor.failure is None


def test_an_exception_before_any_fault_is_the_tests_failure(world, tools):
    def broken():
        raise ValueError("a bug of the service")

    supervisor = world.supervise(broken)
    supervisor.start()
    tools.eventually(lambda: supervisor.failure, "the failure")
    assert isinstance(supervisor.failure, ValueError)
    supervisor.stop()
    assert world.launches == ["worker-1#1"]
    assert supervisor.running == ()


def test_an_exception_after_a_fault_starts_the_next_incarnation(world, tools):
    healthy = threading.Event()

    def service(name, *, stop):
        if name == "worker-1#1":
            raise ConnectionError("the broker went away")
        healthy.set()
        stop.wait()

    world.fault = True
    supervisor = world.supervise(service, lambda incarnation: incarnation.name)
    supervisor.start()
    tools.eventually(healthy.is_set)
    assert supervisor.running == ("worker-1#2",)
    supervisor.stop()
    assert supervisor.failure is None
    assert world.told() == [
        ("worker-1#1", "started"),
        ("worker-1#1", "ended"),
        ("worker-1#2", "restarted"),
        ("worker-1#2", "stopped"),
    ]
    assert "the broker went away" in world.events[1].cause
    assert "worker-1#1 raised ConnectionError" in world.events[2].cause


def test_without_restart_a_failed_worker_stays_down(world, tools):
    def service():
        raise ConnectionError

    world.fault = True
    supervisor = world.supervise(service, restart=False)
    supervisor.start()
    tools.eventually(lambda: ("worker-1#1", "ended") in world.told())
    supervisor.stop()
    assert world.launches == ["worker-1#1"]
    assert supervisor.failure is None


def test_a_crash_loop_without_progress_is_the_tests_failure(world, tools):
    def service():
        raise ConnectionError("still away")

    world.fault = True
    supervisor = world.supervise(service, patience=Patience(fruitless=3, pause=0.001))
    supervisor.start()
    tools.eventually(lambda: supervisor.failure, "the crash loop to be noticed")
    assert isinstance(supervisor.failure, WorkerFailed)
    assert "ended 4 times in a row" in str(supervisor.failure)
    assert isinstance(supervisor.failure.__cause__, ConnectionError)
    assert world.launches == [f"worker-1#{n}" for n in (1, 2, 3, 4)]


def test_a_crash_loop_over_a_lock_says_what_a_crashed_coroutine_leaves(world, tools):
    def service():
        raise ConnectionError("database is locked")

    world.fault = True
    supervisor = world.supervise(service, patience=Patience(fruitless=1, pause=0.001))
    supervisor.start()
    tools.eventually(lambda: supervisor.failure, "the crash loop to be noticed")
    assert "close it in on_crash=" in str(supervisor.failure)


def test_progress_makes_failures_no_crash_loop(world, tools):
    def service(number, *, stop):
        world.moved += 1
        if number < 12:
            raise ConnectionError("again")
        stop.wait()

    world.fault = True
    supervisor = world.supervise(
        service, lambda incarnation: incarnation.number, patience=Patience(fruitless=3, pause=0.001)
    )
    supervisor.start()
    tools.eventually(lambda: "worker-1#12" in supervisor.running)
    supervisor.stop()
    assert supervisor.failure is None


def test_patience_doubles_up_to_its_longest():
    patience = Patience(pause=0.1, longest=0.5)
    assert [patience.wait_before(n) for n in range(1, 6)] == [0.0, 0.1, 0.2, 0.4, 0.5]


def test_crash_is_recorded_from_its_instant_and_followed_by_the_next(world, tools):
    async def service():
        await asyncio.Event().wait()

    supervisor = world.supervise(service)
    supervisor.start()
    assert supervisor.crash("worker-1#1", cause="crash_worker, rule 1") is True
    tools.eventually(lambda: supervisor.running == ("worker-1#2",))
    assert supervisor.crash("worker-1#1") is False
    supervisor.stop()
    assert world.told() == [
        ("worker-1#1", "started"),
        ("worker-1#1", "crashed"),
        ("worker-1#2", "restarted"),
        ("worker-1#2", "stopped"),
    ]
    assert supervisor.crashed_at("worker-1#1") == pytest.approx(world.events[1].t, abs=1)
    assert supervisor.crashed_at("worker-1#2") is None
    assert world.events[1].cause == "crash_worker, rule 1"


def test_between_two_incarnations_a_worker_is_never_forgotten(world, tools):
    async def service():
        await asyncio.Event().wait()

    supervisor = world.supervise(service)
    supervisor.start()
    killer = threading.Thread(target=supervisor.crash, args=("worker-1#1",))
    killer.start()
    looks = []

    def next_one_runs():
        before = supervisor.running  # asked twice, because it moves from here to waiting and back
        looks.append(before + supervisor.waiting + supervisor.running)
        return supervisor.running == ("worker-1#2",)

    tools.eventually(next_one_runs)
    killer.join()
    assert all(looks)


def test_several_workers_have_names_of_their_own(world, tools):
    seen = set()

    def service(name, *, stop):
        seen.add((name, current_incarnation()))
        stop.wait()

    supervisor = world.supervise(
        service, lambda incarnation: incarnation.name, names=("worker-1", "worker-2", "worker-3")
    )
    supervisor.start()
    tools.eventually(lambda: len(seen) == 3)
    assert sorted(supervisor.running) == ["worker-1#1", "worker-2#1", "worker-3#1"]
    supervisor.stop()
    assert all(asked == told for asked, told in seen)
    assert supervisor.running == ()


def test_restart_stops_gracefully_and_starts_the_next(world, tools):
    ends = []

    def service(name, *, stop):
        stop.wait()
        ends.append(name)

    supervisor = world.supervise(service, lambda incarnation: incarnation.name)
    supervisor.start()
    supervisor.restart(cause="final drain")
    assert ends == ["worker-1#1"]
    assert supervisor.running == ("worker-1#2",)
    supervisor.stop()
    assert [event.cause for event in world.events if event.what == "restarted"] == ["final drain"]


def test_a_restart_that_cannot_be_prepared_is_a_failure(world, tools):
    async def service(address):
        await asyncio.Event().wait()

    def address(incarnation):
        if incarnation.number == 2:
            raise UsageError("no more addresses")
        return "127.0.0.1:1"

    supervisor = world.supervise(service, address)
    supervisor.start()
    supervisor.crash("worker-1#1")
    tools.eventually(lambda: supervisor.failure)
    assert "no more addresses" in str(supervisor.failure)
    assert supervisor.running == ()


def test_the_controller_may_crash_while_a_start_waits_for_it(world, tools):
    """`arguments_for` may need the very thread that crashes: neither waits for the other."""
    asked, answer = threading.Event(), threading.Event()

    async def service(_address):
        await asyncio.Event().wait()

    def address(incarnation):
        if incarnation.name == "worker-1#2":
            asked.set()
            assert answer.wait(20)
        return incarnation.name

    supervisor = world.supervise(service, address, names=("worker-1", "worker-2"))
    supervisor.start()
    supervisor.crash("worker-1#1")
    assert asked.wait(20)
    assert supervisor.crash("worker-2#1") is True
    answer.set()
    tools.eventually(lambda: sorted(supervisor.running) == ["worker-1#2", "worker-2#2"])


def test_stop_during_a_pause_between_restarts_starts_nothing_more(world, tools):
    def service():
        raise ConnectionError

    world.fault = True
    supervisor = world.supervise(service, patience=Patience(pause=60.0, longest=60.0))
    supervisor.start()
    tools.eventually(lambda: len(world.launches) == 2 and supervisor.waiting == ("worker-1",))
    supervisor.stop()
    assert supervisor.waiting == ()
    assert world.launches == ["worker-1#1", "worker-1#2"]


def test_stop_can_be_called_twice_and_before_start(world):
    supervisor = world.supervise(lambda: None)
    supervisor.stop()
    supervisor.stop()
    assert world.events == []


def test_waiting_methods_name_their_twins_on_a_running_loop(world):
    supervisor = world.supervise(lambda: None)

    async def test():
        for call in (supervisor.stop, supervisor.restart):
            with pytest.raises(UsageError, match=f"await {call.__name__}_async"):
                call()

    asyncio.run(test())


def test_one_worker_that_does_not_stop_does_not_keep_the_others(world, tools):
    release = threading.Event()
    stopped = []

    def service(name, *, stop):
        (release if name == "worker-1" else stop).wait()
        stopped.append(name)

    supervisor = world.supervise(
        service, lambda incarnation: incarnation.worker, names=("worker-1", "worker-2")
    )
    supervisor.start()
    with pytest.raises(WaitTimeout, match=r"worker-1#1 did not end within 0\.05 s"):
        supervisor.stop(limit=0.05)
    tools.eventually(lambda: stopped == ["worker-2"])
    assert isinstance(supervisor.failure, WaitTimeout)
    release.set()
