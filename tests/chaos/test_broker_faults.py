"""Which node a rule means, what is done to it, what is put on record, and what comes later."""

import re

import pytest

from pytest_mqchaos.chaos.pace import done
from pytest_mqchaos.chaos.questions import Questions
from pytest_mqchaos.errors import Impossible, UsageError
from tests.chaos.doubles import Cluster, Crew, questions

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
    assert refused == "node 2 led t-0 already; node 2 led t-1 already"
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


def test_what_befell_brokers_is_put_on_record():
    notes = []
    asked = Questions(
        crew=Crew(), broker=Cluster(), trouble=pytest.fail, note=lambda *, body: notes.append(body)
    )
    asked("kill_broker", {**FRAME, "target": "all"})
    asked("partition", FRAME)
    asked.heal()
    assert [(each["note"], each["who"], each["what"]) for each in notes] == [
        ("broker", "node 1", "killed"),
        ("broker", "node 2", "killed"),
        ("broker", "node 3", "killed"),
        ("broker", "node 2", "cut off from nodes 1, 3"),
        ("broker", "brokers", "healed"),
    ]


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
    for timer in asked.brokers.due.timers:
        timer.join(10)
    assert cluster.done[-1] == then


def test_what_is_to_last_for_a_time_is_let_run_out():
    cluster = Cluster()
    asked, _ = questions(cluster)
    done(asked.brokers.due.run_out())
    asked("pause_broker", {"node": 2, "for_": 0.05})
    done(asked.brokers.due.run_out())
    assert cluster.done == [("pause", 2), ("resume", 2)]


class Busy(Cluster):
    """Node 2 is paused already, and says so."""

    def _do(self, *what):
        if what[-1] == 2:
            raise Impossible("node 2 is paused; only one that is up can be paused.")
        super()._do(*what)


def test_what_is_down_already_is_no_trouble():
    cluster = Busy()
    asked, troubles = questions(cluster)
    refused = asked("kill_broker", {**FRAME, "restart_after": 0.0})
    assert refused == {"refused": "node 2 is paused; only one that is up can be paused."}
    assert asked.brokers.due.timers == []
    assert asked("kill_broker", {**FRAME, "target": "all"})["done"]
    assert cluster.done == [("kill", 1), ("kill", 3)]
    assert troubles == []


def test_what_no_broker_could_do_is_trouble():
    """As a node that the broker itself does not know: somebody of us is wrong."""
    asked, troubles = questions(Cluster(error=UsageError("there is no node 2")))
    assert asked("kill_broker", FRAME) == {"refused": "there is no node 2"}
    assert troubles == ["kill_broker: there is no node 2"]


def test_a_leader_that_nobody_could_follow_stays_and_is_no_trouble():
    asked, troubles = questions(Cluster(error=Impossible("none besides it is in sync")))
    assert asked("move_leader", FRAME)["refused"].startswith("none besides it is in sync")
    assert troubles == []


def test_leaders_move_where_they_can():
    class Half(Cluster):
        def move_leader(self, topic, partition, to=None):
            if partition == 1:
                raise Impossible("none besides it is in sync")
            return super().move_leader(topic, partition, to)

    asked, troubles = questions(Half())
    assert asked("move_leader", FRAME)["note"] == "leader of t-0: node 2 -> node 3"
    assert troubles == []


def test_nor_is_an_end_that_another_fault_has_brought():
    """Its node was started, and stands still again, before its own restart is due."""
    cluster = Busy()
    asked, troubles = questions(cluster)
    asked.brokers.due.later(0.0, lambda: asked.brokers._start([2]), "restart")
    for timer in asked.brokers.due.timers:
        timer.join(10)
    assert cluster.done == troubles == []
