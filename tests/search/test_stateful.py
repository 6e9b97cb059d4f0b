"""A state machine over a service: its steps, its questions, and what it leaves behind."""

import logging

import pytest
from hypothesis import Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from pytest_mqchaos import ChaosMachine, UsageError, VerdictFailed, on, simulate
from tests.search.machines import Handled, Leased, Marked, Near, Position
from tests.search.scenarios import committing_first

pytestmark = pytest.mark.usefixtures("same_examples")
QUICK = settings(
    max_examples=5, stateful_step_count=6, deadline=None, database=None, derandomize=True,
    phases=[Phase.generate, Phase.shrink], report_multiple_bugs=False,
)  # fmt: skip
AFTER = on.ack(nth=1).crash_worker("after", optional=True)


@pytest.fixture(autouse=True)
def _quiet(caplog):
    """A client in trouble says so at length."""
    caplog.set_level(logging.CRITICAL)


def test_its_steps_find_the_bug_when_everything_has_settled():
    machine = Position()
    machine.publish(["a", "b", "a"])
    machine.strike(AFTER)
    machine.holds()  # nothing is asked before all is settled
    with pytest.raises(VerdictFailed, match=r"^lossless failed: 2 of 3 confirmed messages"):
        machine.teardown()
    assert [effect.id for effect in machine.chaos.last_history.effects] == ["a-1"]
    simulate(committing_first)  # everything that stood elsewhere has been put back


def test_the_correct_twin_passes_whatever_happens_in_whatever_order():
    machine = Handled()
    machine.publish(["a", "b"])
    machine.strike(AFTER)
    machine.step(1.0)
    machine.crash()
    machine.publish(["a"])
    machine.strike(on.confirm(nth=1).hang(optional=True))
    machine.publish(["b"])
    machine.heal()
    machine.settle()
    machine.holds()
    machine.crash()
    machine.teardown()
    history = machine.chaos.last_history
    assert [effect.id for effect in history.effects] == ["a-1", "b-1", "a-2", "b-2"]
    assert [state.fired for state in history.rules] == [1, 1]
    assert {verdict.status for verdict in machine.chaos.verdicts} == {"passed"}


def _in_the_middle(machine):
    """The worker dies when it has marked and not yet done; the next one is alive at the end."""
    machine.strike(on.publish(nth=1, topic="receipts").crash_worker("before", optional=True))
    machine.publish(["a"])
    machine.step(1.0)
    machine.settle()
    machine.holds()
    machine.publish(["b"])
    machine.settle()
    machine.holds()


def test_what_a_living_worker_has_left_out_is_lost_when_it_has_stopped():
    machine = Marked()
    _in_the_middle(machine)
    assert {verdict.status for verdict in machine.chaos.verdicts} == {"unknown"}
    with pytest.raises(VerdictFailed, match=r"^lossless failed: 1 of 2 confirmed messages"):
        machine.teardown()
    assert machine.chaos.history.processes[-1].what == "stopped"


def test_a_living_worker_that_leaves_out_nothing_passes():
    machine = Leased()
    _in_the_middle(machine)
    machine.teardown()
    history = machine.chaos.last_history
    assert [effect.id for effect in history.effects] == ["a-1", "b-1"]
    assert [state.fired for state in history.rules] == [1]


def test_what_nobody_can_know_fails_at_the_end():
    class Unread(Handled):
        def service(self, chaos):
            worker = super().service(chaos)
            chaos.flow(inputs=["elsewhere"])
            return worker

    machine = Unread()
    machine.strike(AFTER)
    machine.publish(["a"])
    machine.settle()
    machine.holds()
    with pytest.raises(VerdictFailed, match=r"^lossless is UNKNOWN"):
        machine.teardown()


@pytest.mark.wide
def test_hypothesis_finds_what_a_living_worker_has_left_out():
    with pytest.raises(VerdictFailed, match=r"^lossless failed: 1 of 1 confirmed"):
        run_state_machine_as_test(Marked, settings=settings(QUICK, max_examples=200))


def test_hypothesis_draws_the_steps():
    run_state_machine_as_test(Handled, settings=QUICK)


@pytest.mark.wide
def test_hypothesis_finds_the_bug_and_shrinks_it():
    with pytest.raises(VerdictFailed, match=r"^lossless failed: 1 of 2 confirmed") as failed:
        run_state_machine_as_test(Near, settings=settings(QUICK, max_examples=200))
    steps = [note for note in failed.value.__notes__ if note.startswith("state.")]
    assert [step for step in steps if "holds" not in step] == [
        "state.publish(keys=['a', 'a'])",
        "state.strike(fault=on.ack(nth=1).crash_worker('after', optional=True))",
        "state.teardown()",
    ]


@pytest.mark.wide
def test_the_correct_twin_survives_many_programs():
    run_state_machine_as_test(Handled, settings=settings(QUICK, max_examples=300))


def test_what_a_machine_lacks_is_named():
    class Empty(ChaosMachine):
        pass

    class Nothing(ChaosMachine):
        def service(self, chaos):
            chaos.topic("receipts")

    class Silent(Handled):
        ask = ChaosMachine.ask

    class Misspelt(Handled):
        simulated = {"node": 3}  # noqa: RUF012

    with pytest.raises(UsageError, match=r"'node'.*'nodes'"):
        Misspelt()
    with pytest.raises(UsageError, match=r"Empty needs `def service\(self, chaos\)`"):
        Empty()
    with pytest.raises(UsageError, match=r"service\(\) must give chaos.worker\(...\), not None"):
        Nothing()
    with pytest.raises(UsageError, match=r"Silent needs `def ask\(self, chaos\)`"):
        Silent().teardown()
    simulate(committing_first)


def test_a_worker_that_fails_without_a_fault_fails_the_machine():
    class Broken(Handled):
        @staticmethod
        async def target(servers, books):
            raise ZeroDivisionError(servers)

    machine = Broken()
    machine.step(0.1)
    with pytest.raises(ZeroDivisionError) as failed:
        machine.holds()
    try:
        raise failed.value
    except ZeroDivisionError:
        machine.teardown()  # as Hypothesis does, while the failure is on its way out
    simulate(committing_first)


def test_a_failure_of_a_step_is_the_one_that_is_told():
    machine = Handled()

    def steps():
        try:
            machine.run(machine.chaos.publish_async("nowhere", [object()]))
        finally:
            machine.teardown()

    with pytest.raises(UsageError, match="value must be bytes"):
        steps()
    simulate(committing_first)
