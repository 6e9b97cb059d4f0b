"""From a red property test back to the same example: the line, the store, the pasted example."""

import re
import subprocess
import sys
from dataclasses import replace

import pytest

from pytest_mqchaos import on
from pytest_mqchaos.guest import examples, failing, proof, replay  # noqa: F401 - pytester forgets imports
from pytest_mqchaos.search import batches, simulate, store, strategies  # noqa: F401 - see above

# Fails for every plan that loses a confirm, but only with a batch that is seldom drawn.
VIRTUAL = """
from hypothesis import Phase, example, given, settings, strategies as st
from pytest_mqchaos import Message, Plan, batches, on, plans, simulate

PHASES = (Phase.explicit, Phase.reuse, Phase.generate, Phase.shrink)
NEAR = plans(points="confirm", faults=["drop", "delay"], nth=2, max_faults=1)


@settings(phases=PHASES, max_examples=300, derandomize=True)
@given(plan=NEAR, batch=batches(min_size=1, max_size=3))
def test_any(plan, batch):
    async def scenario(chaos):
        chaos.topic("t")
        await chaos.publish_async("t", batch)
        if "c-1" in [message.id for message in batch]:
            chaos.assert_no_copies()
        else:
            chaos.own_assertions = True

    simulate(scenario, plan=plan)
"""
LINE = re.compile(r'replay +pytest "(\S+)" (--mqchaos-plan=\S+)')


SOCKETS = (
    VIRTUAL.replace("def test_any(plan", "def test_any(kafka_chaos_broker, plan")
    .replace("async def scenario(chaos):", "with kafka_chaos_broker.chaos(plan) as chaos:")
    .replace("await chaos.publish_async(", "chaos.publish(")
    .replace("    simulate(scenario, plan=plan)", "")
)
ODD = """@pytest.mark.parametrize(
    "name", ['a/b "c"', "$HOME `x` \\\\ !", "d::[e]-ü", "it's\\n*"]
)
@settings("""
ONCE = """FAILED = []
def once(chaos):
    try:
        chaos.assert_no_copies()
    except AssertionError:
        if not FAILED:
            FAILED.append(1)
            raise
"""
# Fails for the first example that has copies, whichever that is, and never again.
FLAKY = ONCE + VIRTUAL.replace("chaos.assert_no_copies()", "once(chaos)").replace(
    "chaos.topic", "chaos.own_assertions = True; chaos.topic"
)
MENDED = ('publish_async("t", batch)', 'publish_async("t", batch, idempotent=True)')


def kept_in(project):
    return store.Store(directory=project.pytester.path / ".mqchaos" / "failures")


def stored(project):
    return kept_in(project).all()


def apart(project, *arguments):
    """The same in a process of its own."""
    words = [sys.executable, "-m", "pytest", "-q", "-pno:randomly", "-pno:cacheprovider"]
    done = subprocess.run(
        [*words, *arguments], cwd=project.pytester.path, capture_output=True, text=True, check=False
    )
    return done.returncode, done.stdout


def test_the_line_brings_the_other_arguments_back_and_one_example_is_kept(project):
    project.test(VIRTUAL)
    text = project.run().stdout.str()
    ((nodeid, plan),) = LINE.findall(text)
    assert text.count("@reproduce_failure") == 0  # our line says it
    (kept,) = stored(project)  # none of those on the way to the smallest
    assert kept.plan.rules == (on.confirm(nth=1).drop(optional=True),)
    assert plan == f"--mqchaos-plan={kept.token}"
    again = project.run(nodeid, plan)
    again.assert_outcomes(failed=1)
    assert "copies" in again.stdout.str()
    assert stored(project) == (kept,)
    # The example that was printed, pasted above the test: it alone fails, with nothing drawn.
    (printed,) = re.findall(r"test_any\(\n(.*?)\n\)", text, re.DOTALL)
    pasted = VIRTUAL.replace(
        "@settings(phases=PHASES,", f"@example({printed})\n@settings(phases=[Phase.explicit],"
    )
    project.test(pasted)
    result = project.run()
    result.assert_outcomes(failed=1)
    assert LINE.search(result.stdout.str())[2] == f"--mqchaos-plan={kept.plan.token}"


