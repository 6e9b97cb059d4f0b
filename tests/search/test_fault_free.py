"""The runs without faults of `assert_same_outcome`: what may not be taken for what a fault did."""

import asyncio
import random
import time

import pytest

from pytest_mqchaos import Plan, UsageError, VerdictFailed, on, simulate
from pytest_mqchaos.chaos.config import Config
from pytest_mqchaos.chaos.telling import Telling
from pytest_mqchaos.search.place import Place, standing
from pytest_mqchaos.search.runner import run
from tests.search.services import consume, once_each, payments

AGAIN = Plan(on.ack(nth=2).crash_worker("before"))
LATE = Plan(on.deliver(nth=1).delay(2.0))


def scenario_of(doing, count=3):
    """`doing(chaos)` gives what the service does with an id."""

    async def scenario(chaos):
        chaos.topic("orders")
        do = doing(chaos)
        async with chaos.worker(once_each, chaos.bootstrap_servers, set(), do):
            await chaos.publish_async("orders", payments(count))
            await chaos.settle_async()
        chaos.assert_same_outcome()

    return scenario


@pytest.mark.parametrize(
    ("drawn", "plan"),
    [
        (lambda: time.monotonic(), LATE),  # noqa: PLW0108 - looked up in the simulation
        (lambda: random.random(), AGAIN),  # noqa: PLW0108
    ],
)
def test_what_an_effect_owes_to_chance_or_to_the_clock_is_no_failure(drawn, plan):
    def doing(chaos):
        return lambda name: chaos.effects.record(name, value=drawn())

    outcome = run(scenario_of(doing), plan)
    assert outcome.status == "unknown"
    assert "two runs without any fault ended differently: orders-" in outcome.sentence
    assert "of=lambda effect" in outcome.verdicts[0].missing


def test_an_object_that_outlives_its_run_is_compared_as_each_run_left_it():
    state, runs = {}, []

    def doing(chaos):
        runs.append(chaos)

        def do(name):
            state.setdefault(name, {})["amount"] = 2 if chaos.armed else 1
            chaos.effects.record(name, value=state[name])

        return do

    with pytest.raises(VerdictFailed, match=r"3 of 3 ids ended otherwise"):
        simulate(scenario_of(doing), plan=AGAIN)
    assert [bool(chaos.armed) for chaos in runs] == [True, False, True, False, True]


def test_a_worker_that_the_scenario_crashes_would_be_crashed_without_faults_too():
    async def scenario(chaos):
        chaos.topic("orders")
        async with chaos.worker(consume, chaos.bootstrap_servers, chaos) as worker:
            await chaos.publish_async("orders", payments(1))
            await chaos.wait_for_async(lambda: chaos.history.effects, timeout=30)
            await worker.crash_async()
            await chaos.settle_async()
        known, chaos.fault_free = chaos.fault_free, None  # as in a test over sockets
        with pytest.raises(UsageError, match=r"nobody can run this test once more"):
            chaos.assert_same_outcome()
        chaos.fault_free = known
        chaos.assert_same_outcome()

    with pytest.raises(UsageError, match=r"crashes a worker itself.*let a rule do it"):
        simulate(scenario)


def test_a_skip_at_its_end_does_not_hide_what_faults_did():
    async def wrong(chaos):
        chaos.topic("orders")
        async with chaos.worker(consume, chaos.bootstrap_servers, chaos):
            await chaos.publish_async("orders", payments(3))
            await chaos.settle_async()
        chaos.assert_same_outcome()
        pytest.skip("asked and answered")

    assert run(wrong, AGAIN).status == "failed"


def test_asked_in_a_task_group_the_run_is_made_again_and_leaves_nothing_behind(tmp_path):
    async def scenario(chaos):
        async def ask():
            chaos.assert_same_outcome()

        chaos.topic("orders")
        chaos.effects.record("a")
        await chaos.publish_async("orders", ["a"])
        async with asyncio.TaskGroup() as group:
            group.create_task(ask())

    ended = []
    at = Place(
        telling=Telling(nodeid="t.py::t", directory=tmp_path), config=Config(), ended=ended.append
    )
    with standing(lambda: at):
        simulate(scenario, plan=Plan(on.confirm(nth=1).delay(0.5)))
    assert [bool(chaos.armed) for chaos in ended] == [True, False, True]
    assert ended[-1].verdicts[0].status == "passed"
    assert not list(tmp_path.iterdir())


def test_what_was_there_for_a_while_is_compared_as_it_is_at_the_end():
    def waiting_list(chaos):
        rows = {}
        chaos.effects.from_call(lambda: list(rows.values()), countable=False)

        def do(name):
            rows["todo"] = {"id": "todo", "value": name}
            rows[name] = {"id": name}
            wait = 0.2 if chaos.armed else 0.0
            asyncio.get_running_loop().call_later(wait, rows.pop, "todo", None)

        return do

    simulate(scenario_of(waiting_list), plan=LATE)

    def undone(chaos):
        rows = {}
        chaos.effects.from_call(lambda: list(rows.values()), countable=False)

        def do(name):
            rows[name] = {"id": name}
            if chaos.armed:
                asyncio.get_running_loop().call_later(0.2, rows.pop, name)

        return do

    outcome = run(scenario_of(undone), LATE)
    assert outcome.status == "failed"
    assert "3 missing: its effect is gone" in outcome.verdicts[-1].sentence


def test_each_question_is_held_against_the_same_one_without_faults():
    asked = []

    async def scenario(chaos):
        chaos.topic("orders")
        async with chaos.worker(once_each, chaos.bootstrap_servers, set(), chaos.effects.record):
            for count in (2, 1):
                await chaos.publish_async("orders", payments(count))
                await chaos.settle_async()
                asked.append(chaos.check("same_outcome"))

    simulate(scenario, plan=Plan(on.confirm(nth=1).delay(0.5)))
    told = [verdict.sentence for verdict in asked[-2:]]
    assert told == [f"{n} ids with the same effects as without faults" for n in (2, 3)]


def test_what_a_worker_asserts_is_no_crash_that_a_fault_explains():
    async def asks(chaos):
        await asyncio.sleep(60)
        chaos.assert_idempotent()

    async def scenario(chaos):
        chaos.topic("orders")
        async with (
            chaos.worker(consume, chaos.bootstrap_servers, chaos),
            chaos.worker(asks, chaos),
        ):
            await chaos.publish_async("orders", payments(3))
            await chaos.settle_async()
            await asyncio.sleep(100)

    with pytest.raises(VerdictFailed, match=r"took effect more than once"):
        simulate(scenario, plan=AGAIN)
