"""The search: what it finds, how often it says that fails, and what it never counts."""

import itertools
import random
from dataclasses import replace

import pytest

from pytest_mqchaos import Plan, UsageError, Verdict, VerdictFailed, on
from pytest_mqchaos.search.bounds import Bounds
from pytest_mqchaos.search.hunt import hunt
from pytest_mqchaos.search.narrowing import wanted
from pytest_mqchaos.search.rate import Rate
from pytest_mqchaos.search.runner import Outcome, run
from tests.search.test_sweep import consuming, publishing

CRASH = on.ack(nth=1).crash_worker("after", optional=True)


def searched(scenario, *, named=None, ways=None, clock=lambda: 0.0, same=True, **bounds):
    """`named`: where; `ways(plan)`: how every run but the first ends, without running it."""
    given = wanted(
        "search", **{"points": None, "faults": None, "apis": None, "topics": None, **(named or {})},
        broker="kafka", nth=10**6, longest=60.0, process_faults=True, nodes=None,
    )  # fmt: skip
    runs = []

    def once(plan):
        runs.append(plan)
        return run(scenario, plan) if ways is None or len(runs) == 1 else ways(plan)

    return hunt(
        once, Bounds(**bounds), given, clock=clock, begin=lambda _: lambda: None, same=same
    )  # fmt: skip


def passed(plan):
    count = len(plan.rules)
    return Outcome(plan=plan, status="passed", fired=(1,) * count, matched=(1,) * count)


def failed(plan, text="lost"):
    return replace(passed(plan), status="failed", error=VerdictFailed(text))


def only(rule):
    """Plans with such a fault at such a point fail; every other passes."""

    def ways(plan):
        places = [(one.where.point, one.fault.verb) for one in plan.rules]
        hurt = (rule.where.point, rule.fault.verb) in places
        return failed(plan) if hurt else passed(plan)

    return ways


NEAR = {"points": ("publish", "confirm"), "faults": ("drop", "delay", "sever")}
LOST = on.confirm().drop()


@pytest.mark.wide
def test_a_planted_bug_is_found_shrunk_to_one_fault_and_its_rate_told():
    named = {"points": "ack", "faults": ("drop", "crash_worker")}
    hunted = searched(consuming(commit_first=True), named=named, seed=3, times=5)
    found = hunted.found
    assert found.plan == Plan(CRASH)
    assert found.smallest
    assert (found.rate.failed, found.rate.decided, hunted.clean.failed) == (5, 5, 0)
    assert found.outcome.sentence.startswith("lossless failed: 1 of 3")
    head, shrunk, rate = hunted.told()
    assert head.endswith("failed")
    assert shrunk.startswith(f"plan {found.number} failed 2/2; shrunk from ")
    assert shrunk.endswith(f"to 1 fault in {found.shrinking} runs")
    assert rate == f"reproduced 5/5 by the search; without any fault {hunted.clean}"


def test_a_correct_service_survives_its_whole_budget():
    named = {"points": "ack", "faults": ("drop", "crash_worker")}
    hunted = searched(consuming(commit_first=False), named=named, budget=8, times=2)
    assert hunted.found is hunted.best is None
    assert (hunted.runs, hunted.drawn) == (6, 5)
    head, *notes = hunted.told()
    assert head == "6 runs, 5 plans at 3 points: none failed"
    assert notes[-1] == "ended by its budget of 8 runs; seed 0"


@pytest.mark.parametrize("share", [0.3, 0.9])
def test_what_fails_now_and_then_is_found_and_told_with_its_rate(share):
    dice = random.Random(5)

    def now_and_then(plan):
        return only(LOST)(plan) if dice.random() < share else passed(plan)

    hunted = searched(
        publishing, named=NEAR, ways=now_and_then, same=False, budget=400, times=40, least=2
    )
    found = hunted.found
    assert [(rule.where.point, rule.fault.verb) for rule in found.plan.rules] == [
        ("confirm", "drop")
    ]
    assert found.rate.decided == 40
    assert abs(found.rate.failed / 40 - share) < 0.2
    assert f"reproduced {found.rate.failed}/40 by the search" in hunted.told()[2]


def test_a_plan_that_failed_once_only_is_told_but_never_as_more():
    runs = []

    def once_only(plan):
        runs.append(plan)
        return failed(plan) if len(runs) == 2 else passed(plan)

    hunted = searched(publishing, named=NEAR, ways=once_only, same=False, budget=30, times=4)
    found = hunted.best
    assert found is hunted.found
    assert (found.number, found.seen.failed, found.seen.decided) == (2, 1, 4)
    assert (found.rate.failed, found.rate.decided) == (0, 4)
    assert found.outcome.status == "failed"  # what was seen was seen
    assert "reproduced 0/4 by the search" in hunted.told()[2]
    assert hunted.runs == 30


