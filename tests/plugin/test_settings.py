"""[tool.mqchaos] in pyproject.toml: every key, and what a wrong one is told."""

import os
import socket

import pytest

from pytest_mqchaos.brokers.ports import Reservation

PLAIN = """
    def test_it(kafka_chaos):
        PUBLISH
"""


def with_settings(project, toml, source=PLAIN):
    project.settings("[tool.mqchaos]\n" + toml)
    project.test(source)


@pytest.mark.parametrize(
    ("toml", "words"),
    [
        ("setle_timeout = 3", ["'setle_timeout'", "Did you mean 'settle_timeout'"]),
        ("settle_timeout = 0", ["settle_timeout = 0", "seconds above 0"]),
        ('effect_timeout = "2"', ["effect_timeout = '2'", "seconds above 0"]),
        ("start_timeout = true", ["start_timeout = True", "seconds above 0"]),
        ('payloads = "hide"', ["payloads 'hide'", "hash, show"]),
        ('broker = "kraft"', ["broker 'kraft'", "embedded, process"]),
        ("replays = -1", ["replays = -1", "0 or more"]),
        ('listen = "0.0.0.0:9092"', ["0.0.0.0:9092", "127.0.0.1:PORT"]),
        ('listen = "127.0.0.1:99999"', ["99999", "127.0.0.1:PORT"]),
        ("listen = 9092", ["listen = 9092", "127.0.0.1:PORT"]),
        ("profiles = 3", ["profiles = 3", "table"]),
        ('profiles = {mine = "on.confrim().drop()"}', ["profiles] mine", "confirm"]),
        ('profiles = {mine = "on.confirm().dorp()"}', ["profiles] mine", "drop"]),
        ('profiles = {lost-confirm = "on.confirm().drop()"}', ["lost-confirm", "is taken"]),
        ("profiles = {mine = []}", ["profiles] mine", "not empty"]),
    ],
)
def test_a_wrong_key_or_value_stops_the_run(project, toml, words):
    with_settings(project, toml)
    result = project.run()
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    text = result.stderr.str()
    assert "INTERNALERROR" not in text
    assert "[tool.mqchaos" in text
    for word in words:
        assert word in text


@pytest.mark.parametrize(
    ("toml", "words"),
    [("[tool.mqchaos\n", "is no TOML"), ("[tool]\nmqchaos = 3\n", "must be a table, not 3")],
)
def test_a_file_that_is_none_is_named(project, toml, words):
    # With a file of its own (-c) pytest never looks into pyproject.toml.
    project.test(PLAIN)
    project.pytester.makefile(".ini", pytest="[pytest]")
    project.pytester.makefile(".toml", pyproject=toml)
    result = project.run("-c", "pytest.ini")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert words in result.stderr.str()
    assert "pyproject.toml" in result.stderr.str()


def test_time_outs_arrive_where_waiting_is_done(project):
    with_settings(
        project,
        "settle_timeout = 3\neffect_timeout = 0.5\nstart_timeout = 4\n",
        """
        from pytest_mqchaos.chaos.settling import Limits

        def test_it(kafka_chaos):
            assert Limits.of(kafka_chaos.host.config) == Limits(progress=3, effects=0.5, start=4)
            PUBLISH
        """,
    )
    project.run().assert_outcomes(passed=1)


def test_broker_is_the_default_of_the_option(project, monkeypatch):
    monkeypatch.setenv("JAVA_HOME", "/nowhere")
    with_settings(project, 'broker = "process"')
    project.run().assert_outcomes(skipped=1)
    project.run("--mqchaos-broker=embedded").assert_outcomes(passed=1)


@pytest.mark.parametrize(("payloads", "shown"), [("show", True), ("hash", False)])
def test_payloads_can_be_hidden(project, payloads, shown):
    with_settings(
        project,
        f'payloads = "{payloads}"',
        """
        import pytest

        @pytest.mark.mqchaos("lost-confirm")
        def test_it(kafka_chaos):
            kafka_chaos.topic("t")
            kafka_chaos.publish("t", ["a card number"])
            kafka_chaos.assert_no_copies()
        """,
    )
    result = project.run("--tb=short", "--show-capture=no")
    result.assert_outcomes(failed=1)
    assert ("value a card number" in result.stdout.str()) is shown
    (history,) = project.pytester.path.glob(".mqchaos/last/*/history.jsonl")
    assert ("a card number" in history.read_text()) is shown


def test_profiles_of_the_users_own(project):
    with_settings(
        project,
        'profiles = {second-confirm = "on.confirm(nth=2).drop()", both = ['
        '"on.confirm(nth=1).drop()", "on.publish(nth=2).drop()"]}',
        """
        import pytest

        @pytest.mark.mqchaos("second-confirm", "both", own_assertions=True)
        def test_it(kafka_chaos):
            kafka_chaos.topic("t")
            kafka_chaos.publish("t", ["a", "b"])
            print("rules", [repr(one.rule) for one in kafka_chaos.armed])
        """,
    )
    result = project.run("-s")
    result.assert_outcomes(passed=2)
    result.stdout.fnmatch_lines(
        [
            "*rules*'on.confirm(nth=2).drop()'*",
            "*rules*'on.confirm(nth=1).drop()', 'on.publish(nth=2).drop()'*",
        ]
    )


@pytest.fixture
def port():
    """One that nobody else is given meanwhile."""
    with Reservation() as held:
        yield held.port


LISTEN = """
    import os

    AT_IMPORT = os.environ["MQCHAOS_BOOTSTRAP_SERVERS"]

    def test_it(kafka_chaos):
        assert kafka_chaos.bootstrap_servers == AT_IMPORT == "127.0.0.1:%d"
        PUBLISH

    def test_again(kafka_chaos):
        assert kafka_chaos.bootstrap_servers == AT_IMPORT
        PUBLISH
"""


def test_a_fixed_address_is_known_when_modules_are_imported(project, monkeypatch, port):
    monkeypatch.setenv("MQCHAOS_BOOTSTRAP_SERVERS", "before")
    with_settings(project, f'listen = "127.0.0.1:{port}"', LISTEN % port)
    project.run().assert_outcomes(passed=2)
    assert os.environ["MQCHAOS_BOOTSTRAP_SERVERS"] == "before"


def test_each_xdist_worker_has_a_port_of_its_own(project, monkeypatch, port):
    monkeypatch.setenv("PYTEST_XDIST_WORKER", "gw1")
    with_settings(project, f'listen = "127.0.0.1:{port - 1}"', LISTEN % port)
    project.run().assert_outcomes(passed=2)


def test_a_port_in_use_is_named(project):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with_settings(project, f'listen = "127.0.0.1:{port}"')
        result = project.run()
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines([f"UsageError: cannot listen on 127.0.0.1:{port}: *free it*"])
