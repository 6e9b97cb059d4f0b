"""The classic group protocol, request by request, on a clock of our own."""

from __future__ import annotations

import pytest

from tests.kafka_cluster.joining import REBALANCE, SESSION, Joiner, stable
from tests.kafka_cluster.talking import MS, Talker, cluster


@pytest.fixture
def brokers():
    brokers = cluster()
    Talker(brokers).create("t")
    return brokers


def _state(brokers):
    return Talker(brokers).ask(15, 5, groups=["g"]).groups[0].group_state


def test_a_new_member_must_come_back_with_its_id(brokers):
    joiner = Joiner(brokers, client="app")
    joiner.say_join()
    answer = joiner.joined()
    assert (answer.error_code, answer.member_id[:4], answer.members) == (79, "app-", ())
    joiner.say_join()
    answer = joiner.joined()
    assert (answer.error_code, answer.generation_id, answer.leader) == (0, 1, joiner.member)
    assert [(one.member_id, one.metadata) for one in answer.members] == [(joiner.member, b"r")]
    assert answer.protocol_name == "range"


def test_an_old_client_joins_at_once(brokers):
    joiner = Joiner(brokers)
    joiner.say_join(version=3)
    assert joiner.joined().error_code == 0


def test_two_members_get_what_the_leader_assigned(brokers):
    first, second = stable(brokers, 2)
    assert _state(brokers) == "Stable"
    assert (first.generation, second.generation) == (2, 2)
    assert (first.beat(), second.beat()) == (0, 0)


def test_only_the_leader_is_told_the_members(brokers):
    first, second = Joiner(brokers), Joiner(brokers)
    first.join()
    first.joined()
    second.join()
    assert first.beat() == 27
    first.say_join()
    assert len(first.joined().members) == 2
    assert second.joined().members == ()


def test_a_late_sync_waits_for_the_leader_and_a_rebalance_interrupts_it(brokers):
    first, second = stable(brokers, 2)
    third = Joiner(brokers)
    third.join()
    first.say_join()
    second.say_join()
    for one in (first, second, third):
        one.joined()
    second.say_sync()
    assert second.heard() == []
    assert second.cluster.state.groups.get("g").phase == "CompletingRebalance"
    assert third.leave() == 0
    assert second.synced() == (27, b"")
    first.say_sync()
    assert first.synced() == (27, b"")


def test_wrong_members_and_generations_are_told(brokers):
    (only,) = stable(brokers, 1)
    for code, values in ((25, {"member_id": "x"}), (22, {"generation_id": 9})):
        assert only.beat(**values) == code
        only.say_sync(**values)
        assert only.synced()[0] == code
    assert only.commit(member_id="x") == 25
    assert only.commit(generation_id_or_member_epoch=9) == 22
    assert only.beat(group_id="nobody") == 25
    stranger = Joiner(brokers)
    stranger.member = "x"
    stranger.say_join()
    assert stranger.joined().error_code == 25
    assert stranger.leave() == 25


def test_a_silent_member_is_out_after_its_session(brokers):
    first, second = stable(brokers, 2)
    assert first.beat(now=5_000 * MS) == 0
    brokers.wake(SESSION * MS)
    assert first.beat(now=SESSION * MS) == 27
    assert second.beat(now=SESSION * MS) == 25
    first.say_join()
    assert len(first.joined().members) == 1


def test_who_does_not_rejoin_is_out_after_the_rebalance_time(brokers):
    first, second = stable(brokers, 2)
    first.say_join()  # the leader wants a new generation
    for now in range(0, REBALANCE, 5_000):
        assert second.beat(now=now * MS) == 27
        brokers.wake(now * MS)
    assert first.heard() == []
    brokers.wake(REBALANCE * MS)
    assert len(first.joined().members) == 1
    assert second.beat(now=REBALANCE * MS) == 25


def test_who_joins_but_never_syncs_is_out_after_the_rebalance_time(brokers):
    first, second = stable(brokers, 2)
    first.say_join()
    second.say_join()
    for one in (first, second):
        one.joined()
    first.say_sync()
    first.synced()
    for now in range(5_000, REBALANCE, 5_000):
        for one in (first, second):
            assert one.beat(now=now * MS) == 0
    brokers.wake(REBALANCE * MS)
    assert (first.beat(), second.beat()) == (27, 25)


def test_a_member_that_never_came_back_with_its_id_is_forgotten(brokers):
    (first,) = stable(brokers, 1)
    ghost = Joiner(brokers)
    ghost.say_join()
    ghost.joined()
    first.say_join()  # rebalances, and waits for the ghost
    assert first.heard() == []
    brokers.wake(SESSION * MS)
    assert first.joined().error_code == 0
    ghost.say_join()
    assert ghost.joined().error_code == 25


def test_leaving_hands_over_at_once_and_the_last_leaves_it_empty(brokers):
    first, second = stable(brokers, 2)
    assert first.leave() == 0
    assert second.beat() == 27
    second.say_join()
    assert second.joined().leader == second.member
    assert second.leave() == 0
    assert _state(brokers) == "Empty"
    assert second.beat() == 25


