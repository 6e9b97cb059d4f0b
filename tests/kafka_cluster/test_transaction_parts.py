"""Parts of transactions by themselves: the index of a replica, epochs that run out, positions."""

from __future__ import annotations

from pytest_mqchaos.kafka_cluster.groups.offsets import Committed, Offsets
from pytest_mqchaos.kafka_cluster.internal_topics import slot
from pytest_mqchaos.kafka_cluster.logs.batches import place, read
from pytest_mqchaos.kafka_cluster.logs.control_batches import commits, coordinator_epoch, marker
from pytest_mqchaos.kafka_cluster.logs.transaction_index import TransactionIndex
from pytest_mqchaos.kafka_cluster.transactions.transaction import (
    LAST_EPOCH,
    Identity,
    Phase,
    Transaction,
)
from tests.kafka_cluster.talking import MS, Talker, batch, cluster
from tests.kafka_cluster.transacting import begin

TRANSACTIONAL = 0x10


def _end(producer, *, commit):
    return marker(producer_id=producer, epoch=0, commit=commit, coordinator_epoch=7, timestamp=1000)


def _seen(*steps):
    """An index that saw, one offset each: "a" data of producer 1, "b" of 2, "A+" commit of 1..."""
    index = TransactionIndex()
    for offset, step in enumerate(steps):
        producer = "ab".index(step[0].lower()) + 1
        if step.islower():
            one = read(batch(producer=producer, epoch=0, sequence=0, attributes=TRANSACTIONAL))
        else:
            one = _end(producer, commit=step.endswith("+"))
        index.observe(place(one, offset, 0))
    return index


def test_a_marker_says_what_it_is():
    for commit in (True, False):
        one = _end(5, commit=commit)
        assert (commits(one), coordinator_epoch(one)) == (commit, 7)
        assert (one.control, one.transactional, one.producer_id, one.records) == (True, True, 5, 1)
        assert read(one.raw) == one


def test_the_last_stable_offset_is_where_the_first_open_transaction_begins():
    assert _seen().last_stable(0) == 0
    assert _seen("a", "b").last_stable(2) == 0
    assert _seen("a", "b", "A+").last_stable(3) == 1
    assert _seen("a", "b", "A+", "B-").last_stable(4) == 4
    assert _seen("A+").last_stable(1) == 1  # ends nothing


def test_a_marker_that_is_not_replicated_decides_nothing():
    index = _seen("a", "A+", "b", "B-")
    assert [index.last_stable(high) for high in range(5)] == [0, 0, 2, 2, 4]


def test_aborted_transactions_are_told_to_who_reads_their_records():
    index = _seen("a", "A-", "b", "B+", "a", "A-")
    told = [[(one.first, one.marker) for one in index.aborted(at, 6)] for at in (0, 1, 2, 5)]
    assert told == [[(0, 1), (4, 5)], [(0, 1), (4, 5)], [(4, 5)], [(4, 5)]]
    assert [one.first for one in index.aborted(0, 4)] == [0]


def test_a_log_that_loses_its_end_gets_its_transactions_back():
    index = _seen("a", "A-", "a", "b", "A-", "B+")
    index.truncate_to(5)
    assert (index.last_stable(5), index.first_open(2), len(index.aborted(0, 5))) == (3, 3, 2)
    index.truncate_to(3)
    assert (index.last_stable(3), index.first_open(1), index.first_open(2)) == (2, 2, -1)
    index.truncate_to(1)
    assert (index.last_stable(1), index.first_open(1), index.aborted(0, 9)) == (0, 0, [])


def _worn_out():
    one = Transaction("id", 5, 1000, epoch=LAST_EPOCH)
    one.add({("t", 0)}, 0)
    return one


def test_an_epoch_that_runs_out_brings_a_new_producer_id():
    one = _worn_out()
    assert one.end_and_bump(True, Identity(5, LAST_EPOCH), 0, lambda: 9) == 0
    assert (one.identity, one.epoch, one.phase) == (Identity(9, 0), 32_767, Phase.PREPARE_COMMIT)
    assert one.end_and_bump(True, Identity(5, LAST_EPOCH), 0, lambda: 1) == 51
    one.complete()
    assert (one.identity, one.previous_id) == (Identity(9, 0), 5)
    assert one.end_and_bump(True, Identity(5, LAST_EPOCH), 0, lambda: 1) == 0  # the answer was lost
    assert one.end_and_bump(False, Identity(5, LAST_EPOCH), 0, lambda: 1) == 48
    assert one.identity == Identity(9, 0)


