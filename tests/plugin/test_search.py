"""`mqchaos_search` in a user's project: the failure with its rate, one line that replays it."""

import json
import os
import re
import signal
import subprocess
import sys

import pytest

from orphans.run import until
from pytest_mqchaos.guest import hunting  # noqa: F401 - pytester forgets what a run has imported

SEARCH = """
async def scenario(chaos):
    chaos.topic("t")
    await chaos.publish_async("t", ["a", "b"])
    chaos.assert_no_copies()


def test_any(mqchaos_search):
    mqchaos_search(
        scenario, id="value", points="confirm", faults=("drop", "delay"), longest=0.1, times=4,
    )
"""
RATE = re.compile(r"reproduced (\d+)/(\d+) by the search; without any fault 0/\d+")


def test_a_failure_is_told_shrunk_with_its_rate_below_the_replay_line(project):
    project.test(SEARCH)
    result = project.run()
    result.assert_outcomes(failed=1)
    text = result.stdout.str()
    assert "no_copies failed: 1 of 2" in text
    assert re.search(r"rule 1   on\.confirm\(nth=\d\)\.drop\(optional=True\)", text)
    assert "rule 2" not in text
    below = re.search(r"\n  replay .*--mqchaos-plan=\S+\n +(.*)\n", text)[1]
    assert RATE.fullmatch(below).groups() == ("4", "4")
    result.stdout.fnmatch_lines([
        "*mqchaos search*",
        "test_any: * runs, * plans at 2 points: failed in * s",
        "plan * failed 2/2; *",
        "reproduced 4/4 by the search; without any fault 0/2",
    ])  # fmt: skip


def test_the_line_replays_its_plan_alone(project):
    project.test(SEARCH)
    nodeid, plan = re.search(
        r'replay +pytest "(\S+)" (--mqchaos-plan=\S+)', project.run().stdout.str()
    ).groups()
    again = project.run(nodeid, plan)
    again.assert_outcomes(failed=1)
    assert "no_copies failed: 1 of 2" in again.stdout.str()
    assert "mqchaos search" not in again.stdout.str()
    project.test(SEARCH.replace('["a", "b"])', '["a", "b"], idempotent=True)'))
    project.run(nodeid, plan).assert_outcomes(passed=1)


NOW_AND_THEN = """
import pathlib

COUNT = pathlib.Path("count")


async def scenario(chaos):
    chaos.topic("t")
    await chaos.publish_async("t", ["a"])
    if any(rule.fired for rule in chaos.history.rules):
        runs = int(COUNT.read_text()) + 1 if COUNT.exists() else 1
        COUNT.write_text(str(runs))
        if runs % EVERY == 0:
            chaos.assert_no_copies()
    assert chaos.history.stored


def test_it(mqchaos_search):
    mqchaos_search(
        scenario, id="value", points="confirm", faults="drop", own_assertions=True, nth=1
    )
"""


@pytest.mark.wide
def test_what_comes_seldom_is_stored_with_its_rate_and_not_fixed_by_one_pass(project):
    project.test(NOW_AND_THEN.replace("EVERY", "3"))
    project.run().assert_outcomes(failed=1)
    (stored,) = (project.pytester.path / ".mqchaos" / "failures").glob("*.json")
    failed, of = json.loads(stored.read_text())["rate"]
    assert of == 10
    assert failed in (3, 4)
    for _ in range(2):  # seen again, it is still the one that came so seldom
        replayed = project.run("--mqchaos-replay")
        replayed.assert_outcomes(failed=1)
        assert json.loads(stored.read_text())["rate"] == [failed, of]
    project.test(NOW_AND_THEN.replace("EVERY", "10**9"))
    (project.pytester.path / "count").unlink()
    mended = project.run("--mqchaos-replay")
    mended.assert_outcomes(passed=1)
    mended.stdout.fnmatch_lines(["*FIXED test_it.py::test_it*"])
    assert int((project.pytester.path / "count").read_text()) >= 8
    assert not stored.exists()


def test_what_survives_its_budget_passes_and_says_how_far_it_went(project):
    project.test(
        SEARCH.replace('["a", "b"])', '["a", "b"], idempotent=True)').replace(
            "times=4", "budget=9, times=2"
        )
    )
    result = project.run()
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(["test_any: 7 runs, 6 plans at 2 points: none failed in * s"])


def test_the_users_own_assertion_keeps_its_traceback_and_has_the_rate(project):
    project.test(
        """
        async def scenario(chaos):
            chaos.topic("t")
            await chaos.publish_async("t", ["a"])
            assert len(chaos.history.stored) == 1, "twice"

        def test_own(mqchaos_search):
            mqchaos_search(
                scenario, id="value", points="confirm", faults="drop", own_assertions=True, times=3
            )
        """
    )
    text = project.run().stdout.str()
    assert 'assert len(chaos.history.stored) == 1, "twice"' in text
    assert RATE.search(text[: text.index("mqchaos search")]).groups() == ("3", "3")