def test_a_follower_that_asks_again_in_a_stable_group_disturbs_nobody(brokers):
    first, second = stable(brokers, 2)
    second.say_join()
    answer = second.joined()
    assert (answer.generation_id, answer.leader, answer.members) == (2, first.member, ())
    assert first.beat() == 0
    second.say_join(protocols=(("range", b"changed"),))
    assert second.heard() == []
    assert first.beat() == 27


def test_the_protocol_is_the_one_that_most_prefer_and_all_share(brokers):
    offers = (("a", "b", "c"), ("b", "c"), ("c", "b"))
    members = [Joiner(brokers) for _ in offers]
    for at, (member, names) in enumerate(zip(members, offers, strict=True)):
        member.join(protocols=[(name, b"") for name in names])
        for earlier, own in zip(members[:at], offers, strict=False):
            earlier.say_join(protocols=[(name, b"") for name in own])
        answers = [one.joined() for one in members[: at + 1]]
    assert {one.protocol_name for one in answers} == {"b"}
    odd = Joiner(brokers)
    odd.say_join(protocols=(("other", b""),))
    assert odd.joined().error_code == 23


def test_bad_joins_are_told(brokers):
    joiner = Joiner(brokers)
    for code, values in (
        (24, {"group_id": ""}),
        (26, {"session": 5_999}),
        (23, {"protocols": ()}),
        (23, {"protocol_type": ""}),
    ):
        joiner.say_join(**values)
        assert joiner.joined().error_code == code
    small = cluster(group_max_size=1)
    first, second = Joiner(small), Joiner(small)
    first.join()
    second.say_join()
    assert second.joined().error_code == 81


def test_the_first_generation_can_wait_for_more_members():
    brokers = cluster(group_initial_rebalance_delay_ms=3_000)
    first, second = Joiner(brokers), Joiner(brokers)
    first.join()
    brokers.wake(2_000 * MS)
    second.now = 2_000 * MS
    second.join()
    brokers.wake(3_000 * MS)
    assert first.heard() == []
    brokers.wake(6_000 * MS)
    assert (len(first.joined().members), second.joined().generation_id) == (2, 1)


@pytest.mark.parametrize(("software", "delay"), [("kafka-python", 150), ("librdkafka", 0)])
def test_a_first_generation_of_kafka_python_waits_until_it_knows_its_topics(software, delay):
    brokers = cluster()
    joiner = Joiner(brokers)
    named = {"client_software_name": software, "client_software_version": "3"}
    assert joiner.ask(18, 3, **named).error_code == 0
    joiner.join()
    if delay:
        brokers.wake((delay - 1) * MS)
        assert joiner.heard() == []
    brokers.wake(delay * MS)
    assert (joiner.joined().generation_id, joiner.generation) == (1, 1)
    joiner.now = delay * MS
    joiner.say_sync([(joiner.member, b"all")])
    assert joiner.synced() == (0, b"all")
    joiner.say_join()  # a leader that joins once more, by what it has learnt
    assert joiner.joined().generation_id == 2


def test_a_rebalance_timeout_of_the_oldest_version_is_the_session(brokers):
    first, second = Joiner(brokers), Joiner(brokers)
    first.say_join(version=0)
    first.joined()
    second.say_join(version=0)
    assert second.heard() == []
    assert first.beat(now=9_000 * MS) == 27
    brokers.wake(SESSION * MS)
    assert second.joined().leader == second.member


def test_a_group_that_does_not_exist_knows_no_member(brokers):
    joiner = Joiner(brokers)
    joiner.member = "x"
    joiner.say_join()
    assert joiner.joined().error_code == 25
    assert (joiner.beat(), joiner.leave()) == (25, 25)
    joiner.say_sync()
    assert joiner.synced() == (25, b"")
    assert joiner.ask(13, 2, group_id="g", member_id="x").error_code == 25


def test_a_member_may_leave_before_it_came_back_with_its_id(brokers):
    ghost = Joiner(brokers)
    ghost.say_join()
    ghost.joined()
    assert (ghost.leave(), ghost.leave()) == (0, 25)


def test_a_lost_join_answer_is_given_again(brokers):
    only = Joiner(brokers)
    only.join()
    first = only.joined()
    only.say_join()
    assert only.joined() == first


def test_a_lost_sync_answer_is_given_again(brokers):
    (only,) = stable(brokers, 1)
    only.say_sync()
    assert only.synced() == (0, b"c0")


def test_syncing_under_another_protocol_is_told(brokers):
    (only,) = stable(brokers, 1)
    for wrong in ({"protocol_name": "other"}, {"protocol_type": "connect"}):
        only.say_sync(**wrong)
        assert only.synced() == (23, b"")


def test_syncing_during_a_rebalance_is_told(brokers):
    first, second = stable(brokers, 2)
    first.say_join()
    second.say_sync()
    assert second.synced() == (27, b"")


def test_a_member_that_leaves_elsewhere_has_its_waiting_requests_answered(brokers):
    first, second = stable(brokers, 2)
    first.say_join()
    other = Joiner(brokers)
    other.member = first.member
    assert other.leave() == 0
    assert first.joined().error_code == 25
    second.say_join()
    assert second.joined().error_code == 0
    second.say_sync([], generation_id=second.generation)
    assert second.synced() == (0, b"")
