"""The newer consumer protocol (KIP-848), request by request, on a clock of our own."""

from __future__ import annotations

import pytest

from tests.kafka_cluster.beating import PATIENCE, Beater, settled
from tests.kafka_cluster.joining import Joiner, stable
from tests.kafka_cluster.talking import MS, Talker, cluster

SESSION = 45_000


@pytest.fixture
def brokers():
    brokers = cluster()
    Talker(brokers).create("t", partitions=4)
    return brokers


def _described(brokers):
    (group,) = Talker(brokers).ask(69, 1, group_ids=["g"]).groups
    return group


def test_a_first_member_has_everything_at_once(brokers):
    only = Beater(brokers, "a")
    answer = only.settle()
    assert (answer.error_code, answer.member_id, answer.member_epoch) == (0, "a", 2)
    assert only.owned == {0, 1, 2, 3}
    assert answer.heartbeat_interval.total_seconds() == 0.5
    assert only.beat(topic_partitions=None).assignment is None


def test_the_first_version_makes_an_id(brokers):
    answer = Beater(brokers, "").ask(
        68, 0, group_id="g", member_id="", member_epoch=0, rebalance_timeout=PATIENCE,
        subscribed_topic_names=["t"], topic_partitions=[],
    )  # fmt: skip
    assert (answer.error_code, len(answer.member_id)) == (0, 36)


def test_a_second_member_gets_nothing_before_the_first_gave_it_up(brokers):
    first, second = Beater(brokers, "a"), Beater(brokers, "b")
    first.settle()
    second.settle()
    assert (second.owned, second.epoch) == (set(), 3)
    first.beat()
    assert (len(first.told), first.epoch) == (2, 2)  # told, but it still has four
    second.settle()
    assert second.owned == set()
    assert _described(brokers).group_state == "Reconciling"
    first.owned = first.told
    first.beat()
    assert first.epoch == 3
    second.settle()
    assert (second.owned | first.owned, second.owned & first.owned) == ({0, 1, 2, 3}, set())
    assert _described(brokers).group_state == "Stable"


def test_who_does_not_give_up_in_time_is_out(brokers):
    first, second = Beater(brokers, "a"), Beater(brokers, "b")
    first.settle()
    second.settle()
    for now in range(0, PATIENCE, 10_000):
        first.beat(now=now * MS)
        second.settle(now=now * MS)
    brokers.wake(PATIENCE * MS)
    assert first.beat(now=PATIENCE * MS).error_code == 25
    assert settled(second) == [{0, 1, 2, 3}]


def test_a_silent_member_is_out_after_its_session(brokers):
    first, second = Beater(brokers, "a"), Beater(brokers, "b")
    first.settle()
    settled(first, second)
    second.beat(now=40_000 * MS)
    brokers.wake(SESSION * MS)
    second.now = SESSION * MS
    assert settled(second) == [{0, 1, 2, 3}]
    assert first.beat(now=SESSION * MS).error_code == 25


def test_leaving_hands_over_and_the_last_leaves_it_empty(brokers):
    first, second = Beater(brokers, "a"), Beater(brokers, "b")
    first.settle()
    settled(first, second)
    answer = first.leave()
    assert (answer.error_code, answer.member_epoch, answer.member_id) == (0, -1, "a")
    assert _described(brokers).group_state == "Assigning"
    assert settled(second) == [{0, 1, 2, 3}]
    assert first.leave().error_code == 25
    second.leave()
    group = _described(brokers)
    assert (group.group_state, group.members, group.group_epoch) == ("Empty", (), 5)


def test_epochs_that_are_not_its_own_fence_a_member(brokers):
    first, second = Beater(brokers, "a"), Beater(brokers, "b")
    first.settle()
    settled(first, second)
    assert first.beat(member_epoch=9).error_code == 110
    assert first.beat(member_epoch=1, topic_partitions=first.places({0, 1, 2, 3})).error_code == 110
    assert first.beat(member_epoch=0, rebalance_timeout=9, subscribed_topic_names=["t"],
                      topic_partitions=[]).error_code == 0  # fmt: skip
    assert first.beat(member_id="x").error_code == 25


def test_one_lost_answer_is_forgiven(brokers):
    first, second = Beater(brokers, "a"), Beater(brokers, "b")
    first.settle()
    settled(first, second)
    Talker(brokers).ask(37, 3, topics=[{"name": "t", "count": 6, "assignments": None}],
                        timeout=1000, validate_only=False)  # fmt: skip
    before = first.epoch
    first.beat()
    assert first.epoch == before + 1
    again = first.beat(member_epoch=before)
    assert (again.error_code, again.member_epoch) == (0, before + 1)


def test_more_partitions_and_other_topics_are_noticed_with_a_beat(brokers):
    first = Beater(brokers, "a")
    settled(first)
    Talker(brokers).create("u", partitions=2)
    first.topics = ["t", "u"]
    answer = first.beat(subscribed_topic_names=["t", "u"])
    assert sum(len(one.partitions) for one in answer.assignment.topic_partitions) == 6
    answer = first.beat(subscribed_topic_names=[], subscribed_topic_regex="u|nothing")
    (only,) = answer.assignment.topic_partitions
    assert only.partitions == (0, 1)
    first.owned = set()  # of "t"
    Talker(brokers).ask(20, 4, topic_names=["u"], timeout=1000)
    assert first.beat().assignment.topic_partitions == ()


