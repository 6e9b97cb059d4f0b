"""The options: each does what it says, and a wrong one is one clear line before collection."""

import json

import pytest

from pytest_mqchaos.plan.on import on
from pytest_mqchaos.plan.rules import Plan

MARKED = """
    import pytest

    @pytest.mark.mqchaos("lost-confirm")
    def test_pay(kafka_chaos):
        PUBLISH
"""
SEED = """
    import pytest

    @pytest.mark.mqchaos("lost-confirm", own_assertions=True)
    def test_pay(kafka_chaos):
        kafka_chaos.topic("t")
        kafka_chaos.publish("t", ["a", "b"])
        print("seed", kafka_chaos.plan.seed)
"""


def refused(project, *arguments):
    """The text of a run that did not begin, which is one line of pytest's own."""
    result = project.run(*arguments)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    text = result.stderr.str()
    assert "Traceback" not in text
    assert "INTERNALERROR" not in text
    return text


# ---------------------------------------------------------------------------- --mqchaos-profile


def test_profiles_of_the_command_line_replace_those_of_marks(project):
    project.test(MARKED)
    names = project.names("--mqchaos-profile=refused-publish,slow-confirm")
    assert names == ["test_pay[refused-publish]", "test_pay[slow-confirm]"]


def test_it_may_be_given_several_times_and_leaves_unmarked_tests_alone(project):
    project.test(MARKED + "\n    def test_plain(kafka_chaos):\n        PUBLISH\n")
    names = project.names("--mqchaos-profile=refused-publish", "--mqchaos-profile", "slow-confirm")
    assert names == ["test_pay[refused-publish]", "test_pay[slow-confirm]", "test_plain"]


def test_an_unknown_profile_on_the_command_line_stops_the_run(project):
    project.test(MARKED)
    text = refused(project, "--mqchaos-profile=lost-confrim")
    assert "unknown kafka profile 'lost-confrim'. Did you mean 'lost-confirm'" in text


# ------------------------------------------------------------------------------- --mqchaos-plan


def test_a_plan_runs_marked_and_unmarked_tests(project):
    project.test(MARKED + "\n    def test_plain(kafka_chaos):\n        PUBLISH\n")
    token = Plan(on.confirm(nth=2).drop(), seed=7).token
    result = project.run(f"--mqchaos-plan={token}", "-v")
    result.assert_outcomes(failed=2)  # the second message is there twice
    result.stdout.fnmatch_lines(["*::test_pay?plan? FAILED*", "*::test_plain?plan? FAILED*"])
    result.stdout.fnmatch_lines([f'*replay*pytest "test_it.py::test_pay" --mqchaos-plan={token}'])


@pytest.mark.parametrize("form", ["token", "source"])
def test_a_plan_may_stand_in_a_file(project, form):
    plan = Plan(on.publish(nth=2).drop())
    text = plan.token if form == "token" else plan.source()
    project.pytester.makefile(".plan", mine=text)
    project.test("""
        def test_pay(kafka_chaos):
            PUBLISH
            assert repr(kafka_chaos.armed[0].rule) == "on.publish(nth=2).drop()"
    """)
    project.run("--mqchaos-plan=mine.plan").assert_outcomes(passed=1)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ("mq1.broken", ["the plan token 'mq1.broken' is broken", "copy the whole word"]),
        ("mq9.abcdef", ["version 9", "reads version 1", "the release that wrote it"]),
        ("nowhere.plan", ["'nowhere.plan' is neither a plan token", "nor a file"]),
        ("Plan(on.confrim().drop())", ["confrim", "confirm"]),
    ],
)
def test_a_plan_that_is_none_stops_the_run(project, given, words):
    project.test(MARKED)
    text = refused(project, f"--mqchaos-plan={given}")
    assert "--mqchaos-plan: " in text
    for word in words:
        assert word in text


# ------------------------------------------------------------------------------- --mqchaos-seed


def seeds(project, *arguments):
    lines = project.run("-s", *arguments).stdout.lines
    return [int(line.split("seed ")[1].split()[0].rstrip(".")) for line in lines if "seed " in line]


def test_the_seed_is_the_tests_own_unless_it_is_given(project):
    project.test(SEED)
    (own,) = seeds(project)
    assert seeds(project) == [own]
    assert own > 0
    assert seeds(project, "--mqchaos-seed=17") == [17]


def test_a_random_seed_is_another_each_time(project):
    project.test(SEED)
    drawn = {seeds(project, "--mqchaos-seed=random")[0] for _ in range(3)}
    assert len(drawn) > 1


