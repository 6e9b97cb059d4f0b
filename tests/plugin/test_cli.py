"""The `mqchaos` command."""

import os
import subprocess
import sys

import pytest

from pytest_mqchaos import Plan, cli, on
from pytest_mqchaos.brokers import providers
from pytest_mqchaos.plan.profiles import BUNDLES, PROFILES
from pytest_mqchaos.search.failure import Failure
from pytest_mqchaos.search.store import Store


def test_doctor_says_what_is_ready(capsys):
    assert cli.main(["doctor"]) == 0
    out = capsys.readouterr().out
    assert "kafka --mqchaos-broker=embedded  ready" in out
    assert "aiokafka" in out


def test_doctor_says_what_is_lacking(capsys, monkeypatch):
    monkeypatch.setattr(providers, "lacking", lambda *_: "install Java 17")
    monkeypatch.setattr(cli, "CLIENTS", ("no-such-package",))
    assert cli.main(["doctor"]) == 1
    out = capsys.readouterr().out
    assert "process   install Java 17" in out
    assert "no-such-package  not installed" in out


def test_profiles_are_a_line_each(capsys):
    assert cli.main(["profiles"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == len(PROFILES["kafka"]) + len(BUNDLES["kafka"])
    assert any(line.startswith("quick ") and "bundle: lost-confirm" in line for line in lines)


@pytest.mark.parametrize(("name", "pages"), [("lost-confirm", 1), ("quick", 5)])
def test_one_is_explained(capsys, name, pages):
    assert cli.main(["profiles", name]) == 0
    assert capsys.readouterr().out.count("# ") >= pages


def test_a_reader_that_has_seen_enough_is_no_error():
    code = "from pytest_mqchaos.cli import main; raise SystemExit(main(['profiles', 'hostile']))"
    reading, writing = os.pipe()
    os.close(reading)
    try:
        done = subprocess.run(
            [sys.executable, "-c", code], stdout=writing, stderr=subprocess.PIPE, check=False
        )
    finally:
        os.close(writing)
    assert (done.returncode, done.stderr) == (0, b"")


def test_an_unknown_profile_names_the_nearest(capsys):
    assert cli.main(["profiles", "lost-confrim"]) == 2
    err = capsys.readouterr().err
    assert err.startswith("mqchaos: unknown kafka profile 'lost-confrim'. Did you mean")


@pytest.mark.parametrize("argv", [[], ["profils"], ["profiles", "--protocol=amqp"]])
def test_an_unknown_command_or_protocol_is_refused(capsys, argv):
    with pytest.raises(SystemExit) as raised:
        cli.main(argv)
    assert raised.value.code == 2
    assert "usage: mqchaos" in capsys.readouterr().err


@pytest.fixture
def kept(pytester):
    """A project with two stored failures, seen from a directory inside of it."""
    pytester.makepyfile(test_it="def test_it():\n    pass\n")
    store = Store(directory=pytester.path / ".mqchaos" / "failures")
    first = Failure(
        nodeid="test_it.py::test_it", plan=Plan(on.confirm(nth=2).drop()), rate=(9, 10),
        sentence="lossless failed: gone", broker_version="kafka embedded",
    )  # fmt: skip
    second = Failure(nodeid="test_gone.py::test_it", plan=Plan())
    store.keep(first)
    store.keep(second)
    pytester.makeini("[pytest]")
    (pytester.path / "inside").mkdir()
    os.chdir(pytester.path / "inside")
    return store, first, second


def test_replay_lists_what_is_stored(kept, capsys):
    _, first, second = kept
    assert cli.main(["replay", "--list"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        f"{second.name} test_gone.py::test_it",
        "             no fault, on embedded",
        "             it failed",
        f"{first.name} test_it.py::test_it",
        "             on.confirm(nth=2).drop(), on kafka embedded",
        "             lossless failed: gone (9 of 10 times)",
    ]


def test_replay_drops_what_is_named(kept):
    store, first, second = kept
    assert cli.main(["replay", second.name[:6], "--drop"]) == 0
    assert store.all() == (first,)


def test_replay_hands_the_rest_to_pytest(kept, capfd, monkeypatch):
    monkeypatch.setenv("PYTEST_ADDOPTS", "-p no:randomly -p no:cacheprovider")
    _, first, second = kept
    assert cli.main(["replay", "..", "-rA"]) == 0
    out = capfd.readouterr().out
    assert "1 passed" in out
    assert f"mqchaos: {second.name} was not replayed, its test is not among these" in out
    assert "PASSED, NOT FIXED test_it.py::test_it (on.confirm(nth=2).drop()): no chaos" in out
    assert cli.main(["replay", first.name, "nothing.py"]) == pytest.ExitCode.USAGE_ERROR


def test_replay_of_what_is_not_stored(kept, capsys):
    assert cli.main(["replay", "0123"]) == 2
    assert "'0123': no stored failure has this name" in capsys.readouterr().err


def test_replay_of_nothing_runs_nothing(pytester, capsys):
    assert cli.main(["replay"]) == 0
    assert capsys.readouterr().out.startswith("nothing is stored in ")
