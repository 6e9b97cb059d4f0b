"""`simulate`: real aiokafka through links to the embedded cluster, in virtual time."""

import threading
import time

import pytest
from aiokafka.errors import RequestTimedOutError

from pytest_mqchaos import Plan, UsageError, VerdictFailed, on, simulate
from tests.search.services import consume, payments, produce


async def clean(chaos):
    chaos.topic("orders")
    async with chaos.worker(consume, chaos.bootstrap_servers, chaos):
        receipts = await chaos.publish_async("orders", payments())
        await chaos.settle_async()
    chaos.assert_lossless()
    return receipts, chaos.history


def test_what_was_published_is_consumed_and_judged():
    receipts, history = simulate(clean)
    assert [receipt.outcome for receipt in receipts] == ["confirmed"] * 20
    assert len(history.stored) == len(history.effects) == 20
    assert {row.owner for row in history.deliveries} == {"worker-1#1"}


def test_a_lost_confirm_takes_effect_and_the_client_sends_again():
    receipts, history = simulate(clean, plan=Plan(on.confirm(nth=2).drop()))
    assert [receipt.outcome for receipt in receipts] == ["confirmed"] * 20
    assert len(history.stored) == 21
    assert [rule.fired for rule in history.rules] == [1]


def test_a_time_out_of_forty_seconds_costs_virtual_time_only():
    async def late(chaos):
        chaos.topic("orders")
        before = time.monotonic()
        with pytest.raises(RequestTimedOutError):
            await produce(chaos.bootstrap_servers, "orders", [b"once"])
        chaos.assert_no_copies()
        return time.monotonic() - before, chaos.history

    seconds, history = simulate(late, plan=Plan(on.confirm(nth=1).hang()), id="value")
    assert 40 <= seconds < 41
    assert [row.outcome for row in history.attempts] == ["unknown"]
    assert len(history.stored) == 1


def test_a_worker_is_crashed_at_an_exact_ack_and_starts_again():
    async def crashed(chaos):
        _, history = await clean(chaos)
        return history

    history = simulate(crashed, plan=Plan(on.ack(nth=3).crash_worker()))
    events = [(event.who, event.what) for event in history.processes]
    assert events[:3] == [
        ("worker-1#1", "started"), ("worker-1#1", "crashed"), ("worker-1#2", "restarted"),
    ]  # fmt: skip
    # Its third ack never arrived, so the next incarnation is handed what it covered once more.
    again = [row for row in history.deliveries if row.owner == "worker-1#2"]
    assert min(row.offset for row in again) == 2
    done = [effect.owner for effect in history.effects if effect.id == "orders-2"]
    assert done == ["worker-1#1", "worker-1#2"]


def test_a_bug_fails_as_over_sockets_and_the_report_says_where():
    async def lossy(chaos):
        chaos.topic("orders")
        async with chaos.worker(consume, chaos.bootstrap_servers, chaos, commit_first=True):
            await chaos.publish_async("orders", payments(5))
            await chaos.settle_async()
        chaos.assert_lossless()

    with pytest.raises(
        VerdictFailed,
        match="1 of 5 confirmed messages was lost",
    ) as failed:
        simulate(lossy, plan=Plan(on.ack(nth=3).crash_worker(when="after")))
    assert "simulated" in str(failed.value)


def test_the_end_is_judged_as_a_test_is():
    async def silent(chaos):
        chaos.topic("orders")
        await chaos.publish_async("orders", ["x"])

    with pytest.raises(VerdictFailed, match="no verdict was asked"):
        simulate(silent)
    with pytest.raises(VerdictFailed, match="never took effect"):
        simulate(clean, plan=Plan(on.confirm(nth=99).drop()))


def test_what_the_scenario_raises_comes_through_with_the_report_as_a_note():
    async def wrong(chaos):
        chaos.topic("orders")
        await chaos.publish_async("orders", ["x"])
        assert chaos is None, "the user's own"

    with pytest.raises(AssertionError, match="the user's own") as failed:
        simulate(wrong)
    assert "published 1 · confirmed 1" in failed.value.__notes__[0]


@pytest.mark.parametrize(
    ("call", "twin"),
    [
        (lambda chaos: chaos.publish("orders", ["x"]), "await chaos.publish_async"),
        (lambda chaos: chaos.settle(), "await chaos.settle_async"),
        (lambda chaos: chaos.wait_for(lambda: True), "await chaos.wait_for_async"),
        (lambda chaos: chaos.armed[0].wait(), "await rule.wait_async"),
        (lambda chaos: chaos.worker(consume).__enter__(), "async with chaos.worker"),
    ],
)
def test_a_sync_waiting_method_raises_at_once_and_names_its_twin(call, twin):
    async def blocking(chaos):
        chaos.arm(on.confirm(nth=1, topic="orders").drop())
        call(chaos)

    with pytest.raises(UsageError, match=twin.replace(".", r"\.")):
        simulate(blocking)


def run_thread(stop): ...


@pytest.mark.parametrize(
    ("target", "options", "words"),
    [
        (run_thread, {}, "a plain function, which needs a thread"),
        (["true"], {}, "a command, which needs a process"),
        (consume, {"process": True}, "process=True, which needs a process"),
    ],
)
def test_workers_that_no_loop_can_run_are_refused(target, options, words):
    async def hired(chaos):
        async with chaos.worker(target, **options):
            pass

    with pytest.raises(UsageError, match=words):
        simulate(hired)


def test_no_thread_is_started_and_none_is_left():
    before = set(threading.enumerate())  # one of an earlier test may end meanwhile
    seen = []

    async def counted(chaos):
        await clean(chaos)
        seen.append(set(threading.enumerate()) - before)

    simulate(counted, plan=Plan(on.ack(nth=3).crash_worker(), on.confirm(nth=2).drop()))
    assert seen == [set()]
    assert not set(threading.enumerate()) - before


@pytest.mark.parametrize(
    ("scenario", "words"),
    [
        (lambda chaos: None, "async def scenario"),
        (print, "async def scenario"),
    ],
)
def test_what_is_no_scenario_is_refused(scenario, words):
    with pytest.raises(UsageError, match=words):
        simulate(scenario)


def test_a_broker_that_cannot_be_simulated_is_named():
    with pytest.raises(UsageError, match="kafka"):
        simulate(clean, broker="kafak")