UNDECIDED = """
from pytest_mqchaos import Verdict, VerdictFailed

runs = []

def perhaps(history):
    unknown = len(runs) > 1 and len(runs) % EACH == 0
    return Verdict(question="q", status="unknown" if unknown else "passed", sentence="perhaps")

async def scenario(chaos):
    runs.append(chaos)
    chaos.topic("t")
    await chaos.publish_async("t", ["a"])
    if chaos.check(perhaps).status != "passed":
        raise VerdictFailed("perhaps")

def test_it(mqchaos_search):
    mqchaos_search(scenario, points="confirm", faults="drop", budget=11, times=2)
"""


@pytest.mark.parametrize(
    ("each", "passed", "count"), [(1, 0, 8), pytest.param(4, 1, 2, marks=pytest.mark.wide)]
)
def test_what_cannot_be_decided_is_neither_and_if_it_is_most_no_pass(project, each, passed, count):
    project.test(UNDECIDED.replace("EACH", str(each)))
    result = project.run()
    result.assert_outcomes(failed=1 - passed, passed=passed)
    result.stdout.fnmatch_lines([
        "test_it: 9 runs, 8 plans at 1 points: none failed in * s",
        f"{count} could not be decided, which is neither a failure nor a pass: perhaps",
    ])  # fmt: skip
    assert "reproduced" not in result.stdout.str()


@pytest.mark.wide
def test_over_sockets_every_run_has_a_fresh_cluster(project):
    project.test(
        """
        def scenario(chaos):
            chaos.topic("t")
            chaos.publish("t", ["a"])
            assert [r.offset for r in chaos.history.stored][:1] == [0]
            chaos.assert_no_copies()

        def test_sockets(mqchaos_search):
            mqchaos_search(scenario, id="value", points="confirm", faults="drop", times=3)
        """
    )
    result = project.run()
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*reproduced 3/3 by the search; without any fault 0/*"])


def test_wrong_use_is_told_in_one_sentence(project):
    project.test(
        """
        def plain(chaos):
            chaos.topic("t")

        def test_points(mqchaos_search):
            mqchaos_search(plain, points="confrim")

        def test_real(mqchaos_search):
            mqchaos_search(plain, real=["aiosqlite"])

        def test_rate(mqchaos_search):
            mqchaos_search(plain, times=1)
        """
    )
    result = project.run()
    result.assert_outcomes(failed=3)
    text = result.stdout.str()
    assert "unknown name in mqchaos_search(points=...) 'confrim'. Did you mean 'confirm'" in text
    assert "real=('aiosqlite',) is for virtual time; this search runs over sockets" in text
    assert "least=2, times=1: a plan that is run 1 times cannot fail 2 times" in text


INTERRUPTED = """
import pathlib, signal, time

runs = []

async def scenario(chaos):
    runs.append(1)
    chaos.topic("t")
    await chaos.publish_async("t", ["a", "b"])
    if len(runs) > STAGE:
        pathlib.Path("here").touch()
        while True:  # until the Ctrl-C
            time.sleep(0.01)
    chaos.assert_no_copies()


def test_any(mqchaos_search):
    mqchaos_search(
        scenario, id="value", points="confirm", faults=FAULTS, max_faults=6, longest=0.1,
        seed=1,
    )
"""


@pytest.fixture
def heard():
    """What we start hears SIGINT, which a shell's background jobs and their children ignore."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.wide
@pytest.mark.parametrize(
    ("stage", "faults", "told"),
    [
        (9, '("drop",)', "no_copies failed: "),
        (5, '("delay",)', "6 runs, 4 plans at 2 points: none failed"),
    ],
    ids=["while it shrinks", "before anything failed"],
)
def test_ctrl_c_leaves_the_best_so_far(tmp_path, heard, stage, faults, told):
    source = INTERRUPTED.replace("STAGE", str(stage)).replace("FAULTS", faults)
    (tmp_path / "test_it.py").write_text(source)
    environment = {**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    run = subprocess.Popen(
        [sys.executable, "-m", "pytest", "-q", "-p", "pytest_mqchaos.plugin", "test_it.py"],
        cwd=tmp_path, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    try:
        assert until((tmp_path / "here").exists, 60)
        run.send_signal(signal.SIGINT)
        text, _ = run.communicate(timeout=60)
    finally:
        run.kill()
        run.wait()
    assert run.returncode == pytest.ExitCode.INTERRUPTED, text
    assert told in text
    assert "ended by Ctrl-C" in text
    assert ("--mqchaos-plan=mq1." in text) == (stage == 9)
    assert len(list(tmp_path.glob(".mqchaos/failures/*.json"))) == (stage == 9)