def test_whoever_comes_back_after_a_fence_of_the_last_epoch_gets_a_new_producer_id():
    one = _worn_out()
    one.fence(0)
    assert one.init(1000, None, lambda: 1) == 51
    one.complete()
    assert one.init(1000, None, lambda: 9) == 0
    assert one.identity == Identity(9, 0)
    assert one.init(1000, Identity(5, LAST_EPOCH), lambda: 1) == 90


def test_of_two_positions_the_later_one_wins_whenever_the_transaction_ends():
    offsets, at = Offsets(), slot("g")
    offsets.hold(1, "g", "t", 0, Committed(3))
    offsets.commit("g", "t", 0, Committed(4))
    offsets.hold(2, "g", "t", 1, Committed(8))
    assert offsets.unstable("g", "t", 0)
    offsets.end(1, at, commit=True)
    offsets.end(2, at, commit=True)
    assert (offsets.get("g", "t", 0).offset, offsets.get("g", "t", 1).offset) == (4, 8)
    assert not offsets.unstable("g", "t", 0)


def test_what_is_held_back_goes_with_its_topic_and_its_group():
    offsets = Offsets()
    for group, topic in (("g", "t"), ("g", "u"), ("h", "t")):
        offsets.hold(1, group, topic, 0, Committed(3))
    offsets.forget_topic("u")
    offsets.forget_group("h")
    for group in "gh":
        offsets.end(1, slot(group), commit=True)
    found = [
        offsets.get(group, topic, 0).offset for group, topic in (("g", "t"), ("g", "u"), ("h", "t"))
    ]
    assert found == [3, -1, -1]


def _listed(talker, version=2, **filters):
    values = {"state_filters": [], "producer_id_filters": [], "duration_filter": -1}
    values |= {"transactional_id_pattern": None}
    answer = talker.ask(66, version, **{**values, **filters})
    names = [one.transactional_id for one in answer.transaction_states]
    return int(answer.error_code), list(answer.unknown_state_filters), names


def test_an_operator_sees_transactions_and_their_producers():
    one = begin(Talker(cluster()), "seen")
    talker = one.talker
    assert (one.init(), one.produce(0, 2), one.end()) == ((0, 0), (0, 0), 0)
    assert one.produce(0) == (0, 3)
    asked = [
        {"name": one.topic, "partition_indexes": [0, 9]},
        {"name": "x", "partition_indexes": [0]},
    ]
    (parts, missing) = talker.ask(61, 0, topics=asked).topics
    (shown,) = parts.partitions[0].active_producers
    assert (shown.producer_epoch, shown.last_sequence, shown.coordinator_epoch) == (1, 0, 0)
    assert (shown.last_timestamp, shown.current_txn_start_offset) == (1000, 3)
    assert [int(each.error_code) for each in (parts.partitions[1], missing.partitions[0])] == [3, 3]
    assert _listed(talker) == (0, [], [one.name])
    assert _listed(talker, state_filters=["Ongoing", "odd"]) == (0, ["odd"], [one.name])
    assert _listed(talker, state_filters=["Empty"]) == (0, [], [])
    assert _listed(talker, producer_id_filters=[one.id + 1]) == (0, [], [])
    assert _listed(talker, transactional_id_pattern="id-s.*") == (0, [], [one.name])
    assert _listed(talker, transactional_id_pattern="d-s.*") == (0, [], [])
    assert _listed(talker, transactional_id_pattern="(") == (128, [], [])
    talker.now += 5 * MS
    assert _listed(talker, duration_filter=4) == (0, [], [one.name])
    assert _listed(talker, duration_filter=5) == (0, [], [])


def test_several_transactions_are_added_to_or_looked_at_in_one_request():
    one = begin(Talker(cluster()), "several")
    assert one.init() == (0, 0)
    topics = [{"name": one.topic, "partitions": [0]}]
    asked = {"transactional_id": one.name, "producer_id": one.id, "producer_epoch": 0}

    def codes(**more):
        given = asked | {"topics": topics} | more
        (answer,) = one.talker.ask(24, 5, transactions=[given]).results_by_transaction
        return [
            int(each.partition_error_code) for each in answer.topic_results[0].results_by_partition
        ]

    assert codes(verify_only=True) == [120]
    assert codes(verify_only=False) == [0]
    assert codes(verify_only=True) == [0]
    assert codes(verify_only=True, producer_epoch=3) == [90]
