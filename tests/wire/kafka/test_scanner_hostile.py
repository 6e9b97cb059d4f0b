"""Whatever arrives: no exception, no invention, and what nobody decided leaves byte for byte."""

from __future__ import annotations

import struct

from hypothesis import given
from hypothesis import strategies as st

from pytest_mqchaos.frames import Direction
from pytest_mqchaos.wire.base import Interest
from pytest_mqchaos.wire.kafka.codec import KafkaCodec
from pytest_mqchaos.wire.kafka.scanner import KafkaScanner

keys = st.one_of(st.sampled_from([0, 1, 3, 8, 11, 17, 18, 36, 999]), st.integers(-1, 32767))
frames = st.builds(
    lambda key, version, correlation, body: (
        struct.pack(">ihhi", len(body) + 8, key, version, correlation) + body
    ),
    keys,
    st.integers(-1, 20),
    st.integers(0, 5),
    st.binary(max_size=60),
)
replies = st.builds(
    lambda correlation, body: struct.pack(">ii", len(body) + 4, correlation) + body,
    st.integers(0, 5),
    st.binary(max_size=60),
)
streams = st.lists(st.one_of(frames, replies, st.binary(max_size=30)), max_size=8).map(b"".join)
names = st.frozensets(
    st.sampled_from(["Produce", "Fetch", "Metadata", "Heartbeat", "OffsetCommit"])
)
interests = st.builds(
    Interest, track=st.booleans(), record=st.booleans(), requests=names, replies=names
)
chunks = st.lists(st.tuples(st.booleans(), st.integers(1, 40)), max_size=40)


@given(
    interests,
    streams,
    streams,
    chunks,
    st.lists(st.booleans(), min_size=2, max_size=2),
    st.lists(st.tuples(st.integers(0, 39), interests), max_size=2),
)
def test_hostile_input(interest, out, back, plan, every, changes):
    scanner, codec = KafkaScanner(), KafkaCodec()
    scanner.look(interest)
    scanner.every[:] = every
    data = (out, back)
    fill, parsed, sent = [0, 0], [0, 0], [0, 0]
    left = [bytearray(), bytearray()]
    steps = [*plan, (False, len(out)), (True, len(back))]
    for number, (which, size) in enumerate(steps):
        for at, change in changes:
            if at == number:
                scanner.look(change)
        way = int(which)
        fill[way] = min(fill[way] + size, len(data[way]))
        buf = bytearray(data[way][: fill[way]])
        while parsed[way] <= fill[way]:
            cut = scanner.scan(Direction(way), buf, parsed[way], fill[way])
            assert parsed[way] <= cut.parsed
            assert sent[way] <= cut.forward <= fill[way]
            left[way] += buf[sent[way] : cut.forward]
            parsed[way], sent[way] = cut.parsed, cut.forward
            if cut.frame is None:
                break
            assert cut.frame.raw == buf[sent[way] : parsed[way]]
            codec.decode(cut.frame)
            codec.rewrite_addresses(cut.frame, lambda node, host, port: (host, port))
            left[way] += cut.frame.raw
            sent[way] = parsed[way]
        if parsed[way] > fill[way]:
            left[way] += buf[sent[way] :]
            sent[way] = fill[way]
    for way in (0, 1):
        assert left[way] == data[way][: len(left[way])]
        if scanner.blind and parsed[way] <= fill[way]:
            cut = scanner.scan(Direction(way), bytearray(data[way]), parsed[way], fill[way])
            assert cut == (fill[way], fill[way], None), "a blind link holds nothing back"
    for frame in scanner.seen:
        assert frame.raw in (out if frame.direction is Direction.TO_BROKER else back)
        codec.decode(frame)
