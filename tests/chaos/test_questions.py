"""What is answered while a frame is held: always something, and what was broken is mended."""

import threading
from types import SimpleNamespace

import pytest

from pytest_mqchaos.chaos.questions import DONE, Questions
from pytest_mqchaos.errors import BrokerError

EMBEDDED = SimpleNamespace(kind="embedded", addresses=lambda: {1: ("h", 1)}, version="")


class Cluster:
    """Three nodes that remember what was done to them."""

    kind, version = "process", "4"

    def __init__(self, error=None):
        self.done = []
        self.error = error
        self.called = threading.Event()

    def addresses(self):
        return {1: ("h", 1), 2: ("h", 2), 3: ("h", 3)}

    def start(self): ...

    def stop(self): ...

    def _do(self, *what):
        self.done.append(what)
        self.called.set()
        if self.error:
            raise self.error

    def kill(self, node):
        self._do("kill", node)

    def pause(self, node):
        self.done.append(("pause", node))

    def resume(self, node):
        self._do("resume", node)

    def restart(self, node):
        self._do("restart", node)

    def heal(self):
        self.done.append(("heal",))
        self.called.set()


class Crew:
    def may_crash(self, owner):
        return None if owner == "worker-1#1" else f"{owner} is no worker"

    def crash(self, owner, cause, *, child_at=None):
        self.crashed = (owner, cause, child_at)


def questions(broker):
    troubles = []
    return Questions(crew=Crew(), broker=broker, trouble=troubles.append), troubles


def test_who_may_be_crashed_is_the_crews_to_say():
    asked, troubles = questions(EMBEDDED)
    assert asked("may_crash", {"owner": "worker-1#1"}) == DONE
    assert asked("may_crash", {"owner": "test"}) == {"refused": "test is no worker"}
    assert asked.refusals == ["test is no worker"]
    assert troubles == []


@pytest.mark.parametrize(("scope", "port"), [("group", None), ("child", 4711)])
def test_a_crash_names_its_cause_and_the_child_that_was_meant(scope, port):
    asked, _ = questions(EMBEDDED)
    assert asked("crash_worker", {"owner": "worker-1#1", "scope": scope, "port": 4711}) == DONE
    assert asked._crew.crashed == ("worker-1#1", "crashed by a rule", port)


@pytest.mark.parametrize(
    ("what", "word"),
    [("kill_broker", "killed"), ("pause_broker", "paused"), ("restart_broker", "restarted")],
)
def test_a_broker_that_cannot_is_named_and_what_can(what, word):
    asked, _ = questions(EMBEDDED)
    refused = asked(what, {"node": 1})["refused"]
    assert f"the embedded broker cannot be {word}: use --mqchaos-broker=process" in refused


def test_an_unknown_question_is_refused_and_not_left_open():
    asked, _ = questions(EMBEDDED)
    assert asked("raise_taxes", {}) == {"refused": "'raise_taxes' is not known here"}


@pytest.mark.parametrize(("target", "nodes"), [("leader", [2]), ("all", [1, 2, 3]), (3, [3])])
@pytest.mark.parametrize("what", ["kill", "restart", "pause"])
def test_which_nodes_are_meant(what, target, nodes):
    cluster = Cluster()
    asked, _ = questions(cluster)
    assert asked(f"{what}_broker", {"node": 2, "target": target}) == DONE
    assert cluster.done == [(what, node) for node in nodes]
    asked.heal()
    assert cluster.done[-1] == ("heal",)
    asked.heal()
    assert cluster.done.count(("heal",)) == 1


@pytest.mark.parametrize(
    ("what", "words", "then"),
    [
        ("kill_broker", {"restart_after": 0.0}, ("heal",)),
        ("pause_broker", {"for_": 0.0}, ("resume", 2)),
    ],
)
def test_what_comes_later_comes(what, words, then):
    cluster = Cluster()
    asked, _ = questions(cluster)
    cluster.called.clear()
    asked(what, {"node": 2, **words})
    for timer in asked._timers:
        timer.join(10)
    assert cluster.done[-1] == then


def test_healing_comes_before_what_was_to_come_later():
    cluster = Cluster()
    asked, _ = questions(cluster)
    asked("pause_broker", {"node": 2, "for_": 1000.0})
    (timer,) = asked._timers
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
    for timer in asked._timers:
        timer.join(10)
    assert troubles == ["resume after pause: it did not come back"]
