"""What coverage keeps of what was given, for whom, and when it forgets it."""

from __future__ import annotations

from pytest_mqchaos.frames import Point, Position, Record, Sighting
from pytest_mqchaos.relay import coverage
from pytest_mqchaos.relay.arming import Candidate
from pytest_mqchaos.relay.coverage import Coverage


def position(offset, group="g"):
    spots = (Position("t", 0, offset),)
    return Sighting(point=Point.ACK, name="Ack", group=group, positions=spots)


def given(*offsets):
    return tuple(Record("t", 0, offset, b"k", b"v" * 100) for offset in offsets)


def slim(record):
    return Candidate(record, (), record.offset)


def numbers(found):
    return [candidate.identity for candidate in found]


def test_payloads_are_not_kept_unless_asked_for():
    cover = Coverage()
    cover.delivered("w", given(0), slim)
    assert cover.newly("w", position(1))[0].record.value is None
    cover.values = True
    cover.delivered("w", given(1), slim)
    assert cover.newly("w", position(2))[0].record.value == b"v" * 100


def test_a_long_run_forgets_what_every_group_has_acked(monkeypatch):
    monkeypatch.setattr(coverage, "KEPT", 10)
    cover = Coverage()
    place = None
    for offset in range(200):
        cover.delivered("w", given(offset), slim)
        assert numbers(cover.newly("w", position(offset + 1))) == [offset]
        place = place or next(iter(cover._places.values()))
    assert len(place.known) <= 4096
    place.limit = 10
    cover.newly("w", position(201))
    assert len(place.known) == 0
    cover.delivered("w", given(*range(300, 330)), slim)
    assert numbers(cover.newly("w", position(310))) == list(range(300, 310))
    assert sorted(place.known) == list(range(310, 330))
    assert place.limit == 40


def test_a_slow_group_keeps_what_it_has_not_acked():
    cover = Coverage()
    cover.delivered("w", given(0, 1, 2), slim)
    assert numbers(cover.newly("w", position(1, "slow"))) == [0]
    assert numbers(cover.newly("w", position(3, "fast"))) == [0, 1, 2]
    assert numbers(cover.newly("w", position(3, "slow"))) == [1, 2]


def test_taking_back_what_was_never_asked_changes_nothing():
    cover = Coverage()
    cover.lost("w", position(2))
    cover.delivered("w", given(0, 1), slim)
    cover.lost("w", position(2))
    assert numbers(cover.newly("w", position(2))) == [0, 1]
    cover.lost("w", position(2))
    assert numbers(cover.newly("w", position(2))) == [0, 1]
    assert numbers(cover.newly("w", position(2))) == []


def test_an_offset_that_was_given_to_another_message_counts_as_that_one():
    cover = Coverage()

    def by_value(record):
        return Candidate(record, (), record.value)

    old, new = given(5)[0], given(5)[0]._replace(value=b"new")
    cover.delivered("w", (old,), by_value)
    cover.delivered("w", (new,), by_value)
    assert numbers(cover.newly("w", position(6))) == [b"new"]
