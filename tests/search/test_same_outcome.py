"""`assert_same_outcome`: the run without faults is made where the run is ours."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_mqchaos import ChaosBroker, Plan, UsageError, VerdictFailed, on, simulate
from pytest_mqchaos.search.fault_free import WithoutFaults
from pytest_mqchaos.search.runner import run
from tests.search.services import consume, once_each, payments

CRASH = Plan(on.ack(nth=2).crash_worker("after"))
AGAIN = Plan(on.ack(nth=2).crash_worker("before"))


def scenario_of(service, *, runs=None, **words):
    async def scenario(chaos):
        if runs is not None:
            runs.append(chaos)
        chaos.topic("orders")
        given = (chaos,) if service is consume else (set(), chaos.effects.record)
        async with chaos.worker(service, chaos.bootstrap_servers, *given, **words):
            await chaos.publish_async("orders", payments(3))
            await chaos.settle_async()
        chaos.assert_same_outcome()

    return scenario


def test_a_service_that_remembers_ends_as_without_faults():
    runs = []
    simulate(scenario_of(once_each, runs=runs), plan=AGAIN)
    first, twin, last = runs
    assert [bool(chaos.armed) for chaos in runs] == [True, False, True]
    assert first.verdicts == []
    (verdict,) = last.verdicts
    assert verdict.sentence == "3 ids with the same effects as without faults"
    assert twin.history.digest() != last.history.digest()


def test_one_that_does_not_does_it_twice():
    with pytest.raises(VerdictFailed) as told:
        simulate(scenario_of(consume), plan=AGAIN)
    assert " ".join(str(told.value).split()).startswith(
        "same_outcome failed: 1 of 3 ids ended otherwise than without faults: 1 repeated: effect "
        "2x, without faults 1x"
    )


def test_one_that_acks_too_early_loses_a_message_and_it_is_told_where():
    with pytest.raises(VerdictFailed) as told:
        simulate(scenario_of(consume, commit_first=True), plan=CRASH)
    assert " ".join(str(told.value).split()).startswith(
        "same_outcome failed: 1 of 3 ids ended otherwise than without faults: 1 missing: "
        "delivered, no effect, acked"
    )


def test_a_run_without_faults_is_its_own_measure():
    runs = []
    simulate(scenario_of(consume, runs=runs))
    assert len(runs) == 1
    assert runs[0].verdicts[0].status == "passed"


def test_state_that_one_run_leaves_to_the_next_is_told_and_not_taken_for_a_loss():
    known = set()

    async def scenario(chaos):
        chaos.topic("orders")
        assert chaos.effects is not None  # they are looked for, though nothing may record one
        async with chaos.worker(once_each, chaos.bootstrap_servers, known, chaos.effects.record):
            await chaos.publish_async("orders", payments(3))
            await chaos.settle_async()
        chaos.assert_same_outcome()

    outcome = run(scenario, AGAIN)
    assert outcome.status == "unknown"
    assert "no effect was recorded, with faults or without" in outcome.sentence
    assert "makes all state of the run itself" in outcome.verdicts[0].missing


@settings(max_examples=8, deadline=None)
@given(st.data())
def test_data_that_each_run_draws_anew_is_no_failure(data):
    async def scenario(chaos):
        chaos.topic("orders")
        async with chaos.worker(once_each, chaos.bootstrap_servers, set(), chaos.effects.record):
            count = data.draw(st.integers(1, 4))
            await chaos.publish_async("orders", payments(count))
            await chaos.settle_async()
        chaos.assert_same_outcome()

    outcome = run(scenario, Plan(on.deliver(nth=1).delay(1.0, optional=True)))
    assert outcome.status in ("passed", "unknown"), outcome.sentence


def test_rules_that_the_scenario_arms_cannot_be_left_out():
    async def scenario(chaos):
        chaos.arm(on.confirm(nth=1).drop(optional=True))
        chaos.topic("orders")
        chaos.effects.record("a")
        chaos.assert_same_outcome()

    with pytest.raises(UsageError, match=r"arms rules itself: give them as plan="):
        simulate(scenario)


def test_a_question_that_only_the_faulty_run_asks_is_unknown():
    async def scenario(chaos):
        chaos.topic("orders")
        chaos.effects.record("a")
        await chaos.publish_async("orders", ["a"])
        if chaos.armed:
            chaos.assert_same_outcome()

    outcome = run(scenario, Plan(on.confirm(nth=1).delay(0.5)), own_assertions=True)
    assert outcome.status == "unknown"
    assert outcome.sentence == (
        "same_outcome is UNKNOWN: the run without faults never came to this question"
    )


def test_a_failure_without_faults_is_told_as_such():
    async def scenario(chaos):
        chaos.topic("orders")
        chaos.effects.record("a")
        await chaos.publish_async("orders", ["a"])
        chaos.assert_same_outcome()
        assert chaos.armed, "only with faults"

    with pytest.raises(AssertionError, match="only with faults") as told:
        simulate(scenario, plan=Plan(on.confirm(nth=1).delay(0.5)))
    assert any("the run without faults" in note for note in told.value.__notes__)


def test_a_service_that_catches_everything_cannot_hide_that_another_run_is_wanted():
    seen = []

    async def scenario(chaos):
        chaos.topic("orders")
        chaos.effects.record("a")
        await chaos.publish_async("orders", ["a"])
        try:
            chaos.assert_same_outcome()
        except BaseException as error:  # noqa: BLE001 - that is the point
            seen.append(type(error).__name__)

    simulate(scenario, plan=Plan(on.confirm(nth=1).delay(0.5)))
    assert seen == ["RunAgain"]


def test_runs_of_one_scenario_share_what_it_comes_to_without_faults():
    runs, without = [], WithoutFaults()
    scenario = scenario_of(once_each, runs=runs)
    for plan in (AGAIN, CRASH, Plan()):
        assert run(scenario, plan, without=without).status == "passed"
    assert [bool(chaos.armed) for chaos in runs].count(False) == 2  # the twin, and Plan()


def test_over_sockets_it_is_the_same():
    with ChaosBroker() as host:
        correct = run(scenario_of(once_each), AGAIN, host=host)
        broken = run(scenario_of(consume), AGAIN, host=host)
    assert (correct.status, correct.fired) == ("passed", (1,))
    assert (broken.status, broken.fired) == ("failed", (1,))
    assert "1 repeated: effect 2x" in broken.sentence


def test_a_test_that_nobody_can_run_again_gives_what_it_ends_with():
    with ChaosBroker() as host, host.chaos(AGAIN, id="value", own_assertions=True) as chaos:
        with pytest.raises(UsageError, match=r"nobody can run this test once more"):
            chaos.check("same_outcome")
        chaos.topic("orders")
        with chaos.worker(once_each, chaos.bootstrap_servers, set(), chaos.effects.record):
            chaos.publish("orders", payments(2))
            chaos.settle()
        assert chaos.check("same_outcome", baseline={"payment 1": None}).status == "failed"
        chaos.assert_same_outcome(baseline=dict.fromkeys(payments(2)))
