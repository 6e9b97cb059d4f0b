"""Conversations of real clients with Apache Kafka, as they crossed a wire: the codec gives back the
same bytes and frames however they are cut, and understands every one of them."""

from __future__ import annotations

import struct
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fixtures.recording.reading import load, names, streams
from pytest_mqchaos.frames import Direction, Point
from pytest_mqchaos.wire.base import Interest
from pytest_mqchaos.wire.kafka.batch import header, patch, slices, sound
from pytest_mqchaos.wire.kafka.codec import KafkaCodec
from pytest_mqchaos.wire.kafka.entities import encode, read
from pytest_mqchaos.wire.kafka.replies import REFUSABLE, error_reply, reply_error_code

OUT, BACK = Direction.TO_BROKER, Direction.TO_CLIENT
NAMES = names()
SCENARIOS = {"produce", "idempotent", "compressed", "seek", "group", "admin", "transaction"}
INTERESTS = [{}, {"track": True}, {"track": True, "record": True}]
# librdkafka asks for all topics with three bytes behind the end of the request; Kafka lets it.
ALL_TOPICS = bytes.fromhex("00000015 0003 000d")
SHORT = 600  # bytes of a link that are cut at every place here; `wide` cuts all
LINKS = [(name, link, *said) for name in NAMES for link, said in streams(load(name)).items()]


@pytest.fixture(params=NAMES)
def recording(request):
    return load(request.param)


def frames_of(lines):
    """Every frame with its request, in order; the codec has learned every name that was said."""
    codec, scanners, frames = KafkaCodec(), {}, []
    for link, back, data in lines:
        scanner = scanners.setdefault(link, codec.scanner())
        scanner.look(Interest(track=True))
        scanner.every[:] = [True, True]
        cut = scanner.scan(Direction(back), bytearray(data), 0, len(data))
        assert cut.frame.raw == data
        cut.frame.link = link
        frames.append(cut.frame)
        if back:
            scanner.outstanding.popleft()
        codec.rewrite_addresses(cut.frame, lambda node, host, port: (host, port))
    return codec, frames


def fed(drive, link, cut, **interest):
    """What leaves both sides, and the frames, when each side's bytes are cut by `cut`."""
    scanner = KafkaCodec().scanner()
    scanner.look(Interest(**interest))
    out = [drive(scanner, way, cut(data)) for way, data in zip((OUT, BACK), link, strict=True)]
    found = [frame.raw for part in out for frame in part.decided]
    assert scanner.blind is None
    return [part.out for part in out], sorted(found), [frame.raw for frame in scanner.seen]


def answered(link):
    """Whether every request of a link was answered before it closed."""
    scanner = KafkaCodec().scanner()
    scanner.look(Interest(track=True))
    scanner.every[BACK] = True
    asked, told = link
    scanner.scan(OUT, bytearray(asked), 0, len(asked))
    at = 0
    while at < len(told):
        at = scanner.scan(BACK, bytearray(told), at, len(told)).parsed
        scanner.outstanding.popleft()
    return not scanner.outstanding


WHOLE = [(asked, told) for _, _, asked, told in LINKS if answered((asked, told))]


def test_each_client_has_each_conversation():
    found = {tuple(name.rsplit("-", 1)) for name in NAMES if not name.endswith("848")}
    clients = ("aiokafka", "confluent", "kafka-python")
    assert found == {(client, scenario) for client in clients for scenario in SCENARIOS}
    assert "confluent-group-848" in NAMES


def test_what_is_recorded_is_made_up():
    for name in NAMES:
        for line in load(name):
            assert b"127.0.0.1" in line.frame or b"localhost" not in line.frame
            assert not any(word in line.frame for word in (b"/home", b"/work", b"password"))


@pytest.mark.parametrize("interest", INTERESTS, ids=["nothing", "track", "record"])
def test_byte_by_byte_is_the_same_as_whole(recording, drive, interest):
    for link in streams(recording).values():
        whole = fed(drive, link, lambda data: [data], **interest)
        assert whole[0] == list(link)
        assert fed(drive, link, lambda data: [bytes([one]) for one in data], **interest) == whole


@pytest.mark.parametrize(
    "limit", [SHORT, pytest.param(1 << 20, marks=pytest.mark.wide)], ids=["short links", "all"]
)
def test_split_in_two_at_every_place(drive, limit):
    places = 0
    for _, _, asked, told in LINKS:
        link = asked[:limit], told[:limit]
        if max(map(len, (asked, told))) > limit:
            continue
        whole = fed(drive, link, lambda data: [data], track=True, record=True)
        for at in range(1, max(map(len, link))):
            places += 1
            halves = fed(drive, link, lambda d, at=at: [d[:at], d[at:]], track=True, record=True)
            assert halves == whole
    assert places > SHORT


