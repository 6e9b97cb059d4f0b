"""The codec of docs/how-to/write-a-codec.md keeps the contract of wire/base.py."""

from types import SimpleNamespace

import pytest

from pytest_mqchaos.frames import Direction, Outcome, Point, Position
from pytest_mqchaos.wire.base import Interest
from tests.docs.pages import steps

OUT, BACK = Direction.TO_BROKER, Direction.TO_CLIENT
REQUESTS = b"PUB orders a one apple\nPUB orders b two\nNEXT orders\nACK orders g 1\n"
REPLIES = b"OK 0\nOK 1\nMSG 0 a one apple\nOK 1\n"
ALL = Interest(track=True, record=True)


@pytest.fixture(scope="module")
def page():
    (step,) = (s for s in steps("docs/how-to/write-a-codec.md") if s.do == "run by")
    names = {}
    exec(compile(step.text, "write-a-codec.md", "exec"), names)
    return SimpleNamespace(**names)


def passed(scanner, direction, data, size):
    """All that leaves when `data` comes in pieces of `size` bytes; held frames are let go."""
    buf, left = bytearray(), bytearray()
    for at in range(0, len(data), size):
        buf += data[at : at + size]
        start = 0
        while start < len(buf):
            cut = scanner.scan(direction, buf, start, len(buf))
            left += buf[start : cut.forward]
            if cut.frame is not None:
                left += cut.frame.raw
                if direction is BACK:
                    scanner.outstanding.popleft()
            elif cut.parsed == start:
                break
            start = cut.parsed
        del buf[:start]
    return bytes(left), bytes(buf)


def talk(page, size, interest=ALL):
    scanner = page.LineCodec().scanner()
    scanner.look(interest)
    return scanner, passed(scanner, OUT, REQUESTS, size), passed(scanner, BACK, REPLIES, size)


@pytest.mark.parametrize("size", [1, 2, 3, 5, 7, 11, 1000])
@pytest.mark.parametrize(
    "interest", [Interest(), ALL, Interest(track=True, requests=frozenset({"PUB"}))]
)
def test_every_chunking_gives_back_the_same_bytes(page, size, interest):
    scanner, requests, replies = talk(page, size, interest)
    assert (requests, replies) == ((REQUESTS, b""), (REPLIES, b""))
    assert not scanner.outstanding
    assert scanner.blind is None


@pytest.mark.parametrize("size", [1, 4, 1000])
def test_every_chunking_gives_the_same_frames(page, size):
    scanner, _, _ = talk(page, size)
    assert [frame.raw for frame in scanner.seen] == (REQUESTS + REPLIES).splitlines(keepends=True)
    assert [frame.request is not None for frame in scanner.seen] == [False] * 4 + [True] * 4


def test_what_is_asked_for_is_held_whole(page):
    scanner = page.LineScanner()
    scanner.look(Interest(track=True, requests=frozenset({"ACK"})))
    cut = scanner.scan(OUT, bytearray(REQUESTS), 0, len(REQUESTS))
    assert cut.frame.name == "ACK"
    assert REQUESTS[cut.forward : cut.parsed] == cut.frame.raw == b"ACK orders g 1\n"
    assert len(scanner.outstanding) == 4


def test_what_frames_mean(page):
    scanner, _, _ = talk(page, 1000)
    codec = page.LineCodec()
    publish, _, ask, ack, confirm, _, deliver, done = map(codec.decode, scanner.seen)
    assert (publish.point, publish.records[0].key, publish.records[0].value) == (
        Point.PUBLISH, b"a", b"one apple",
    )  # fmt: skip
    assert ask.point is Point.CONTROL
    assert (ack.point, ack.group, ack.positions) == (Point.ACK, "g", (Position("orders", 0, 1),))
    assert (confirm.point, confirm.outcomes) == (Point.CONFIRM, (Outcome("orders", 0, 0, 0),))
    assert (deliver.point, deliver.records[0].offset) == (Point.DELIVER, 0)
    assert done.point is Point.ACK_CONFIRM
    for point in Point:
        assert codec.requests_of(point) | codec.replies_of(point)


@pytest.mark.parametrize(
    ("direction", "data"), [(OUT, b"\x16\x03\x01 hello\n"), (BACK, b"OK 1\n"), (OUT, b"x" * 70000)]
)
def test_nonsense_makes_the_link_blind_and_leaves_all_the_same(page, direction, data):
    scanner = page.LineScanner()
    scanner.look(ALL)
    assert passed(scanner, direction, data, 4096)[0] == data
    assert scanner.blind
    assert passed(scanner, direction, b"more", 4)[0] == b"more"


def test_what_cannot_be_read_is_no_exception(page):
    scanner = page.LineScanner()
    scanner.look(ALL)
    passed(scanner, OUT, b"ACK orders g soon\n", 100)
    assert page.LineCodec().decode(scanner.seen[0]).undecoded
