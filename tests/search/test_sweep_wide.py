"""Sweeps over real runs: pairs of faults, and samples of a sweep beside the whole of it."""

import pytest

from pytest_mqchaos import Plan
from pytest_mqchaos.search.runner import run
from tests.search.services import consume, payments
from tests.search.test_sweep import consuming, swept

pytestmark = pytest.mark.wide


async def careless_later(servers, chaos, starts):
    """Acks behind its work, but before it when it was started again."""
    starts.append(servers)
    await consume(servers, chaos, commit_first=len(starts) > 1)


async def needs_two(chaos):
    chaos.topic("orders")
    chaos.effects.declared = True
    async with chaos.worker(careless_later, chaos.bootstrap_servers, chaos, []):
        await chaos.publish_async("orders", payments(3))
        await chaos.settle_async()
    chaos.assert_lossless()


def results(found):
    return {one.case.name: one.result for one in found.done}


def test_a_bug_that_takes_two_faults_is_found_by_pairs_only():
    found = swept(needs_two, points="ack", faults="crash_worker", pairs=True)
    assert len(found.done) == 6 + 15
    singles, both = found.done[:6], found.done[6:]
    assert {one.result for one in singles} == {"passed"}
    failed = [one for one in both if one.result == "failed"]
    assert failed
    for one in failed:
        first, second = one.case.rules
        assert "after" in (first.fault.when, second.fault.when)
        assert one.sentence.startswith("lossless failed: 1 of 3")
        again = run(needs_two, Plan.from_token(one.case.plan.token))
        assert (again.status, again.fired) == ("failed", (1, 1))
    assert found.table.totals["failed"] == len(failed)
    rows = {
        what: counts for (place, what), counts in found.table.rows.items() if place == "ack + ack"
    }
    assert sum(counts["failed"] for counts in rows.values()) == len(failed)
    assert sum(counts.total() for counts in rows.values()) == 15


def test_a_sample_shows_of_its_cases_what_the_whole_sweep_shows():
    scenario, where = consuming(commit_first=True), {"points": ("publish", "confirm", "ack")}
    whole = swept(scenario, **where)
    assert not [note for note in whole.notes if "left out" in note]
    kinds = {(one.case.where, one.case.what) for one in whole.done}
    for seed in range(3):
        some = swept(scenario, **where, budget=len(kinds) + 5, seed=seed)
        assert len(some.done) == len(kinds) + 5 < len(whole.done)
        assert results(some).items() <= results(whole).items()
        assert {(one.case.where, one.case.what) for one in some.done} == kinds
        assert some.points == whole.points
        left = len(whole.done) - len(some.done)
        assert some.notes[0].startswith(f"budget: {left} of {len(whole.done)} cases were left out")
        # Each kind is in the sample, so a bug that every position of a kind shows is found.
        assert {one.case.what for one in some.failed} == {one.case.what for one in whole.failed}


def test_pairs_get_what_the_single_faults_leave_of_a_budget():
    where = {"points": "ack", "faults": "crash_worker", "pairs": True}
    whole = results(swept(needs_two, **where))
    some = swept(needs_two, **where, budget=12, seed=1)
    assert results(some).items() <= whole.items()
    assert [len(one.case.rules) for one in some.done] == [1] * 6 + [2] * 6
    assert some.notes[0].startswith("budget: 9 of 21 cases were left out")


def test_pairs_stop_after_the_first_failure():
    found = swept(needs_two, points="ack", faults="crash_worker", pairs=True, stop_after=1)
    (failed,) = found.failed
    assert len(failed.case.rules) == 2
    ran = [one for one in found.done if one.result != "skipped"]
    assert ran[-1] is failed
    assert len(found.done) == 21
    assert f"stopped after 1 failures: {21 - len(ran)} were not run" in found.notes
