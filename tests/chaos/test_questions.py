"""What is answered while a frame is held: always something, and what was broken is mended."""

import pytest

from pytest_mqchaos.chaos.pace import done
from pytest_mqchaos.chaos.questions import DONE, Questions
from pytest_mqchaos.errors import BrokerError
from tests.chaos.doubles import STUBBORN, Cluster, Crew, questions


def test_who_may_be_crashed_is_the_crews_to_say():
    asked, troubles = questions(STUBBORN)
    assert asked("may_crash", {"owner": "worker-1#1"}) == DONE
    assert asked("may_crash", {"owner": "test"}) == {"refused": "test is no worker"}
    assert asked.refusals == ["test is no worker"]
    assert troubles == []


@pytest.mark.parametrize(("scope", "port"), [("group", None), ("child", 4711)])
def test_a_crash_names_its_cause_and_the_child_that_was_meant(scope, port):
    asked, _ = questions(STUBBORN)
    assert asked("crash_worker", {"owner": "worker-1#1", "scope": scope, "port": 4711}) == DONE
    assert asked._crew.crashed == ("worker-1#1", "crashed by a rule", port)


@pytest.mark.parametrize(
    ("what", "word"),
    [
        ("kill_broker", "killed"),
        ("pause_broker", "paused"),
        ("restart_broker", "restarted"),
        ("power_loss", "made to lose its power"),
        ("move_leader", "told who leads"),
        ("partition", "cut off from each other"),
        ("hold_replication", "kept from replicating"),
    ],
)
def test_a_broker_that_cannot_is_named_and_what_can(what, word):
    asked, _ = questions(STUBBORN)
    refused = asked(what, {"node": 1})["refused"]
    assert refused == f"the own broker cannot be {word}: --mqchaos-broker=embedded can"


def test_an_unknown_question_is_refused_and_not_left_open():
    asked, _ = questions(STUBBORN)
    assert asked("raise_taxes", {}) == {"refused": "'raise_taxes' is not known here"}


def test_healing_comes_before_what_was_to_come_later():
    cluster = Cluster()
    asked, _ = questions(cluster)
    asked("pause_broker", {"node": 2, "for_": 1000.0})
    (timer,) = asked.brokers.due.timers
    asked.heal()
    timer.join(10)
    assert cluster.done == [("pause", 2), ("heal",)]


def test_a_broker_that_fails_is_trouble_and_a_refusal():
    asked, troubles = questions(Cluster(error=BrokerError("it did not die")))
    assert asked("kill_broker", {"node": 1}) == {"refused": "it did not die"}
    assert troubles == ["kill_broker: it did not die"]


def test_so_is_one_that_fails_later():
    asked, troubles = questions(Cluster(error=BrokerError("it did not come back")))
    asked("pause_broker", {"node": 1, "for_": 0.0})
    for timer in asked.brokers.due.timers:
        timer.join(10)
    assert troubles == ["resume after pause: it did not come back"]


def test_in_virtual_time_a_death_is_awaited():
    class Slow(Crew):
        async def crash(self, owner, cause, *, child_at=None):
            return None if owner == "worker-1#1" else f"{owner} was not running any more"

    asked = Questions(crew=Slow(), broker=STUBBORN, trouble=pytest.fail)
    assert done(asked("crash_worker", {"owner": "worker-1#1"})) == DONE
    refused = done(asked("crash_worker", {"owner": "worker-2#1"}))
    assert refused == {"refused": "worker-2#1 was not running any more"}
    assert asked.refusals == ["worker-2#1 was not running any more"]
