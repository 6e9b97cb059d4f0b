"""The sweep: what is observed, which cases that gives, what becomes of them."""

from collections import Counter
from functools import partial

import pytest

from pytest_mqchaos import Plan, UsageError, VerdictFailed, on
from pytest_mqchaos.frames import Point
from pytest_mqchaos.search.cases import TAKING, Case, chosen, pairs, singles, verbs
from pytest_mqchaos.search.coverage_table import Table
from pytest_mqchaos.search.points import Observed, Spot, _probes, observed
from pytest_mqchaos.search.runner import run
from pytest_mqchaos.search.sweep import Extent, sweep
from tests.search.services import consume, payments

ONE_NODE = ("Killable", "Pausable", "Restartable", "PowerLosable", "LeaderMovable", "Partitionable")


async def publishing(chaos):
    chaos.topic("orders")
    await chaos.publish_async("orders", ["a", "b", "c"])
    chaos.assert_no_copies()


def consuming(commit_first, count=3):
    async def scenario(chaos):
        chaos.topic("orders", partitions=2)
        chaos.effects.declared = True
        async with chaos.worker(consume, chaos.bootstrap_servers, chaos, commit_first=commit_first):
            await chaos.publish_async("orders", payments(count))
            await chaos.settle_async()
        chaos.assert_lossless()

    return scenario


def swept(scenario, begin=lambda _: lambda _case, go: go(), **extent):
    return sweep(partial(run, scenario), Extent(**extent), begin)


def seen(*spots, abilities=ONE_NODE):
    return Observed(spots=spots, abilities=abilities)


def confirms(count):
    return singles(seen(Spot(point=Point.CONFIRM, count=count)), "kafka", verbs(("drop", "delay")))


def test_points_are_counted_as_rules_count_them():
    found = observed(partial(run, consuming(commit_first=False)), "kafka")
    counts = {spot.name: spot.count for spot in found.spots}
    assert [counts[name] for name in ("publish", "confirm", "deliver", "ack", "ack_confirm")] == [
        3
    ] * 5
    assert counts["control JoinGroup"] == 2
    assert "control Heartbeat" not in counts
    assert found.count == sum(counts.values())
    crashable = {spot.name for spot in found.spots if spot.crashable}
    assert {"deliver", "ack", "control SyncGroup"} <= crashable
    assert crashable.isdisjoint({"publish", "confirm"})  # those are the test's own


def test_looking_changes_nothing():
    looked = run(consuming(commit_first=False), Plan(*_probes("kafka", tuple(Point))))
    clean = run(consuming(commit_first=False))
    for rows in ("attempts", "deliveries", "acks", "stored", "places"):
        assert rows_of(looked, rows) == rows_of(clean, rows)


def rows_of(outcome, name):
    timeless = {"seq", "t", "end_seq", "end_t", "client", "member"}
    rows = getattr(outcome.history, name)
    return [
        {k: v for k, v in row._asdict().items() if k not in timeless and k != "link"}
        for row in rows
    ]


def test_cases_are_legal_rows_in_a_fixed_order():
    found = singles(seen(Spot(point=Point.CONFIRM, count=2, crashable=False)), "kafka", verbs(None))
    assert [case.name for case in found] == [
        "on.confirm(nth=1).drop()", "on.confirm(nth=1).delay(1.0)", "on.confirm(nth=1).hang()",
        "on.confirm(nth=2).drop()", "on.confirm(nth=2).delay(1.0)", "on.confirm(nth=2).hang()",
    ]  # fmt: skip
    assert all(rule.optional for case in found for rule in case.plan.rules)


@pytest.mark.parametrize("verb", TAKING)
def test_what_takes_confirmed_messages_is_swept_only_when_named(verb):
    spots = seen(Spot(point=Point.DELIVER, count=1))
    assert verb not in {case.rules[0].fault.verb for case in singles(spots, "kafka", verbs(None))}
    (case,) = singles(spots, "kafka", verbs(verb))
    assert case.rules[0].fault.verb == verb


def test_a_cluster_and_its_abilities_widen_what_is_legal():
    def found(*more):
        spots = seen(Spot(point=Point.PUBLISH, count=1), abilities=(*ONE_NODE, *more))
        return {case.what for case in singles(spots, "kafka", verbs(None))}

    more = found("Clustered", "ReplicationHoldable") - found()
    assert more == {"move_leader", "partition(for_=1.0)", "kill_broker(unreplicated=True)"}


def test_a_budget_keeps_every_kind_and_says_what_is_left_out():
    picked = chosen(confirms(50), paired=False, budget=10, seed=7)
    assert Counter(case.what for case in picked.cases) == {"drop": 5, "delay(1.0)": 5}
    assert picked == chosen(confirms(50), paired=False, budget=10, seed=7)
    assert picked.cases != chosen(confirms(50), paired=False, budget=10, seed=8).cases
    assert "90 of 100 cases were left out" in picked.left_out
    assert "seed 7" in picked.left_out
    order = {case.name: place for place, case in enumerate(confirms(50))}
    places = [order[case.name] for case in picked.cases]
    assert places == sorted(places)


