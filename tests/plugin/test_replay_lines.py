"""What a replay line may look like: from elsewhere, too long for a line, of another version."""

import re

import pytest

from pytest_mqchaos import Plan, on
from pytest_mqchaos.guest import replay
from pytest_mqchaos.guest.fixtures import replayable
from pytest_mqchaos.search import batches, simulate, strategies  # noqa: F401 - see conftest
from pytest_mqchaos.search.failure import Failure
from pytest_mqchaos.search.given import Given, checksum
from pytest_mqchaos.search.store import Store

LINE = re.compile(r'replay +pytest "(\S+)" (--mqchaos-plan=\S+)')
PROPERTY = """
from hypothesis import Phase, given, settings, strategies as st
from pytest_mqchaos import simulate


@settings(derandomize=True, phases=[Phase.generate])
@given(number=st.integers(0, 3))
def test_fails(number):
    async def scenario(chaos):
        chaos.topic("t")
        await chaos.publish_async("t", ["a", "b"])
        if number:
            chaos.assert_no_copies()
        chaos.own_assertions = True

    simulate(scenario, id="value")
"""
LOST = Plan(on.confirm(nth=2).drop())


@pytest.fixture
def deep(project, monkeypatch):
    """The test in a directory below, pytest started in one between."""
    project.pytester.makeini("[pytest]")
    path = project.pytester.path / "tests" / "deep" / "test_it.py"
    path.parent.mkdir(parents=True)
    path.write_text(
        "from pytest_mqchaos import Plan, on\n"
        + PROPERTY.replace("(scenario, id", f"(scenario, plan={LOST!r}, id")
    )
    monkeypatch.chdir(path.parents[1])
    return project


@pytest.mark.wide
def test_the_line_is_for_the_directory_in_which_pytest_was_started(deep):
    ((nodeid, plan),) = LINE.findall(deep.run("deep").stdout.str())
    assert nodeid == "deep/test_it.py::test_fails"
    (kept,) = Store(directory=deep.pytester.path / ".mqchaos" / "failures").all()
    assert kept.nodeid == "tests/deep/test_it.py::test_fails"
    deep.run(nodeid, plan).assert_outcomes(failed=1)
    deep.run("--mqchaos-replay", "deep").assert_outcomes(failed=1)


@pytest.mark.wide
def test_a_token_that_is_too_long_for_a_line_gives_way_to_its_file(deep, monkeypatch):
    monkeypatch.setattr(replay, "LONGEST", 20)
    ((nodeid, plan),) = LINE.findall(deep.run("deep").stdout.str())
    assert re.fullmatch(r"--mqchaos-plan=\.\./\.mqchaos/failures/\w{12}\.json", plan)
    deep.run(nodeid, plan).assert_outcomes(failed=1)


@pytest.mark.wide
def test_arguments_are_of_no_use_to_another_test(project):
    other = Given(of=checksum(project.test), version="1", blob=b"AEEAQQA=")
    failure = Failure(nodeid="test_it.py::test_fails", plan=LOST, given=other)
    project.test(PROPERTY)
    project.run(f"--mqchaos-plan={failure.token}").assert_outcomes(failed=1)  # drawn anew


@pytest.mark.parametrize(
    ("token", "told"),
    [
        (LOST.token.replace("mq1.", "mq2."), "plan token of version 2; this pytest-mqchaos reads"),
        (f"{LOST.token}.x", "what stands after the second dot of the token is broken"),
    ],
)
def test_a_token_that_cannot_be_read_is_told_where_it_was_given(project, token, told):
    project.test(PROPERTY)
    result = project.run(f"--mqchaos-plan={token}")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([f"ERROR: --mqchaos-plan: *{told}*"])


@pytest.mark.parametrize(
    ("nodeid", "name", "expected"),
    [
        ("t.py::test[lost-ack]", "lost-ack", "t.py::test"),
        ("t.py::test[lost-ack-1-x]", "lost-ack", "t.py::test[plan-1-x]"),
        ("t.py::test[1-lost-ack-x]", "lost-ack", "t.py::test[1-plan-x]"),
        ("t.py::test[lost-ack-lost-ackx]", "lost-ack", "t.py::test[plan-lost-ackx]"),
        ("t.py::test[1]", None, "t.py::test[1]"),
        ("t.py::test", None, "t.py::test"),
    ],
)
def test_the_replay_line_names_the_run_that_a_plan_makes(nodeid, name, expected):
    class Item:
        class callspec:  # noqa: N801 - as pytest has it
            params = {} if name is None else {"mqchaos_plan": type("Chosen", (), {"name": name})}

    Item.nodeid = nodeid
    assert replayable(Item, nodeid) == expected


def test_the_replay_line_of_a_test_with_parameters_runs_it(project):
    project.test("""
        import pytest

        @pytest.mark.parametrize("size", [1, 2])
        @pytest.mark.mqchaos("lost-confirm")
        def test_pay(kafka_chaos, size):
            PUBLISH
    """)
    result = project.run("-k", "lost-confirm-2")
    result.assert_outcomes(failed=1, deselected=1)
    line = next(line for line in result.stdout.lines if line.strip().startswith("replay"))
    _, test, _ = line.split('"')
    token = line.split("--mqchaos-plan=")[1].strip()
    assert test == "test_it.py::test_pay[plan-2]"
    project.run(test, f"--mqchaos-plan={token}").assert_outcomes(failed=1)
