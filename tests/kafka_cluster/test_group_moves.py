"""A group whose coordinator moved: what the next node knows of it, and what members are told."""

from __future__ import annotations

import pytest

from tests.kafka_cluster.joining import SESSION, Joiner, stable
from tests.kafka_cluster.talking import MS, Talker, cluster


@pytest.fixture
def brokers():
    brokers = cluster()
    Talker(brokers).create("t")
    return brokers


def _move(brokers, now=0):
    brokers.state.groups.moved(["g", "nobody"], now * MS)
    brokers.wake(now * MS)


def test_a_stable_group_goes_on_and_its_sessions_begin_anew(brokers):
    first, second = stable(brokers, 2)
    _move(brokers, now=9_000)
    brokers.wake(SESSION * MS)
    assert (first.beat(now=SESSION * MS), second.commit()) == (0, 0)
    second.say_sync(now=SESSION * MS)
    assert second.synced() == (0, b"c1")
    brokers.wake((9_000 + SESSION) * MS)
    assert second.beat(now=(9_000 + SESSION) * MS) == 25


def test_who_waits_is_told_and_the_round_is_forgotten(brokers):
    first, second = stable(brokers, 2)
    first.say_join()
    _move(brokers)
    assert first.joined().error_code == 16
    assert (first.beat(), second.beat()) == (0, 0)


def test_a_generation_that_was_never_assigned_is_forgotten(brokers):
    first, second = stable(brokers, 2)
    for one in (first, second):
        one.say_join(protocols=(("range", b"new"),))
    for one in (first, second):
        one.joined()
    second.say_sync()
    _move(brokers)
    assert second.synced() == (16, b"")
    assert second.beat() == 22
    second.say_join()
    assert second.joined().generation_id == 2
    second.say_sync()
    assert second.synced() == (0, b"c1")


def test_ids_that_were_given_out_are_unknown_afterwards(brokers):
    (only,) = stable(brokers, 1)
    ghost = Joiner(brokers)
    ghost.say_join()
    ghost.joined()
    _move(brokers)
    ghost.say_join()
    assert ghost.joined().error_code == 25
    only.say_join()  # and nobody waits for it
    assert only.joined().error_code == 0


def test_a_group_that_everybody_left_stays_empty(brokers):
    (only,) = stable(brokers, 1)
    assert only.leave() == 0
    _move(brokers)
    (group,) = Talker(brokers).ask(15, 5, groups=["g"]).groups
    assert (group.group_state, group.members) == ("Empty", ())
    assert only.beat() == 25


def test_static_members_keep_their_names(brokers):
    first, second = stable(brokers, 2, static=True)
    _move(brokers)
    again = Joiner(brokers)
    again.instance = "s1"
    again.say_join()
    assert (again.joined().generation_id, second.beat(), first.beat()) == (2, 82, 0)
