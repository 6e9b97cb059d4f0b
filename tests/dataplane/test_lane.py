"""A lane moves every byte once, in order, whatever the chunks and however slow the taker."""

import random

import pytest

from pytest_mqchaos.dataplane.buffers import SIZE, Pool
from pytest_mqchaos.dataplane.lane import Lane
from pytest_mqchaos.frames import Direction
from tests.dataplane.fakes import FakeEngine
from tests.dataplane.peers import frame


class Taker:
    """Takes at random a part, or nothing."""

    def __init__(self, dice=None):
        self.dice = dice
        self.got = bytearray()
        self.shut = False

    def send(self, data):
        if self.shut or (self.dice is not None and self.dice.random() < 0.4):
            raise BlockingIOError
        size = len(data) if self.dice is None else self.dice.randint(1, len(data))
        self.got += data[:size]
        return size


def make(mode, taker, pool=None):
    engine = FakeEngine(codec=None, sink=lambda data: None, address=None)
    engine.mode = mode
    link = engine.open("w", 1, 0)
    return link, Lane(link, Direction.TO_BROKER, taker.send, pool or Pool())


def put(lane, data):
    room = lane.room()
    room[: len(data)] = data
    lane.filled += len(data)
    lane.pump(0)


@pytest.mark.parametrize("mode", ["pass", "decide", "early"])
@pytest.mark.parametrize("seed", range(6))
def test_every_chunking_gives_the_same_bytes(mode, seed):
    dice = random.Random(seed)
    sizes = [dice.choice((0, 1, 7, 100, 5_000, 90_000, 600_000)) for _ in range(40)]
    stream = b"".join(frame(dice.randbytes(size)) for size in sizes)
    taker = Taker(dice)
    link, lane = make(mode, taker)
    at = 0
    while at < len(stream):
        size = dice.choice((1, 3, 500, 60_000))
        put(lane, stream[at : at + size])
        at += size
    for _ in range(10_000):
        if not lane.owes():
            break
        lane.pump(0)
    assert bytes(taker.got) == stream
    assert link.frames[0] == len(sizes)
    assert lane._buf is None  # given back


def test_a_swallowed_frame_takes_no_other_with_it():
    frames = [frame(bytes([n]) * n) for n in range(1, 21)]
    taker = Taker()
    _, lane = make("swallow", taker)
    put(lane, b"".join(frames))
    assert bytes(taker.got) == b"".join(frames[0::2])


def test_made_bytes_wait_for_the_end_of_a_frame_that_streams_through():
    taker = Taker()
    link, lane = make("pass", taker)
    whole, behind = frame(b"a" * 100), frame(b"behind")
    put(lane, whole[:50])
    link.out[0].append(b"MADE")
    lane.pump(0)
    assert bytes(taker.got) == whole[:50]
    put(lane, whole[50:] + behind)
    assert bytes(taker.got) == whole + b"MADE" + behind


def test_made_bytes_leave_at_once_between_frames():
    taker = Taker()
    link, lane = make("pass", taker)
    put(lane, frame(b"a"))
    link.out[0].append(b"MADE")
    lane.pump(0)
    assert bytes(taker.got) == frame(b"a") + b"MADE"


def test_made_bytes_leave_before_what_is_kept_back():
    taker = Taker()
    link, lane = make("decide", taker)
    put(lane, frame(b"a") + frame(b"half of me")[:6])
    link.out[0].append(b"MADE")
    lane.pump(0)
    put(lane, frame(b"half of me")[6:])
    assert bytes(taker.got) == frame(b"a") + b"MADE" + frame(b"half of me")


def test_a_paused_link_is_not_asked_and_goes_on_later():
    taker = Taker()
    link, lane = make("decide", taker)
    link.paused[0] = True
    put(lane, frame(b"one") + frame(b"two"))
    assert not taker.got
    link.paused[0] = False
    lane.pump(0)
    assert bytes(taker.got) == frame(b"one") + frame(b"two")


def test_a_cut_lane_sends_what_was_let_through_and_nothing_else():
    taker = Taker()
    _, lane = make("decide", taker)
    taker.shut = True
    put(lane, frame(b"let through") + frame(b"incomplete")[:9])
    assert lane.blocked
    lane.cut()
    taker.shut = False
    lane.pump(0)
    assert bytes(taker.got) == frame(b"let through")
    assert not lane.owes()


def test_a_huge_frame_grows_a_buffer_that_serves_the_next_one_and_no_small_one():
    pool = Pool()
    taker = Taker()
    _, lane = make("decide", taker, pool)
    huge = frame(b"x" * (3 * SIZE))
    for at in range(0, len(huge), 60_000):
        put(lane, huge[at : at + 60_000])
    assert bytes(taker.got) == huge
    assert all(len(buf) == SIZE for buf, _ in pool._free)
    (kept,) = [buf for buf, _ in pool._large if len(buf) >= len(huge)]
    for at in range(0, len(huge), 60_000):
        put(lane, huge[at : at + 60_000])
    assert bytes(taker.got) == huge * 2
    assert any(buf is kept for buf, _ in pool._large)
    assert len(pool._large) <= 4


def test_bytes_without_a_socket_take_the_same_way():
    taker = Taker()
    link, lane = make("decide", taker)
    big = b"".join(frame(b"y" * 100_000) for _ in range(7))
    lane.feed(big, 0)
    assert bytes(taker.got) == big
    assert link.frames[0] == 7
