"""What is answered while a frame is held: always something, and what was broken is mended."""

import re
import threading
from types import SimpleNamespace

import pytest

from pytest_mqchaos.chaos.pace import done
from pytest_mqchaos.chaos.questions import DONE, Questions
from pytest_mqchaos.errors import BrokerError

STUBBORN = SimpleNamespace(kind="own", addresses=lambda: {1: ("h", 1)}, version="")


class Cluster:
    """Three nodes that remember what was done to them."""

    kind, version = "process", "4"

    def __init__(self, error=None, replicas=(2, 3, 1)):
        self.done = []
        self.replicas = replicas
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

    def power_loss(self, node):
        self._do("power_loss", node)

    def leader(self, topic, partition):
        return self.replicas[0] if topic == "t" else None

    def followers(self, topic, partition):
        return self.replicas[1:]

    def coordinator(self, kind, key):
        return {("group", "g"): 3, ("transaction", "x"): 1}.get((kind, key))

    def move_leader(self, topic, partition, to=None):
        self._do("move_leader", topic, partition, to)
        return to or self.replicas[1]

    def move_coordinator(self, kind, key, to=None):
        return to

    def isolate(self, groups):
        self._do("isolate", groups)

    def reunite(self):
        self._do("reunite")

    def hold_replication(self, topic=None, partition=None, follower=None):
        self._do("hold", topic, partition)

    def release_replication(self):
        self._do("release")

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


FRAME = {"node": 2, "places": [["t", 0], ["t", 1]], "group": "g"}
DEEDS = {"kill_broker": "kill", "restart_broker": "restart", "pause_broker": "pause",
         "power_loss": "power_loss"}  # fmt: skip


@pytest.mark.parametrize(
    ("target", "nodes", "said"),
    [
        ("leader", [2], "node 2, leader of t-0,"),
        ("follower", [3], "node 3, follower of t-0,"),
        ("coordinator", [3], "node 3, coordinator of group g,"),
        ("all", [1, 2, 3], "all brokers (nodes 1, 2, 3)"),
        (3, [3], "node 3"),
    ],
)
@pytest.mark.parametrize("what", DEEDS)
def test_which_nodes_are_meant(what, target, nodes, said):
    cluster = Cluster()
    asked, _ = questions(cluster)
    answer = asked(what, {**FRAME, "target": target})
    assert answer["done"]
    assert answer["note"].startswith(f"{said} ")
    assert cluster.done == [(DEEDS[what], node) for node in nodes]
    asked.heal()
    assert cluster.done[-1] == ("heal",)
    asked.heal()
    assert cluster.done.count(("heal",)) == 1


@pytest.mark.parametrize(
    ("target", "frame", "says"),
    [
        (7, {}, "there is no node 7: there are nodes 1, 2, 3"),
        ("follower", {"places": []}, "names no partition that could have a follower"),
        ("coordinator", {"group": None}, "names no group and no transaction.*on.ack"),
        ("coordinator", {"group": "h"}, "nobody coordinates the group 'h' just now"),
    ],
)
def test_a_target_that_this_frame_does_not_have_is_told_and_nothing_is_done(target, frame, says):
    cluster = Cluster()
    asked, troubles = questions(cluster)
    refused = asked("kill_broker", {**FRAME, **frame, "target": target})["refused"]
    assert re.search(says, refused)
    assert cluster.done == troubles == []
    asked.heal()
    assert cluster.done == []


def test_the_leader_of_a_request_without_messages_is_whoever_it_goes_to():
    cluster = Cluster()
    asked, _ = questions(cluster)
    asked("kill_broker", {"node": 1, "target": "leader"})
    asked("kill_broker", {"node": 1, "places": [["unknown", 0]], "target": "leader"})
    assert cluster.done == [("kill", 1), ("kill", 1)]


def test_a_transaction_has_a_coordinator_of_its_own():
    cluster = Cluster()
    asked, _ = questions(cluster)
    asked("pause_broker", {**FRAME, "transactional_id": "x", "target": "coordinator"})
    assert cluster.done == [("pause", 1)]


def test_with_one_replica_there_is_no_follower_and_nothing_to_hold():
    cluster = Cluster(replicas=(2,))
    asked, _ = questions(cluster)
    for what in ("kill_broker", "hold_replication"):
        refused = asked(what, {**FRAME, "target": "follower"})["refused"]
        assert refused.startswith("t-0 has one replica, so there is no follower: create it with ")
    assert cluster.done == []


def test_leaders_move_and_say_from_whom_to_whom():
    cluster = Cluster()
    asked, _ = questions(cluster)
    answer = asked("move_leader", {**FRAME, "to": None})
    assert answer["note"] == ("leader of t-0: node 2 -> node 3, leader of t-1: node 2 -> node 3")
    refused = asked("move_leader", {**FRAME, "to": 2})["refused"]
    assert refused == "node 2 led t-0 already"
    assert cluster.done == [("move_leader", "t", n, None) for n in (0, 1)]


@pytest.mark.parametrize(
    ("target", "groups", "said"),
    [
        ("leader", [[2], [1, 3]], "node 2, leader of t-0, cut off from nodes 1, 3"),
        ("all", [[1], [2], [3]], "all brokers (nodes 1, 2, 3) cut off from each other"),
    ],
)
def test_brokers_are_cut_off_from_each_other(target, groups, said):
    cluster = Cluster()
    asked, _ = questions(cluster)
    assert asked("partition", {**FRAME, "target": target})["note"] == said
    assert cluster.done == [("isolate", groups)]


def test_replication_is_held_for_what_the_frame_carries_and_released():
    cluster = Cluster()
    asked, _ = questions(cluster)
    assert asked("hold_replication", FRAME)["done"]
    assert asked("release_replication", FRAME)["done"]
    assert cluster.done == [("hold", "t", 0), ("hold", "t", 1), ("release",)]


@pytest.mark.parametrize(
    ("what", "words", "then"),
    [
        ("kill_broker", {"restart_after": 0.0}, ("restart", 2)),
        ("power_loss", {"restart_after": 0.0}, ("restart", 2)),
        ("pause_broker", {"for_": 0.0}, ("resume", 2)),
        ("partition", {"for_": 0.0}, ("reunite",)),
    ],
)
def test_what_comes_later_comes(what, words, then):
    cluster = Cluster()
    asked, _ = questions(cluster)
    cluster.called.clear()
    asked(what, {"node": 2, **words})
    for timer in asked.brokers._timers:
        timer.join(10)
    assert cluster.done[-1] == then


def test_healing_comes_before_what_was_to_come_later():
    cluster = Cluster()
    asked, _ = questions(cluster)
    asked("pause_broker", {"node": 2, "for_": 1000.0})
    (timer,) = asked.brokers._timers
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
    for timer in asked.brokers._timers:
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