def test_what_cannot_be_decided_is_neither_a_failure_nor_a_pass():
    def undecided(plan):
        if plan.rules[0].fault.verb != "drop":
            return passed(plan)
        return replace(failed(plan, "nobody knows"), status="unknown")

    hunted = searched(publishing, named=NEAR, ways=undecided, budget=20, times=2)
    assert hunted.best is None
    assert 0 < len(hunted.undecided) < hunted.drawn
    assert "nobody knows" in "".join(hunted.told())


def test_unknown_runs_are_left_out_of_the_rate():
    rate = Rate()
    plan = Plan()
    lost, other = VerdictFailed("lost"), LookupError("other")
    for status, error in (
        ("failed", lost), ("unknown", lost), ("failed", other), ("passed", None), ("skipped", None),
    ):  # fmt: skip
        rate.add(Outcome(plan=plan, status=status, error=error), "VerdictFailed")
    assert (rate.failed, rate.decided, rate.runs) == (1, 3, 5)
    assert str(rate) == "1/3 (1 failed in another way, 2 more could not be decided)"


def test_a_failure_of_another_kind_does_not_lead_the_shrinking_astray():
    """Without its drop the plan fails all the same, but with another question."""

    def ways(plan):
        seen = only(LOST)(plan)
        late = any(rule.fault.verb == "delay" for rule in plan.rules)
        if seen.error is None and late:
            return replace(seen, status="failed", error=LookupError("something else"))
        return seen

    for seed in range(3):
        hunted = searched(publishing, named=NEAR, ways=ways, seed=seed, max_faults=6)
        verbs = {rule.fault.verb for rule in hunted.found.plan.rules}
        assert verbs in ({"drop"}, {"delay"})
        assert hunted.found.meant == ("VerdictFailed" if verbs == {"drop"} else "LookupError")
        assert hunted.found.rate.failed == 10


def test_what_fails_without_any_fault_is_told_so():
    dice = random.Random(1)

    def flaky(plan):
        return failed(plan) if dice.random() < 0.5 else passed(plan)

    hunted = searched(publishing, named=NEAR, ways=flaky, same=False)
    assert hunted.found.plan == Plan()
    assert "to no faults" in hunted.told()[1]
    assert hunted.told()[2].endswith("without any fault")


@pytest.mark.parametrize("budget", [1, 2, 5, 12, 40])
def test_no_budget_is_overdrawn(budget):
    hunted = searched(publishing, named=NEAR, budget=budget, ways=only(LOST))
    assert hunted.runs <= max(budget, 1)
    assert hunted.ended in ("", f"its budget of {budget} runs")


def test_no_run_begins_after_its_seconds():
    """The clock goes on by one with every look at it."""
    ticks = itertools.count()
    hunted = searched(
        publishing,
        named=NEAR,
        seconds=20,
        clock=lambda: next(ticks),
        ways=only(on.publish().hang()),
    )
    assert hunted.drawn > 3
    assert next(ticks) <= 25
    assert hunted.ended == "its budget of 20 seconds"


def test_rules_are_drawn_for_what_the_clean_run_touched():
    drawn = []

    def keep(plan):
        drawn.extend(plan.rules)
        return passed(plan)

    searched(publishing, ways=keep, budget=200)
    assert {rule.where.point for rule in drawn} == {"publish", "confirm"}
    assert all(rule.optional for rule in drawn)
    assert not [rule for rule in drawn if rule.fault.verb == "crash_worker"]  # there is no worker
    assert {rule.where.nth for rule in drawn if rule.where.point == "confirm"} >= {1, 2, 3, 4}


def test_a_scenario_that_fails_by_itself_is_not_searched():
    async def broken(chaos):
        await publishing(chaos)
        raise LookupError("always")

    with pytest.raises(LookupError):
        searched(broken)


@pytest.mark.parametrize(
    ("wrong", "text"),
    [
        ({"budget": 0}, "budget=0"), ({"times": True}, "times=True"), ({"least": "2"}, "least="),
        ({"least": 3, "times": 2}, "cannot fail 3 times"), ({"seconds": 0}, "seconds=0"),
        ({"max_faults": 0}, "max_faults=0"), ({"seconds": float("inf")}, "seconds=inf"),
    ],
)  # fmt: skip
def test_what_cannot_be_searched_is_refused(wrong, text):
    with pytest.raises(UsageError, match=text):
        Bounds(**wrong)


def test_nothing_to_search_is_no_pass():
    with pytest.raises(UsageError, match="nothing to search"):
        searched(publishing, named={"points": "confirm", "faults": "crash_worker"})


def test_a_real_unknown_ends_the_search_without_a_failure():
    def undecided(history):
        hurt = any(rule.fired for rule in history.rules)
        return Verdict(question="q", status="unknown" if hurt else "passed", sentence="perhaps")

    async def scenario(chaos):
        chaos.topic("t")
        await chaos.publish_async("t", ["a"])
        chaos.check(undecided)
        if any(rule.fired for rule in chaos.history.rules):
            raise VerdictFailed("perhaps")

    hunted = searched(scenario, named={"points": "confirm", "faults": "drop"}, budget=8, times=2)
    assert hunted.best is None
    assert hunted.undecided
