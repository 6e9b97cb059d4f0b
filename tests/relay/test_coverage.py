"""Which messages an ack newly covers: several positions, several groups, an ack that was lost."""

from __future__ import annotations

from pytest_mqchaos.frames import Point, Position, Record, Sighting
from pytest_mqchaos.relay import coverage
from pytest_mqchaos.relay.arming import Candidate
from pytest_mqchaos.relay.coverage import Coverage


def ack(*spots, group="g"):
    positions = tuple(Position("t", partition, offset) for partition, offset in spots)
    return Sighting(point=Point.ACK, name="Ack", group=group, positions=positions)


def given(partition, *offsets):
    return tuple(Record("t", partition, offset, b"k", b"v") for offset in offsets)


def by_place(record):
    return Candidate(record, (), (record.partition, record.offset))


def places(found):
    return [candidate.identity for candidate in found]


def read(*records):
    cover = Coverage()
    cover.delivered("w", records, by_place)
    return cover


def test_an_ack_of_several_partitions_covers_what_was_given_of_each():
    cover = read(*given(1, 0, 1), *given(2, 5))
    found = cover.newly("w", ack((0, 9), (1, 2), (2, 6)))  # of the first nothing was given here
    assert places(found) == [(1, 0), (1, 1), (2, 5)]


def test_a_lost_ack_is_taken_back_as_far_as_the_one_before_it():
    cover = read(*given(0, 0, 1, 2, 3, 4))
    assert places(cover.newly("w", ack((0, 2)))) == [(0, 0), (0, 1)]
    assert places(cover.newly("w", ack((0, 5)))) == [(0, 2), (0, 3), (0, 4)]
    cover.lost("w", ack((0, 5)))
    assert places(cover.newly("w", ack((0, 5)))) == [(0, 2), (0, 3), (0, 4)]


def test_what_was_given_again_since_stays_open_when_the_ack_is_lost():
    cover = read(*given(0, 0, 1, 2))
    cover.newly("w", ack((0, 2)))
    cover.newly("w", ack((0, 3)))
    cover.delivered("w", given(0, 1), by_place)
    cover.lost("w", ack((0, 3)))
    assert places(cover.newly("w", ack((0, 3)))) == [(0, 1), (0, 2)]


def test_a_long_run_keeps_what_the_slowest_group_has_not_acked(monkeypatch):
    monkeypatch.setattr(coverage, "KEPT", 10)
    cover = read(*given(0, 0))
    next(iter(cover._places.values())).limit = 10
    cover.newly("w", ack((0, 1), group="slow"))
    cover.delivered("w", given(0, *range(1, 40)), by_place)
    cover.newly("w", ack((0, 40), group="fast"))
    assert len(places(cover.newly("w", ack((0, 40), group="slow")))) == 39


def test_a_group_without_a_name_is_one_of_its_own():
    cover = read(*given(0, 0, 1))
    assert places(cover.newly("w", ack((0, 1), group=None))) == [(0, 0)]
    assert places(cover.newly("w", ack((0, 2), group=None))) == [(0, 1)]
    cover.lost("w", ack((0, 2), group=None))
    assert places(cover.newly("w", ack((0, 2), group="g"))) == [(0, 0), (0, 1)]
    assert places(cover.newly("w", ack((0, 2), group=None))) == [(0, 1)]
