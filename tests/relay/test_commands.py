"""Commands of the controller: what they hand on, and what `status` counts."""

from __future__ import annotations

from pytest_mqchaos.relay.commands import command
from tests.relay.script import Talk


def run(talk, do, **body):
    return command(talk.engine, do, body, talk.now)


def test_begin_hands_its_settings_on():
    talk = Talk()
    run(talk, "begin", settings={"record": False})
    assert talk.engine.recording.on is False
    run(talk, "begin")
    assert talk.engine.recording.on is True


def test_the_time_of_a_command_is_the_engines():
    talk = Talk()
    command(talk.engine, "note", {"body": {"note": "x"}}, 7_000_000)
    assert talk.engine.now == 7_000_000


def test_status_counts_the_links_of_each_owner_and_the_publishes_that_still_matter():
    talk = Talk()
    talk.open("worker-1#1")
    talk.open("worker-2#1")
    assert run(talk, "status")["links"] == {"worker-1#1": 2, "worker-2#1": 1}
    for number in (1, 3):
        talk.speak("client", number, 0, f"P {number} t a")
    assert run(talk, "status")["open_publishes"] == 2
    run(talk, "closing", owner="worker-1#1")
    assert run(talk, "status")["open_publishes"] == 1  # who is being stopped is waited for no more