@pytest.mark.parametrize("given", ["-1", "x", "1.5", "²"])
def test_a_wrong_seed_stops_the_run(project, given):
    project.test(SEED)
    text = refused(project, f"--mqchaos-seed={given}")
    assert f"--mqchaos-seed={given}: must be a whole number of 0 or more, or `random`" in text


# ----------------------------------------------------------------------------- --mqchaos-broker


def test_embedded_is_the_default_and_can_be_said(project):
    project.test("""
        def test_it(kafka_chaos):
            assert kafka_chaos.host.kind == "embedded"
            PUBLISH
    """)
    project.run().assert_outcomes(passed=1)
    project.run("--mqchaos-broker=embedded").assert_outcomes(passed=1)


@pytest.mark.parametrize("kind", ["wheel", "docker", "external"])
def test_a_broker_that_is_not_there_yet_stops_the_run(project, kind):
    project.test(MARKED)
    text = refused(project, f"--mqchaos-broker={kind}")
    assert f"--mqchaos-broker={kind}: kafka has no such broker in this version" in text
    assert "embedded, process" in text


def test_a_broker_that_nobody_knows(project):
    text = refused(project, "--mqchaos-broker=ebmedded")
    assert "ebmedded" in text
    assert "process" in text


def test_without_java_a_process_is_a_skip_that_says_what_to_install(project, monkeypatch):
    monkeypatch.setenv("JAVA_HOME", "/nowhere")
    project.test(MARKED)
    result = project.run("--mqchaos-broker=process", "-rs")
    result.assert_outcomes(skipped=1)
    result.stdout.fnmatch_lines(["SKIPPED*--mqchaos-broker=process: *Java*JAVA_HOME*"])


def test_tests_without_a_broker_are_no_silent_success(project, monkeypatch):
    """pytest alone says why a test was skipped only to who asks for it (-rs)."""
    monkeypatch.setenv("JAVA_HOME", "/nowhere")
    project.test("".join(f"def test_{n}(kafka_chaos):\n    pass\n" for n in (1, 2)))
    result = project.run("--mqchaos-broker=process")
    result.assert_outcomes(skipped=2)
    result.stdout.fnmatch_lines(
        ["*- mqchaos -*", "2 tests skipped, which say nothing: *-broker=process: *JAVA_HOME*"]
    )
    assert "which say" not in project.run("--mqchaos-broker=process", "--no-summary").stdout.str()


# ----------------------------------------------------------------------------- --mqchaos-replay


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('{"version": 99}', "written by another version (format 99, this one reads up to 2)"),
        ("no json", "is no stored failure"),
        ('{"version": 1, "test": "x", "plan": "mq1.x"}', "is no stored failure"),
        ("[]", "is no stored failure"),
    ],
)
def test_a_stored_failure_that_cannot_be_read_stops_the_run(project, text, words):
    project.test("def test_it():\n    pass\n")
    kept = project.pytester.path / ".mqchaos" / "failures" / "x.json"
    kept.parent.mkdir(parents=True)
    kept.write_text(text)
    assert words in refused(project, "--mqchaos-replay")


# ----------------------------------------------------------------------------- --mqchaos-report


def test_a_report_has_the_history_of_every_test(project):
    project.test(MARKED.replace("lost-confirm", "slow-confirm"))
    project.run("--mqchaos-report=told").assert_outcomes(passed=1)
    (history,) = (project.pytester.path / "told").glob("*/history.jsonl")
    rows = [json.loads(line) for line in history.read_text().splitlines()]
    assert any("a" in str(row) for row in rows)


def test_without_it_only_the_last_failure_is_kept(project):
    project.test(MARKED + "\n    def test_plain(kafka_chaos):\n        PUBLISH\n")
    project.run().assert_outcomes(failed=1, passed=1)
    kept = [p.parent.name for p in project.pytester.path.glob(".mqchaos/last/*/history.jsonl")]
    assert kept == ["test_it.py_test_pay_lost-confirm_"]


# ------------------------------------------------------------------------------ --mqchaos-nodes


@pytest.mark.parametrize("given", ["0", "ten", "-3", "10"])
def test_a_number_of_nodes_that_cannot_be_is_refused_in_one_line(project, given):
    result = project.run(f"--mqchaos-nodes={given}")
    result.stderr.fnmatch_lines(
        [f"ERROR: --mqchaos-nodes={given}: must be a whole number from 1 to 9"]
    )
