"""Static members (KIP-345), request by request: a name outlives its ids."""

from __future__ import annotations

import pytest

from tests.kafka_cluster.joining import REBALANCE, SESSION, Joiner, stable
from tests.kafka_cluster.talking import MS, Talker, cluster


@pytest.fixture
def brokers():
    brokers = cluster()
    Talker(brokers).create("t")
    return brokers


def _named(brokers, instance):
    joiner = Joiner(brokers)
    joiner.instance = instance
    return joiner


def test_a_static_member_joins_at_once_under_its_name(brokers):
    joiner = _named(brokers, "one")
    joiner.say_join()
    answer = joiner.joined()
    assert (answer.error_code, answer.generation_id, answer.skip_assignment) == (0, 1, False)
    assert answer.member_id.startswith("one-")
    assert [one.group_instance_id for one in answer.members] == ["one"]


def test_a_follower_that_comes_back_takes_its_place_without_a_rebalance(brokers):
    first, second = stable(brokers, 2, static=True)
    again = _named(brokers, "s1")
    again.say_join()
    answer = again.joined()
    assert (answer.error_code, answer.generation_id) == (0, 2)
    assert answer.member_id != second.member
    assert (answer.leader, answer.members) == (first.member, ())
    again.say_sync()
    assert again.synced() == (0, b"c1")
    assert first.beat() == 0


def test_who_still_uses_the_old_id_is_fenced(brokers):
    _, old = stable(brokers, 2, static=True)
    new = _named(brokers, "s1")
    new.say_join()
    new.joined()
    assert (old.beat(), old.commit(), old.leave()) == (82, 82, 82)
    old.say_sync()
    assert old.synced() == (82, b"")
    old.say_join()
    assert old.joined().error_code == 82
    assert old.beat(group_instance_id=None) == 25
    assert (new.beat(), new.commit()) == (0, 0)


def test_the_old_ones_waiting_requests_are_fenced(brokers):
    first, old = stable(brokers, 2, static=True)
    old.say_join(protocols=(("range", b"changed"),))
    assert old.heard() == []
    new = _named(brokers, "s1")
    new.say_join()
    assert old.joined().error_code == 82
    first.say_join()
    assert len(first.joined().members) == 2
    new.joined()
    new.say_sync()
    newer = _named(brokers, "s1")
    newer.say_join()
    assert new.synced() == (82, b"")
    assert first.beat() == 27  # before everybody synced a newcomer means a new generation


@pytest.mark.parametrize("version", [8, 9])
def test_a_leader_that_comes_back_may_look_but_not_assign(brokers, version):
    first, second = stable(brokers, 2, static=True)
    again = _named(brokers, "s0")
    again.say_join(version=version)
    answer = again.joined()
    if version == 9:  # KIP-814
        assert (answer.leader, answer.skip_assignment) == (again.member, True)
        assert {one.group_instance_id for one in answer.members} == {"s0", "s1"}
    else:
        assert (answer.leader, answer.members) == (first.member, ())
    again.say_sync()
    assert again.synced() == (0, b"c0")
    assert second.beat() == 0


def test_another_protocol_of_one_that_comes_back_means_a_rebalance(brokers):
    both = (("range", b"r"), ("other", b"o"))
    first = _named(brokers, "one")
    first.say_join(protocols=both)
    first.joined()
    first.say_sync()
    first.synced()
    again = _named(brokers, "one")
    again.say_join(protocols=(("other", b"o"),))
    assert (again.joined().generation_id, again.generation) == (2, 2)


def test_a_silent_static_member_is_out_after_its_session_only(brokers):
    first, second = stable(brokers, 2, static=True)
    first.say_join()  # the leader wants a new generation; the other does not come
    for now in range(0, SESSION, 4_000):
        brokers.wake(now * MS)
    assert first.heard() == []
    brokers.wake(SESSION * MS)
    assert [one.group_instance_id for one in first.joined().members] == ["s0"]
    assert second.beat(now=SESSION * MS) == 25


def test_who_only_beats_stays_a_static_member_but_does_not_lead(brokers):
    """It is not thrown out when the time to join again is over; who came back leads."""
    first, second = stable(brokers, 2, static=True)
    second.say_join(protocols=(("range", b"changed"),))
    for now in range(0, REBALANCE, 5_000):
        assert first.beat(now=now * MS) == 27
        brokers.wake(now * MS)
    brokers.wake(REBALANCE * MS)
    answer = second.joined()
    assert (answer.leader, len(answer.members)) == (second.member, 2)
    assert first.beat(now=REBALANCE * MS) == 22


def test_a_round_that_nobody_joined_is_waited_for_again(brokers):
    first, second = stable(brokers, 2, static=True)
    third = Joiner(brokers)
    third.join()
    beside = Joiner(brokers)  # the third's own connection waits
    beside.member = third.member
    assert beside.leave() == 0
    assert third.joined().error_code == 25
    for now in range(0, REBALANCE + 1, 5_000):
        brokers.wake(now * MS)
        assert {one.beat(now=now * MS) for one in (first, second)} == {27}
    second.say_join()
    first.say_join()
    assert {one.joined().generation_id for one in (first, second)} == {3}


def test_leaving_by_name_and_in_a_batch_is_one_rebalance(brokers):
    first, *others = stable(brokers, 4, static=True)
    members = [
        {"member_id": "", "group_instance_id": "s1"},
        {"member_id": others[1].member, "group_instance_id": "s2"},
        {"member_id": "x", "group_instance_id": "s3"},
        {"member_id": "", "group_instance_id": "nobody"},
        {"member_id": "", "group_instance_id": None},
    ]
    answer = Talker(brokers).ask(13, 5, group_id="g", members=members)
    assert [one.error_code for one in answer.members] == [0, 0, 82, 25, 25]
    assert [one.group_instance_id for one in answer.members[:2]] == ["s1", "s2"]
    first.say_join()
    others[2].say_join()
    assert (first.joined().generation_id, others[2].joined().generation_id) == (5, 5)


def test_a_described_group_names_its_static_members(brokers):
    stable(brokers, 1, static=True)
    (group,) = Talker(brokers).ask(15, 5, groups=["g"]).groups
    assert [one.group_instance_id for one in group.members] == ["s0"]


def test_an_id_that_was_given_out_is_no_static_members(brokers):
    ghost = Joiner(brokers)
    ghost.say_join()
    ghost.joined()
    ghost.instance = "one"
    ghost.say_join()
    assert ghost.joined().error_code == -1
