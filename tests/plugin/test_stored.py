"""--mqchaos-replay: what failed runs first, as it failed, until it passes."""

import json

from pytest_mqchaos.plan.on import on
from pytest_mqchaos.plan.rules import Plan


def failures(project):
    return sorted((project.pytester.path / ".mqchaos" / "failures").glob("*.json"))


TWO = """
    import pathlib
    import pytest

    @pytest.mark.mqchaos("slow-confirm")
    def test_a(kafka_chaos):
        PUBLISH

    @pytest.mark.mqchaos("lost-confirm", "slow-confirm")
    def test_b(kafka_chaos):
        print("seed", kafka_chaos.plan.seed)
        if pathlib.Path("mended").exists():
            kafka_chaos.own_assertions = True
            kafka_chaos.topic("t"); kafka_chaos.publish("t", ["a", "b"])
        else:
            PUBLISH
"""


def test_a_stored_failure_runs_first_as_it_failed_and_is_dropped_when_it_passes(project):
    project.test(TWO)
    first = project.run("-s", "--mqchaos-seed=5")
    first.assert_outcomes(failed=1, passed=2)
    (stored,) = failures(project)
    body = json.loads(stored.read_text())
    assert body["test"] == "test_it.py::test_b[lost-confirm]"
    assert "1 of 2" in body["sentence"]

    again = project.run("--mqchaos-replay", "-v", "-s")
    again.assert_outcomes(failed=1, passed=2)
    order = [line for line in again.stdout.lines if "::" in line and "seed" in line]
    assert "test_b[lost-confirm]" in order[0]
    assert "seed 5" in order[0]

    (project.pytester.path / "mended").touch()
    mended = project.run("--mqchaos-replay")
    mended.assert_outcomes(passed=3)
    fixed = "FIXED test_it.py::test_b?lost-confirm? (on.confirm(nth=1).drop())"
    mended.stdout.fnmatch_lines([fixed])
    assert failures(project) == []


def test_a_failure_under_a_plan_of_its_own_is_replayed_under_that_plan(project):
    project.test(TWO)
    token = Plan(on.confirm(nth=2).drop()).token
    project.run(f"--mqchaos-plan={token}", "-k", "test_a").assert_outcomes(failed=1, deselected=1)
    again = project.run("--mqchaos-replay", "-k", "test_a", "-v")
    again.assert_outcomes(failed=1, passed=1, deselected=2)
    again.stdout.fnmatch_lines(["*::test_a?plan? FAILED*", "*::test_a?slow-confirm? PASSED*"])
