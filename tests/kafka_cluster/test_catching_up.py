"""Where two logs part, and becoming level: by epochs, not watermarks (KIP-101, KIP-279)."""

from __future__ import annotations

import pytest

from pytest_mqchaos.kafka_cluster.logs.batches import place, read
from pytest_mqchaos.kafka_cluster.logs.epochs import Epochs
from pytest_mqchaos.kafka_cluster.replicas.catching_up import catch_up, parting
from pytest_mqchaos.kafka_cluster.replicas.replica import Replica
from tests.kafka_cluster.talking import batch


def replica(node, *terms):
    """A replica whose log holds `count` one-record batches of each (epoch, count)."""
    made = Replica(node)
    for epoch, count in terms:
        made.epochs.note(epoch, made.log.end)
        for at in range(count):
            raw = batch(time=1000 * epoch + at, producer=epoch, epoch=0, sequence=at)
            made.append(place(read(raw), made.log.end, epoch), 0)
    return made


def stored(one):
    return [(each.base, each.leader_epoch) for each in one.log.batches()]


@pytest.mark.parametrize(
    ("follower", "leader", "end"),
    [
        ([(0, 3)], [(0, 3)], 3),
        ([(0, 5)], [(0, 3), (1, 4)], 3),
        ([(0, 2)], [(0, 3), (1, 4)], 2),
        ([(0, 2), (1, 3)], [(0, 4), (2, 1)], 2),  # KIP-279: shorter where they part
        ([(0, 4), (1, 3)], [(0, 2), (2, 9)], 2),
        ([(0, 1), (1, 1), (3, 5)], [(0, 1), (2, 5), (4, 1)], 1),
        ([(1, 2)], [(2, 3)], 0),
        ([], [(0, 3)], 0),
    ],
)
def test_logs_part_where_their_epochs_do(follower, leader, end):
    follower, leader = replica(1, *follower), replica(2, *leader)
    assert parting(follower, leader) == end
    catch_up(follower, leader, 0)
    assert stored(follower) == stored(leader)
    assert follower.log.end == leader.log.end
    known = {one for one in range(9) if follower.producers.judge(_next(one, leader)) is not None}
    assert known == set(range(9))


def _next(producer, leader):
    count = sum(1 for each in leader.log.batches() if each.producer_id == producer)
    return read(batch(producer=producer, epoch=0, sequence=count))


def test_a_follower_behind_the_leaders_start_begins_there_anew():
    follower, leader = replica(1, (0, 2)), replica(2, (0, 9))
    leader.learn(9, 0)
    leader.delete_before(5)
    catch_up(follower, leader, 0)
    assert stored(follower) == stored(leader)
    assert (follower.log.start, follower.log.end) == (5, 9)


def test_what_was_dropped_is_no_duplicate_when_it_comes_again():
    follower, leader = replica(1, (0, 5)), replica(2, (0, 3))
    fourth = read(batch(time=3, producer=0, epoch=0, sequence=3))
    assert follower.producers.judge(fourth).base == 3
    catch_up(follower, leader, 0)
    assert follower.producers.judge(fourth) == 0


def test_producers_whose_records_were_deleted_are_remembered_through_a_truncation():
    one = replica(1, (0, 3), (1, 3))
    one.learn(6, 0)
    one.delete_before(3)
    one.truncate_to(4)
    again = read(batch(time=2, producer=0, epoch=0, sequence=2))
    assert one.producers.judge(again).base == 2
    assert (one.log.end, one.high_watermark, one.epochs.latest) == (4, 4, 1)


def test_an_epoch_without_records_leaves_no_trace():
    epochs = Epochs()
    for epoch, start in ((0, 0), (1, 4), (2, 4), (1, 9)):
        epochs.note(epoch, start)
    assert [epochs.end_of(epoch, 6) for epoch in (-1, 0, 1, 2, 3)] == [
        (-1, -1), (0, 4), (0, 4), (2, 6), (-1, -1)
    ]  # fmt: skip
    assert [epochs.at(offset) for offset in (0, 3, 4, 9)] == [0, 0, 2, 2]
    epochs.truncate_to(0)
    assert epochs.latest == epochs.at(0) == -1
