"""`run`: one scenario, one plan, and everything that came of it."""

import pytest

from pytest_mqchaos import ChaosBroker, Plan, UsageError, Verdict, VerdictFailed, on
from pytest_mqchaos.chaos.config import Config
from pytest_mqchaos.chaos.telling import Telling
from pytest_mqchaos.search.place import Place, standing
from pytest_mqchaos.search.runner import run
from tests.search.services import consume, payments

CRASH = Plan(on.ack(nth=2).crash_worker("after", optional=True))
FAR = Plan(on.confirm(nth=99).drop(optional=True))


def consuming(**words):
    async def scenario(chaos):
        chaos.topic("orders", partitions=2)
        async with chaos.worker(consume, chaos.bootstrap_servers, chaos, **words):
            await chaos.publish_async("orders", payments(4))
            await chaos.settle_async()
        chaos.assert_lossless()

    return scenario


def test_a_pass_has_its_verdicts_its_counts_and_a_digest():
    first, again = (run(consuming(), CRASH) for _ in range(2))
    assert first.status == "passed"
    assert (first.fired, first.matched, first.sentence) == ((1,), (4,), "")
    assert [verdict.status for verdict in first.verdicts] == ["passed"]
    assert first.digest == again.digest != run(consuming()).digest
    first.settle()


def test_a_failure_is_in_the_outcome_with_what_had_fired():
    outcome = run(consuming(commit_first=True), CRASH)
    assert outcome.status == "failed"
    assert outcome.fired == (1,)
    assert outcome.sentence.startswith("lossless failed: 1 of 4 confirmed messages was lost")
    with pytest.raises(AssertionError, match="lossless failed"):
        outcome.settle()


def test_a_rule_that_never_fired_is_counted_as_such():
    outcome = run(consuming(), FAR)
    assert (outcome.status, outcome.fired, outcome.matched) == ("passed", (0,), (4,))


def test_an_error_of_the_scenario_keeps_its_type_and_is_told_what_was_seen():
    async def scenario(chaos):
        chaos.topic("orders")
        await chaos.publish_async("orders", ["a"])
        raise LookupError("no such order")

    outcome = run(scenario, FAR)
    assert (outcome.status, outcome.matched) == ("failed", (1,))
    assert outcome.sentence == "LookupError: no such order"
    assert "on.confirm(nth=99)" in "".join(outcome.error.__notes__)


@pytest.mark.parametrize(
    ("leave", "status"), [(pytest.skip, "skipped"), (pytest.fail, "failed")], ids=["skip", "fail"]
)
def test_pytests_own_words_end_a_run(leave, status):
    async def scenario(chaos):
        chaos.topic("orders")
        leave("because")

    outcome = run(scenario)
    assert (outcome.status, str(outcome.error)) == (status, "because")


def test_what_cannot_be_said_for_certain_is_no_pass():
    async def scenario(chaos):
        chaos.topic("orders")
        await chaos.publish_async("orders", ["a"])
        chaos.check(_undecided)
        raise VerdictFailed("not told")

    assert run(scenario).status == "unknown"


def _undecided(_history):
    return Verdict(question="undecided", status="unknown", sentence="who knows")


def test_a_ctrl_c_goes_through():
    async def scenario(_chaos):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(scenario)


def test_the_plan_of_the_command_line_has_no_say():
    at = Place(telling=Telling(), config=Config(), ended=lambda _chaos: None, plan=CRASH)
    with standing(lambda: at):
        outcome = run(consuming())
    assert outcome.plan == Plan()
    assert outcome.chaos.plan == Plan()


def test_a_plain_function_needs_a_broker():
    with pytest.raises(UsageError, match="plain function"):
        run(lambda chaos: chaos.topic("orders"))


def test_a_call_that_cannot_be_is_raised_and_no_outcome():
    with pytest.raises(UsageError, match="rabbit"):
        run(consuming(), broker="rabbit")


def test_sockets_give_the_same_outcomes():
    def scenario(chaos):
        chaos.topic("orders")
        chaos.publish("orders", ["a", "b"])
        chaos.assert_no_copies()

    async def waiting(chaos):
        chaos.topic("orders")
        await chaos.publish_async("orders", ["a", "b"])
        chaos.assert_no_copies()

    lost = Plan(on.confirm(nth=2).drop(optional=True))
    with ChaosBroker() as host:
        for one in (scenario, waiting):
            assert run(one, host=host, id="value").status == "passed"
            outcome = run(one, lost, host=host, id="value")
            assert (outcome.status, outcome.fired) == ("failed", (1,))
            assert outcome.sentence.startswith("no_copies failed")
