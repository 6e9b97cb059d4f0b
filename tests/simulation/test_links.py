"""A client's end in memory says to a connection what a socket would have said."""

import pytest

from pytest_mqchaos.dataplane.loop import READ
from pytest_mqchaos.simulation.links import WireEnd


class Wire:
    """Remembers what is done to it."""

    client = ("127.0.0.1", 40_000)

    def __init__(self):
        self.done = []

    def send(self, data):
        self.done.append(data)

    def end(self):
        self.done.append("end")

    def reset(self):
        self.done.append("reset")

    def close(self):
        self.done.append("close")


class Reader:
    """A connection that reads all it is told of; `stop_at` is where it wants no more."""

    def __init__(self, room=64, stop_at=None):
        self.wire, self.soon, self.turns, self.got = Wire(), [], [], []
        self.end = WireEnd(self.wire, self.soon.append, lambda: self.turns.append(len(self.got)))
        self.end.join(self.ready)
        self.room, self.stop_at = bytearray(room), stop_at

    def ready(self, mask):
        assert mask == READ
        try:
            size = self.end.read_into(memoryview(self.room))
        except OSError as error:
            self.got.append(type(error))
            self.end.want(read=False, write=False)
            return
        self.got.append(bytes(self.room[:size]))
        if not size or len(self.got) == self.stop_at:
            self.end.want(read=False, write=False)


def test_what_comes_is_read_in_pieces_of_the_room_and_then_the_turn_comes():
    reader = Reader(room=4)
    reader.end.want(read=True, write=False)
    reader.end.received(b"0123456789")
    reader.end.received(b"ab")
    assert reader.got == [b"0123", b"4567", b"89", b"ab"]
    assert reader.turns == [3, 4]


def test_nothing_is_lost_while_reading_is_not_wanted():
    reader = Reader(stop_at=1)
    reader.end.want(read=True, write=True)
    reader.end.received(b"one")
    reader.end.received(b"two")
    reader.end.ended()
    assert reader.got == [b"one"]
    reader.stop_at = None
    reader.end.want(read=True, write=False)
    reader.end.want(read=True, write=False)
    assert len(reader.soon) == 1  # told on the loop's next turn, once
    reader.soon[0]()
    assert reader.got == [b"one", b"two", b""]


@pytest.mark.parametrize(("how", "last"), [("ended", b""), ("lost", ConnectionResetError)])
def test_the_end_comes_behind_the_last_bytes(how, last):
    reader = Reader()
    reader.end.received(b"last words")
    getattr(reader.end, how)()
    assert reader.got == []
    reader.end.want(read=True, write=False)
    reader.soon[0]()
    assert reader.got == [b"last words", last]


def test_reading_for_nothing_would_block():
    with pytest.raises(BlockingIOError):
        Reader().end.read_into(memoryview(bytearray(1)))


def test_what_is_sent_goes_whole_until_nobody_is_there():
    reader = Reader()
    assert reader.end.send(memoryview(b"all of it")) == 9
    reader.end.shutdown()
    assert reader.wire.done == [b"all of it", "end"]
    reader.end.lost()
    reader.end.shutdown()
    with pytest.raises(BrokenPipeError):
        reader.end.send(b"more")
    assert reader.wire.done == [b"all of it", "end"]


@pytest.mark.parametrize(("reset", "word"), [(True, "reset"), (False, "close")])
def test_it_is_closed_once_and_hears_nothing_more(reset, word):
    reader = Reader()
    reader.end.want(read=True, write=False)
    reader.end.close(reset=reset)
    reader.end.close(reset=not reset)
    reader.end.received(b"late")
    reader.end.want(read=True, write=False)
    assert reader.wire.done == [word]
    assert reader.got == reader.soon == []
    with pytest.raises(BrokenPipeError):
        reader.end.send(b"more")


def test_a_guest_has_a_port_and_can_be_sent_away():
    wire = Wire()
    guest = WireEnd(wire, print, lambda: None)
    guest.received(b"before anybody serves it")
    assert guest.port() == 40_000
    guest.close()
    assert wire.done == ["close"]