def test_a_static_member_comes_back_to_what_it_had(brokers):
    first = Beater(brokers, "a", instance="one")
    second = Beater(brokers, "b", instance="two")
    first.settle()
    settled(first, second)
    assert first.beat(member_id="x").error_code == 82
    again = Beater(brokers, "c", instance="one")
    assert again.settle().error_code == 111
    assert first.leave(epoch=-2).member_epoch == -2
    epoch = _described(brokers).group_epoch
    assert again.settle().error_code == 0
    assert (again.owned, _described(brokers).group_epoch) == (first.owned, epoch)
    assert first.beat().error_code == 82
    assert Beater(brokers, "d", instance="nobody").beat(member_epoch=3).error_code == 25
    assert second.beat().error_code == 0


def test_commits_need_the_epoch_in_which_the_partition_was_given(brokers):
    first, second = Beater(brokers, "a"), Beater(brokers, "b")
    first.settle()
    settled(first, second)
    (kept, *_), (came, *_) = sorted(first.owned), sorted(second.owned)
    assert (first.commit(kept), second.commit(came)) == (0, 0)
    assert first.commit(kept, generation_id_or_member_epoch=first.epoch - 1) == 0  # KIP-1251
    assert second.commit(came, generation_id_or_member_epoch=second.epoch - 1) == 113
    assert first.commit(came, generation_id_or_member_epoch=first.epoch - 1) == 113
    assert first.commit(kept, generation_id_or_member_epoch=first.epoch + 1) == 113
    assert first.commit(kept, member_id="x") == 25
    assert first.commit(kept, version=8) == 35
    assert first.commit(kept, member_id="", generation_id_or_member_epoch=-1) == 25
    asked = {"group_id": "g", "topics": None, "member_id": "a", "member_epoch": 0}
    for more, code in ({}, 113), ({"member_epoch": first.epoch}, 0), ({"member_id": "x"}, 25):
        (group,) = first.ask(9, 9, groups=[{**asked, **more}]).groups
        assert group.error_code == code


def test_bad_beats_are_told(brokers):
    member = Beater(brokers, "a")
    for code, values in (
        (42, {"group_id": ""}),
        (42, {"instance_id": ""}),
        (42, {"rack_id": ""}),
        (42, {"member_id": ""}),
        (42, {"member_epoch": -3}),
        (42, {"member_epoch": -2}),
        (42, {"rebalance_timeout": -1}),
        (42, {"topic_partitions": None}),
        (42, {"subscribed_topic_names": None}),
        (112, {"server_assignor": "own"}),
        (128, {"subscribed_topic_regex": "("}),
        (69, {"member_epoch": 3}),
    ):
        answer = member.beat(**values)
        assert (answer.error_code, bool(answer.error_message)) == (code, True), values
    small = cluster(group_consumer_max_size=1)
    assert Beater(small, "a").settle().error_code == 0
    assert Beater(small, "b").settle().error_code == 81


def test_a_group_keeps_its_protocol_while_it_has_members(brokers):
    (classic,) = stable(brokers, 1)
    assert Beater(brokers, "a").settle().error_code == 69
    assert classic.leave() == 0
    modern = Beater(brokers, "a")
    assert modern.settle().error_code == 0
    late = Joiner(brokers)
    late.say_join()
    assert late.joined().error_code == 23
    late.member = "a"
    late.say_join()
    assert late.joined().error_code == 25
    assert late.beat() == 25
    assert late.leave() == 0  # as an administrator would
    assert modern.beat().error_code == 25
    late.member = ""
    late.join()
    assert late.joined().error_code == 0


def test_the_group_is_shown_in_its_own_words(brokers):
    member = Beater(brokers, "a", instance="one")
    member.settle(rack_id="r")
    group = _described(brokers)
    assert (group.group_state, group.group_epoch, group.assignment_epoch) == ("Stable", 2, 2)
    (shown,) = group.members
    assert (shown.member_id, shown.instance_id, shown.rack_id) == ("a", "one", "r")
    assert shown.subscribed_topic_names == ("t",)
    assert shown.assignment == shown.target_assignment
    (topic,) = shown.assignment.topic_partitions
    assert (topic.topic_name, topic.partitions) == ("t", (0, 1, 2, 3))
    (listed,) = member.ask(16, 5, states_filter=[], types_filter=["consumer"]).groups
    assert (listed.group_id, listed.group_type, listed.group_state) == ("g", "consumer", "Stable")
    assert member.ask(16, 5, states_filter=[], types_filter=["classic"]).groups == ()
    (old,) = member.ask(15, 6, groups=["g"], include_authorized_operations=False).groups
    assert (old.error_code, old.group_state) == (69, "Dead")
    assert [one.error_code for one in member.ask(42, 2, groups_names=["g"]).results] == [68]
    codes = [one.error_code for one in member.ask(69, 1, group_ids=["x"]).groups]
    assert codes == [69]


def test_a_move_begins_the_sessions_anew(brokers):
    first, second = Beater(brokers, "a"), Beater(brokers, "b")
    first.settle()
    second.settle()
    first.beat(now=0)
    brokers.state.groups.moved(["g"], 40_000 * MS)
    brokers.wake(SESSION * MS)
    assert second.beat(now=SESSION * MS).error_code == 0
    brokers.wake((40_000 + PATIENCE) * MS)  # what it lost it must still give up
    assert first.beat(now=(40_000 + PATIENCE) * MS).error_code == 25
    brokers.wake((SESSION + SESSION) * MS)
    assert _described(brokers).group_state == "Empty"
