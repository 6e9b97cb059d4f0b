"""What counts as movement (for how long a test waits until all is quiet), and what is written."""

from __future__ import annotations

import pytest

from pytest_mqchaos.frames import Direction, Frame, Outcome, Point, Position, Record, Sighting
from pytest_mqchaos.history.spool import read
from pytest_mqchaos.relay.recording import JOINED, SMALL, Recording
from tests.relay.toy import ToyCodec

TO_BROKER, TO_CLIENT = Direction.TO_BROKER, Direction.TO_CLIENT


def frame(name, direction=TO_CLIENT, *, size=10, t=7):
    return Frame(
        direction=direction, kind=0, version=0, correlation=1, name=name, raw=b"x" * size, t=t
    )


def said(point, **fields):
    return Sighting(point=point, name="any", **fields)


def moved(given, meaning):
    codec = ToyCodec()
    codec.decode = lambda frame: meaning  # also what is put aside is looked at in the end
    recording = Recording(codec, [].append)
    assert recording.moved() == 0
    recording.begin(1)
    recording.on = True
    recording.frame(given, "w", held=False, said=None)
    return recording.moved() == given.t


A_MESSAGE = said(Point.DELIVER, records=(Record("t", 0, 0, None, b"a"),))
NOTHING = said(Point.DELIVER)
TORN = said(Point.ACK_CONFIRM, undecoded="torn")


@pytest.mark.parametrize(
    ("given", "meaning", "expected"),
    [
        (frame("Publish", TO_BROKER), NOTHING, True),
        (frame("Fetch"), A_MESSAGE, True),
        (frame("Fetch"), NOTHING, False),
        (frame("Fetch", size=SMALL), NOTHING, False),
        (frame("Fetch", size=SMALL + 1), NOTHING, True),  # not looked into: it must hold messages
        (frame("Fetch", TO_BROKER, size=SMALL + 1), NOTHING, False),
        (frame("Ack", size=SMALL + 1), NOTHING, False),
        (frame("Ack"), TORN, False),  # a reply to an ack moves nothing, whatever it says
        (frame("Ping", TO_BROKER), TORN, False),
        (frame("Ack", TO_BROKER), said(Point.ACK, positions=(Position("t", 0, 0),)), True),
        (frame("Ack", TO_BROKER), said(Point.ACK, positions=(Position("t", 0, -1),)), False),
        (frame("Ack", TO_BROKER), said(Point.ACK, undecoded="torn"), True),
        (frame("Ack"), said(Point.ACK_CONFIRM, outcomes=(Outcome("t", 0, 0),)), False),
    ],
)
def test_what_moves(given, meaning, expected):
    assert moved(given, meaning) is expected


@pytest.mark.parametrize("size", [10, JOINED, JOINED + 1])
def test_a_frame_is_written_whole(size):
    packed = []
    recording = Recording(ToyCodec(), packed.append)
    recording.on = True
    recording.frame(frame("Ping", size=size), "w", held=False)
    (entry,) = read(b"".join(packed))
    assert entry.raw == b"x" * size


def test_names_of_topics_are_told_once():
    packed, codec = [], ToyCodec()
    recording = Recording(codec, packed.append)
    recording.on = True
    for _ in range(2):
        codec.topic_names[b"\x01"] = "t"
        recording.topics(5)
    (entry,) = read(b"".join(packed))
    assert entry.body == {"note": "topics", "names": {"01": "t"}}


def test_nothing_is_written_before_a_run():
    packed = []
    recording = Recording(ToyCodec(), packed.append)
    recording.note({"note": "x"}, 1)
    assert packed == []