def test_pairs_come_after_single_faults_and_share_the_budget():
    cases = confirms(3)
    all_of_them = chosen(cases, paired=True, budget=None, seed=0)
    assert len(all_of_them.cases) == all_of_them.total == 6 + 15
    assert all_of_them.cases[6:] == tuple(pairs(cases))
    assert len({case.name for case in all_of_them.cases}) == 21
    some = chosen(cases, paired=True, budget=10, seed=0)
    assert some.cases[:6] == tuple(cases)
    assert len(set(some.cases)) == 10
    assert set(some.cases) < set(all_of_them.cases)
    assert len(some.cases[-1].plan.rules) == 2


def test_a_planted_bug_is_found_by_exactly_the_cases_that_show_it():
    broken = swept(consuming(commit_first=True), points=("ack", "confirm"))
    assert [one.case.name for one in broken.failed] == [
        f"on.ack(nth={nth}).crash_worker('after')" for nth in (1, 2, 3)
    ]
    assert broken.failed[0].sentence.startswith("lossless failed: 1 of 3")
    assert broken.table.rows["ack", "crash_worker('after')"] == {"failed": 3}
    correct = swept(consuming(commit_first=False), points="ack", faults="crash_worker")
    assert correct.table.totals == {"passed": 6}


def test_what_never_fires_is_told_apart():
    found = swept(publishing, points="publish", faults=("reorder", "refuse"))
    assert found.table.rows["publish", "reorder"] == {"unfired": 3}
    assert found.table.rows["publish", "refuse"] == {"passed": 3}
    only = swept(publishing, points="publish", faults="reorder")
    assert "few faults took effect: 0 of 3" in only.notes


def test_it_stops_after_so_many_failures_and_says_what_was_not_run():
    found = swept(publishing, points="confirm", faults=("drop", "delay"), stop_after=2)
    assert found.table.said() == "1 passed, 2 failed, 3 skipped"
    assert "stopped after 2 failures: 3 were not run" in found.notes


def test_a_clean_run_that_fails_is_said_at_once_and_nothing_is_swept():
    async def failing(chaos):
        await publishing(chaos)
        chaos.assert_no_copies()
        raise LookupError("nothing to do with chaos")

    async def copying(chaos):
        chaos.topic("orders")
        for _ in range(2):
            await chaos.publish_async("orders", [{"value": "a", "id": "a"}])
        chaos.assert_no_copies()

    def never(_swept):
        raise AssertionError("it began")

    with pytest.raises(LookupError) as raised:
        swept(failing, never)
    assert "nothing was tried" in "".join(raised.value.__notes__)
    with pytest.raises(VerdictFailed, match="without any fault it fails already") as told:
        swept(copying, never)
    assert "nth=" not in str(told.value)  # none of our probes in its report


def test_a_clean_run_that_fails_now_and_then_is_no_ground_to_sweep_on():
    runs = []

    async def flaky(chaos):
        await publishing(chaos)
        runs.append(chaos)
        assert len(runs) > 1

    with pytest.raises(VerdictFailed, match="now and then"):
        swept(flaky)


@pytest.mark.parametrize(
    ("wrong", "text"),
    [
        ({"points": "confrim"}, "'confirm'"), ({"faults": ("dorp",)}, "'drop'"),
        ({"budget": 0}, "budget=0"), ({"stop_after": -1}, "stop_after=-1"),
        ({"pairs": 1}, "pairs=1"), ({"points": ()}, "points="), ({"faults": []}, "faults="),
    ],
)  # fmt: skip
def test_what_cannot_be_swept_is_refused(wrong, text):
    with pytest.raises(UsageError, match=text):
        Extent(**wrong)


def test_nothing_to_sweep_is_no_pass():
    with pytest.raises(UsageError, match="nothing to break"):
        swept(publishing, points="ack")
    with pytest.raises(UsageError, match="nothing to sweep"):
        swept(publishing, points="confirm", faults="duplicate")


def test_a_long_table_folds_the_rows_without_news():
    table = Table()
    for n in range(50):
        table.add(f"control Api{n}", "sever", "passed")
    table.add("ack", "drop", "unknown")
    assert list(table.lines()) == [
        "point         fault  passed  unknown",
        "ack           drop        .        1",
        "50 rows more             50        .",
        "all                      50        1",
    ]
    assert table.said() == "50 passed, 1 unknown"


def test_a_case_is_named_as_it_is_written():
    rules = (on.ack(nth=1).drop(), on.confirm(nth=2).delay(1.0))
    case = Case(rules=rules, where="", what="")
    assert case.name == "on.ack(nth=1).drop() + on.confirm(nth=2).delay(1.0)"
