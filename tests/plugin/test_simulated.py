"""`simulate` inside of a pytest test: its failures are told, replayed and kept as any other's."""

import re

import pytest

from pytest_mqchaos import Plan, on
from pytest_mqchaos.guest import proof
from pytest_mqchaos.search import simulate  # noqa: F401 - pytester forgets what a run has imported

SIMULATED = """
import random
from pytest_mqchaos import Plan, on, simulate


async def scenario(chaos):
    chaos.topic("t")
    await chaos.publish_async("t", ["a", "b", "c"])
    chaos.assert_no_copies()


def test_fails():
    simulate(scenario, plan=Plan(on.confirm(nth=2).drop()), id="value")


def test_passes():
    simulate(scenario, id="value")
"""
PLAN = Plan(on.confirm(nth=3).drop()).token


def test_a_failure_is_told_with_a_line_that_reproduces_it(project):
    project.test(SIMULATED)
    result = project.run()
    result.assert_outcomes(failed=1, passed=1)
    text = result.stdout.str()
    assert "no_copies failed: 1 of 3" in text
    assert "simulate(scenario" not in text  # no traceback into our code: the text alone
    assert "test_passes: mqchaos: no_copies passed · no rule · 3 published" in text
    assert "the embedded broker stands for Kafka" in text.partition("passes do not cover:")[2]
    nodeid, plan = re.search(r'replay +pytest "(\S+)" (--mqchaos-plan=\S+)', text).groups()
    assert nodeid == "test_it.py::test_fails"
    again = project.run(nodeid, plan)
    again.assert_outcomes(failed=1)
    assert f"rule 1   {on.confirm(nth=2).drop()!r}" in again.stdout.str()


def test_a_given_plan_takes_the_place_of_every_other(project):
    project.test(SIMULATED)
    result = project.run(f"--mqchaos-plan={PLAN}")
    result.assert_outcomes(failed=2)
    assert result.stdout.str().count(f"rule 1   {on.confirm(nth=3).drop()!r}") == 2


@pytest.mark.wide
def test_a_stored_failure_runs_first_and_is_dropped_when_it_passes(project):
    project.test(SIMULATED)
    project.run("-k", "test_fails").assert_outcomes(failed=1)
    project.test(SIMULATED.replace("drop()", "delay(0.5)").replace("nth=2", "nth=1"))
    project.run("--mqchaos-replay", "-k", "test_fails").assert_outcomes(failed=1)
    # Its own plan would pass now; the stored one does not, until the service is mended.
    project.test(
        SIMULATED.replace(
            "chaos.publish_async(", "chaos.publish_async(idempotent=True, destination="
        ).replace('destination="t", [', 'destination="t", messages=[')
    )
    mended = project.run("--mqchaos-replay", "-k", "test_fails")
    mended.assert_outcomes(passed=1)
    mended.stdout.fnmatch_lines(["*FIXED test_it.py::test_fails*"])


@pytest.mark.wide
def test_the_seed_is_the_tests_own_unless_one_is_given(project):
    project.test(
        """
        import random
        from pytest_mqchaos import simulate

        async def scenario(chaos):
            chaos.topic("t")
            await chaos.publish_async("t", ["a"])
            chaos.assert_no_copies()
            return random.random()

        def test_one():
            assert simulate(scenario) == simulate(scenario) != simulate(scenario, seed=5)
            print("one", simulate(scenario, seed=5))

        def test_two():
            print("own", simulate(scenario))
        """
    )
    first, second = (project.run("-s").stdout.str() for _ in range(2))
    assert "test_two: mqchaos: no_copies passed" in first
    assert "test_one: mqchaos" not in first  # one line for several would speak for the last alone
    said = re.compile(r"(one|own) (0\.\d+)")
    assert said.findall(first) == said.findall(second)
    assert len({number for _, number in said.findall(first)}) == 2
    other = project.run("-s", "--mqchaos-seed=7").stdout.str()
    assert dict(said.findall(other))["one"] == dict(said.findall(first))["one"]
    assert dict(said.findall(other))["own"] != dict(said.findall(first))["own"]


@pytest.mark.wide
def test_a_simulation_is_replayed_once_before_its_line_is_printed(project, monkeypatch):
    monkeypatch.delenv(proof.ENVIRONMENT, raising=False)
    project.test(SIMULATED)
    project.run("-k", "test_fails").stdout.re_match_lines([r".*reproduced 1/1"])


@pytest.mark.parametrize("outcome", ["raise KeyError('mine')", "assert not 'mine'"])
def test_the_scenarios_own_failure_keeps_its_traceback_and_gets_the_report(project, outcome):
    project.test(SIMULATED.replace("chaos.assert_no_copies()", outcome))
    result = project.run("-k", "test_passes")
    result.assert_outcomes(failed=1)
    text = result.stdout.str()
    assert "mine" in text
    assert "published 3 · confirmed 3 · stored 3" in text
