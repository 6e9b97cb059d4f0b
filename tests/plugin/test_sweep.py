"""`mqchaos_sweep` in a user's project: subtests, the table, one line that replays one case."""

import re

import pytest

from pytest_mqchaos.guest import sweeping  # noqa: F401 - pytester forgets what a run has imported

SWEEP = """
async def scenario(chaos):
    chaos.topic("t")
    await chaos.publish_async("t", ["a", "b"])
    chaos.assert_no_copies()


def test_every(mqchaos_sweep):
    mqchaos_sweep(scenario, id="value", points=("publish", "confirm"), faults=("drop", "delay"))
"""
LOST = "on.confirm(nth={}).drop()"


def test_each_case_is_a_subtest_and_the_table_ends_the_run(project):
    project.test(SWEEP)
    result = project.run()
    text = result.stdout.str()
    assert re.findall(r"SUBFAILED\[(.*?)\] test_it.py::test_every", text) == [
        LOST.format(1), LOST.format(2),
    ]  # fmt: skip
    result.stdout.fnmatch_lines([
        "*mqchaos sweep*",
        "test_every: 4 points, 6 cases: 4 passed, 2 failed in * s",
        "point    fault       passed  failed",
        "publish  drop             2       .",
        "confirm  drop             .       2",
        "         delay(1.0)       2       .",
        "all                       4       2",
    ])  # fmt: skip


def test_the_line_of_a_failing_case_replays_it_alone(project):
    project.test(SWEEP)
    text = project.run().stdout.str()
    lines = re.findall(r'replay +pytest "(\S+)" (--mqchaos-plan=\S+)', text)
    assert len(lines) == len(set(lines)) == 2
    nodeid, plan = lines[1]
    again = project.run(nodeid, plan)
    again.assert_outcomes(failed=1)
    told = again.stdout.str()
    assert "on.confirm(nth=2).drop(optional=True)" in told
    assert "no_copies failed" in told
    assert "mqchaos sweep" not in told  # one run, no sweep


def test_a_stored_case_is_replayed_and_dropped_when_it_passes(project):
    project.test(SWEEP)
    project.run()
    project.run("--mqchaos-replay").assert_outcomes(failed=2)
    project.test(SWEEP.replace('["a", "b"])', '["a", "b"], idempotent=True)'))
    mended = project.run("--mqchaos-replay")
    mended.assert_outcomes(passed=2)
    mended.stdout.fnmatch_lines([
        "FIXED test_it.py::test_every (on.confirm(nth=?).drop(optional=True))"
    ] * 2)  # fmt: skip


def test_what_cannot_be_decided_and_what_gets_stuck_are_failures_with_a_line(project):
    project.test(
        """
        from pytest_mqchaos import Verdict

        def undecided(history):
            hurt = any(rule.fired for rule in history.rules)
            return Verdict(question="q", status="unknown" if hurt else "passed", sentence="perhaps")

        async def scenario(chaos):
            chaos.topic("t")
            await chaos.publish_async("t", ["a"])
            verdict = chaos.check(undecided)
            if verdict.status != "passed":
                await chaos.wait_for_async(lambda: False, timeout=3.0, what="the impossible")

        def test_stuck(mqchaos_sweep):
            mqchaos_sweep(scenario, points="confirm", faults="drop")
        """
    )
    result = project.run()
    text = result.stdout.str()
    assert "WaitTimeout: waited 3.0 s for the impossible" in text
    assert re.search(r"replay +pytest .* --mqchaos-plan=mq1\.", text)
    result.stdout.fnmatch_lines(["all*1"])


def test_sockets_on_a_fresh_cluster_for_each_case(project):
    project.test(
        """
        def scenario(chaos):
            chaos.topic("t")
            chaos.publish("t", ["a"])
            assert [r.offset for r in chaos.history.stored][:1] == [0]
            chaos.assert_no_copies()

        def test_sockets(mqchaos_sweep):
            found = mqchaos_sweep(scenario, id="value", points="confirm", faults=("drop", "delay"))
            assert [one.result for one in found.done] == ["failed", "passed"]
        """
    )
    result = project.run()
    result.stdout.fnmatch_lines(["test_sockets: 1 points, 2 cases: 1 passed, 1 failed*"])


def test_stopping_at_the_first_failure_leaves_the_table(project):
    project.test(SWEEP)
    result = project.run("-x")
    result.stdout.fnmatch_lines(["test_every: 4 points, 6 cases: *"])
    assert result.stdout.str().count("SUBFAILED[") == 1


def test_wrong_use_is_told_in_one_sentence(project):
    project.test(
        """
        def plain(chaos):
            chaos.topic("t")

        def test_points(mqchaos_sweep):
            mqchaos_sweep(plain, points="confrim")

        def test_real(mqchaos_sweep):
            mqchaos_sweep(plain, real=["aiosqlite"])

        def test_broker(mqchaos_sweep):
            mqchaos_sweep(plain, broker="rabbit")
        """
    )
    result = project.run()
    result.assert_outcomes(failed=3)
    text = result.stdout.str()
    assert "unknown point to sweep 'confrim'. Did you mean 'confirm'" in text
    assert "real=('aiosqlite',) is for virtual time; this sweep runs over sockets" in text
    assert "broker='rabbit': this version has kafka" in text


@pytest.mark.wide
def test_xdist_brings_subtests_and_table_home(project):
    project.test(SWEEP)
    result = project.pytester.runpytest_subprocess("-p", "no:randomly", "-n", "1")
    result.stdout.fnmatch_lines(["test_every: 4 points, 6 cases: 4 passed, 2 failed in * s"])
    assert result.stdout.str().count("SUBFAILED[") == 2


@pytest.mark.wide
def test_pairs_and_a_budget_are_told_in_the_table_and_the_names(project):
    project.test(SWEEP.replace('id="value"', 'id="value", pairs=True, budget=12, seed=3'))
    result = project.run()
    text = result.stdout.str()
    result.stdout.fnmatch_lines([
        "test_every: 4 points, 12 cases: * passed, * failed in * s",
        "budget: 9 of 21 cases were left out, the 12 others drawn evenly * with seed 3",
        "publish + * * + *",
    ])  # fmt: skip
    names = re.findall(r"SUBFAILED\[(.*?)\] test_it.py::test_every", text)
    assert LOST.format(1) in names
    assert any(" + " in name for name in names)
    for nodeid, plan in re.findall(r'replay +pytest "(\S+)" (--mqchaos-plan=\S+)', text):
        project.run(nodeid, plan).assert_outcomes(failed=1)