@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_any_chunking_of_two_conversations_back_to_back(drive, data):
    """The second begins where the first ends, in the middle of a chunk; both sides are fed in
    turns, as they spoke."""
    which = st.integers(0, len(WHOLE) - 1)
    first, second = WHOLE[data.draw(which)], WHOLE[data.draw(which)]
    link = first[0] + second[0], first[1] + second[1]
    interest = data.draw(st.sampled_from(INTERESTS))
    sizes = data.draw(st.lists(st.integers(1, 4000), min_size=1, max_size=30))

    def cut(stream):
        chunks, at, number = [], 0, 0
        while at < len(stream):
            size = sizes[number % len(sizes)]
            chunks.append(stream[at : at + size])
            at, number = at + size, number + 1
        return chunks

    apart = [fed(drive, one, lambda d: [d], **interest) for one in (first, second)]
    together = fed(drive, link, cut, **interest)
    assert together[0] == list(link)
    assert together[1] == sorted(apart[0][1] + apart[1][1])
    assert Counter(together[2]) == Counter(apart[0][2] + apart[1][2])


def test_every_frame_is_understood_and_encodes_to_itself(recording):
    codec, frames = frames_of(recording)
    for frame in frames:
        said = codec.decode(frame)
        assert said.client == "app"
        assert said.undecoded is None
        if frame.name != "ApiVersions" or said.error != 35:  # that is told in another version
            body, odd = encode(read(frame)), frame.raw[:8] == ALL_TOPICS
            assert frame.raw.endswith(body + b"\1\0\0" if odd else body)


def test_addresses_that_are_mapped_there_and_back_are_the_same_bytes(recording):
    codec, frames = frames_of(recording)
    moved, homes = 0, []
    for frame in frames:
        raw = frame.raw
        assert codec.rewrite_addresses(frame, lambda _, host, port: (host, port)) in (None, raw)
        if frame.name == "ApiVersions" or frame.direction is OUT:
            continue
        frame.raw = (
            codec.rewrite_addresses(
                frame, lambda _, host, port: (homes.append((host, port)), ("elsewhere.test", 7))[1]
            )
            or raw
        )
        moved += frame.raw != raw
        assert codec.rewrite_addresses(frame, lambda *_: homes.pop(0)) in (None, raw)
    assert moved


def test_a_refusal_of_any_recorded_request_reads_as_one(recording):
    _, frames = frames_of(recording)
    asked = [frame for frame in frames if frame.direction is OUT and frame.name in REFUSABLE]
    assert asked
    for frame in asked:
        reply = error_reply(frame, 7, brokers=[(1, "h", 1)])
        assert reply[4:8] == struct.pack(">i", frame.correlation)
        nothing_named = reply_error_code(frame, reply) == 0
        assert reply_error_code(frame, reply) == 7 or nothing_named


def test_recorded_batches_are_sound_and_patched_to_themselves(recording):
    codec, frames = frames_of(recording)
    del codec
    for frame in frames:
        if frame.name != "Produce" or frame.direction is BACK:
            continue
        for topic in read(frame).topic_data:
            for part in topic.partition_data:
                blob = bytes(part.records)
                ((magic, start, end),) = slices(blob)
                batch = header(blob, start, end)
                assert magic == 2
                assert sound(blob, batch)
                assert patch(blob, producer_epoch=batch.producer_epoch) == blob
                there = patch(blob, base_sequence=77, leader_epoch=3)
                back = patch(
                    there, base_sequence=batch.base_sequence, leader_epoch=batch.leader_epoch
                )
                assert back == blob


def test_what_was_published_is_what_was_delivered():
    """Of each conversation that reads: every record read is one that was sent."""
    for name in NAMES:
        codec, frames = frames_of(load(name))
        said = [codec.decode(frame) for frame in frames]
        sent = {
            record.value for one in said if one.point is Point.PUBLISH for record in one.records
        }
        got = {record.value for one in said if one.point is Point.DELIVER for record in one.records}
        assert got <= sent
        assert sent or name.endswith("admin")
        assert got or not name.endswith(("seek", "group", "848", "transaction"))
        assert b"aborted" not in got