@pytest.mark.wide
@pytest.mark.parametrize("source", [VIRTUAL, SOCKETS], ids=["virtual", "sockets"])
def test_the_line_fails_ten_of_ten_times_in_processes_of_their_own(project, source):
    project.test(source)
    ((nodeid, plan),) = LINE.findall(project.run().stdout.str())
    told = [apart(project, nodeid, plan) for _ in range(10)]
    assert [code for code, _ in told] == [1] * 10
    assert all("no_copies failed: 1 of " in text and LINE.search(text) for _, text in told)


@pytest.mark.wide
def test_an_example_over_sockets_is_told_as_a_simulated_one(project):
    told, kept = [], []
    for source in (VIRTUAL, SOCKETS):
        project.test(source)
        told.append(project.run().stdout.str())
        kept.append(stored(project)[0])
        kept_in(project).drop(kept[-1])
    virtual, sockets = kept
    assert virtual.plan.rules == sockets.plan.rules
    assert virtual.given.blob == sockets.given.blob
    for text in told:
        assert "no_copies failed: 1 of " in text
        assert "Failing test case: test_any(" in text
        assert "chaos.assert_no_copies()" not in text  # no traceback
        assert LINE.search(text)
    assert "simulated" in virtual.broker_version
    assert "simulated" not in sockets.broker_version


@pytest.mark.wide
@pytest.mark.parametrize("source", [VIRTUAL, SOCKETS], ids=["virtual", "sockets"])
def test_the_tests_own_failure_has_the_report_with_its_whole_line(project, source):
    project.test(source.replace("chaos.assert_no_copies()", "raise KeyError(len(batch))"))
    text = project.run().stdout.str()
    assert "KeyError: 1" in text
    ((nodeid, plan),) = LINE.findall(text)
    (kept,) = stored(project)
    assert plan == f"--mqchaos-plan={kept.token}"
    assert kept.sentence == "KeyError: 1"
    again = project.run(nodeid, plan)
    again.assert_outcomes(failed=1)
    assert "KeyError: 1" in again.stdout.str()


@pytest.mark.wide
def test_two_different_failures_are_two(project):
    project.test(
        VIRTUAL.replace("chaos.own_assertions = True", "assert not batch")
        .replace('"c-1" in [message.id for message in batch]', "len(batch) < 2")
        .replace('"delay"], nth=2', "], nth=1, min_faults=1")
    )
    text = project.run().stdout.str()
    lines = LINE.findall(text)
    assert "Hypothesis found 2 distinct failures" in text
    assert sorted(plan for _, plan in lines) == sorted(
        f"--mqchaos-plan={kept.token}" for kept in stored(project)
    )
    assert len(lines) == 2
    codes = [apart(project, *line) for line in lines]
    assert sorted("AssertionError" in told for code, told in codes if code == 1) == [False, True]
    project.run("--mqchaos-replay").assert_outcomes(failed=2)


@pytest.mark.wide
def test_a_mended_property_is_fixed(project):
    project.test(VIRTUAL)
    project.run()
    project.test(VIRTUAL.replace(*MENDED))
    result = project.run("--mqchaos-replay")
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(["FIXED test_it.py::test_any (on.confirm(nth=1).drop(*"])
    assert stored(project) == ()


