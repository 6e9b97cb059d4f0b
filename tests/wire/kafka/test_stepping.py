"""Stepping over frames by their length: where it stops, and that nonsense is still found."""

import struct

import pytest

from pytest_mqchaos.frames import Direction
from pytest_mqchaos.wire.base import Interest
from pytest_mqchaos.wire.kafka.apis import APIS, FETCH, HEARTBEAT, METADATA, PRODUCE
from pytest_mqchaos.wire.kafka.levels import levels
from pytest_mqchaos.wire.kafka.scanner import KafkaScanner
from pytest_mqchaos.wire.kafka.stepping import over_replies, over_requests

OUT, BACK = Direction.TO_BROKER, Direction.TO_CLIENT
PLAIN = levels(Interest()).looked_at


def request(key, version, size=40):
    return struct.pack(">ihhih", size - 4, key, version, 7, -1).ljust(size, b"\0")


def reply(size=30):
    return struct.pack(">ii", size - 4, 7).ljust(size, b"\0")


def step(*frames):
    data = b"".join(frames)
    return over_requests(data, 0, len(data) - 12, PLAIN), len(data)


@pytest.mark.parametrize(
    ("key", "version"), [(HEARTBEAT, 4), (PRODUCE, 9), (FETCH, 15), (HEARTBEAT, -1)]
)
def test_what_nobody_wants_is_stepped_over(key, version):
    at, size = step(request(key, version), request(key, version, 99))
    assert at == size


@pytest.mark.parametrize(
    ("key", "version"),
    [(METADATA, 0), (PRODUCE, 10), (FETCH, 16), (max(APIS) + 1, 0), (0x7FFF, 0), (-1, 0)],
)
def test_it_stops_where_a_frame_is_to_be_looked_at(key, version):
    at, _ = step(request(HEARTBEAT, 4), request(key, version), request(HEARTBEAT, 4))
    assert at == 40


def test_the_rest_of_a_frame_may_lie_behind_the_buffer():
    data = request(HEARTBEAT, 4) + request(HEARTBEAT, 4, 1000)[:20]
    assert over_requests(data, 0, len(data) - 12, PLAIN) == 1040
    assert over_replies(reply() + reply(500)[:8], 0, 30) == 530


@pytest.mark.parametrize("size", [7, 3, 0, -1, -(2**31), 2**31 - 1, (1 << 30) + 1])
@pytest.mark.parametrize("before", [0, 1, 3])
def test_a_length_without_sense_is_left_to_be_found(size, before):
    bad = struct.pack(">i", size) + request(HEARTBEAT, 4)[4:]
    made = KafkaScanner()
    head = request(HEARTBEAT, 4) * before
    if before:
        assert step(head, bad)[0] == 40 * before
    made.scan(OUT, request(HEARTBEAT, 4), 0, 40)
    cut = made.scan(OUT, head + bad, 0, len(head + bad))
    assert f"a request of {size} bytes" in made.blind
    assert cut == (len(head + bad), len(head + bad), None)


@pytest.mark.parametrize("size", [3, 0, -1, -(2**31), (1 << 30) + 1])
@pytest.mark.parametrize("before", [0, 1, 3])
def test_nor_is_one_of_a_reply(size, before):
    bad = struct.pack(">i", size) + reply()[4:]
    made = KafkaScanner()
    made.scan(OUT, request(HEARTBEAT, 4), 0, 40)
    data = reply() * before + bad
    assert over_replies(data, 0, len(data) - 8) == 30 * before
    made.scan(BACK, data, 0, len(data))
    assert f"a reply of {size} bytes" in made.blind
