"""The `mqchaos` command."""

import os
import subprocess
import sys

import pytest

from pytest_mqchaos import cli
from pytest_mqchaos.brokers import providers
from pytest_mqchaos.plan.profiles import BUNDLES, PROFILES


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


def test_replay_is_pytest_with_the_stored_failures_first(pytester):
    pytester.makepyfile(test_it="def test_it():\n    pass\n")
    assert cli.main(["replay", "-q", "test_it.py"]) == 0
    assert cli.main(["replay", "nothing.py"]) == pytest.ExitCode.USAGE_ERROR