@pytest.mark.wide
def test_a_pass_that_proves_nothing_is_not_fixed(project):
    near = VIRTUAL.replace("nth=2", 'nth=2, topics="t"')
    project.test(near)
    project.run()
    project.test(near.replace('"t", batch', '"u", batch').replace('topic("t")', 'topic("u")'))
    result = project.run("--mqchaos-replay")
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(["PASSED, NOT FIXED test_it.py::test_any *: no rule of its plan*"])
    (kept,) = stored(project)
    other = project.pytester.path / ".mqchaos" / "failures" / f"{kept.name}.json"
    other.write_text(other.read_text().replace(kept.token, _of_another(kept)))
    project.test(VIRTUAL.replace(*MENDED))
    result = project.run("--mqchaos-replay")
    result.stdout.fnmatch_lines(["PASSED, NOT FIXED *drawn by Hypothesis 6.1.0, this is another*"])


def _of_another(kept):
    return replace(kept, given=replace(kept.given, version="6.1.0")).token


@pytest.mark.wide
def test_arguments_that_are_drawn_otherwise_now_are_told(project):
    project.test(VIRTUAL)
    ((nodeid, plan),) = LINE.findall(project.run().stdout.str())
    project.test(VIRTUAL.replace("min_size=1, max_size=3", "min_size=5, max_size=9"))
    result = project.run(nodeid, plan)
    result.assert_outcomes(failed=1)
    text = result.stdout.str()
    assert "UsageError: the drawn arguments of this failure cannot be brought back" in text
    short = plan.rpartition(".")[0]
    project.run(nodeid, short, "-k", "any").assert_outcomes(failed=1)  # with others, drawn anew


@pytest.mark.wide
def test_it_is_the_last_word_of_hypothesis_and_its_database_that_is_kept(project):
    """The second run begins with the example of the first, from Hypothesis's own database."""
    project.test(VIRTUAL.replace(", derandomize=True", ""))
    project.run()
    before = stored(project)
    assert len(before) == 1
    project.run("--hypothesis-seed=1")
    assert stored(project) == before


@pytest.mark.wide
def test_xdist_keeps_and_replays(project):
    source = "import pytest\n" + VIRTUAL.replace("@settings(", ODD).replace(
        "def test_any(plan", "def test_any(name, plan"
    )
    project.test(source)
    quiet = ("-p", "no:randomly", "-n", "2")
    first = project.pytester.runpytest_subprocess(*quiet)
    first.assert_outcomes(failed=4)
    assert len(stored(project)) == 4
    project.pytester.runpytest_subprocess(*quiet, "--mqchaos-replay").assert_outcomes(failed=4)
    assert len(stored(project)) == 4
    lines = re.findall(r"replay +(pytest .*)", first.stdout.str())
    assert len(set(lines)) == 4
    for line in lines:  # as somebody's shell reads it
        told = subprocess.run(
            [f"{sys.executable} -m {line} -p no:randomly -q"], shell=True, check=False,
            cwd=project.pytester.path, capture_output=True, text=True,
        )  # fmt: skip
        assert told.returncode == 1, told.stdout
        assert "no_copies failed" in told.stdout
    project.test(source.replace(*MENDED))
    mended = project.pytester.runpytest_subprocess(*quiet, "--mqchaos-replay")
    mended.assert_outcomes(passed=4)
    assert mended.stdout.str().count("\nFIXED ") == 4
    assert stored(project) == ()


@pytest.mark.wide
def test_a_rerun_that_passes_fixes_nothing(project):
    project.test(VIRTUAL)
    project.run()
    project.test(FLAKY)
    result = project.run("--mqchaos-replay", "--reruns=1")
    assert result.parseoutcomes() == {"passed": 1, "rerun": 1}
    assert "FIXED" not in result.stdout.str()
    assert len(stored(project)) == 1


@pytest.mark.wide
def test_what_passes_the_second_time_is_flaky_and_fails_with_a_rate(project, monkeypatch):
    monkeypatch.delenv(proof.ENVIRONMENT, raising=False)
    project.test(FLAKY)
    result = project.run()
    result.assert_outcomes(failed=1)
    text = result.stdout.str()
    assert "flaky: the same example passed when Hypothesis ran it again" in text
    assert re.search(r"replay +pytest .*\n +reproduced \d/5", text)
    (kept,) = stored(project)
    assert kept.rate[1] == 5
