"""Conversations of real clients with Apache Kafka 4.3.1, as they crossed a wire.

A recording is text: "> " and a request in hex, "< " and a reply, each direction in its order.
"""

from __future__ import annotations

import itertools
import random
from pathlib import Path

import pytest

from pytest_mqchaos.frames import Direction, Point
from pytest_mqchaos.wire.base import Interest
from pytest_mqchaos.wire.kafka.codec import KafkaCodec
from pytest_mqchaos.wire.kafka.entities import encode, read

OUT, BACK = Direction.TO_BROKER, Direction.TO_CLIENT
RECORDINGS = sorted((Path(__file__).parent / "recordings").glob("*.txt"))


def load(path: Path) -> tuple[bytes, bytes]:
    lines = path.read_text(encoding="ascii").splitlines()
    return tuple(
        b"".join(bytes.fromhex(line[2:]) for line in lines if line.startswith(mark))
        for mark in ("> ", "< ")
    )


def pieces(data: bytes, seed: int) -> list[bytes]:
    dice = random.Random(seed)
    cuts = sorted({0, len(data), *(dice.randrange(len(data)) for _ in range(20))})
    return [data[a:b] for a, b in itertools.pairwise(cuts)]


@pytest.fixture(params=RECORDINGS, ids=lambda path: path.stem)
def recording(request) -> tuple[bytes, bytes]:
    return load(request.param)


def test_there_are_recordings_of_all_three_clients():
    assert {path.stem.rsplit("-", 2)[0] for path in RECORDINGS} == {
        "aiokafka",
        "confluent",
        "kafka-python",
    }


@pytest.mark.parametrize("record", [False, True])
def test_the_same_bytes_leave_however_they_are_cut(recording, drive, record):
    requests, replies = recording
    for seed in range(20):
        scanner = KafkaCodec().scanner()
        scanner.look(Interest(track=record, record=record))
        assert drive(scanner, OUT, pieces(requests, seed)).out == requests
        assert drive(scanner, BACK, pieces(replies, seed)).out == replies
        assert scanner.blind is None


def test_every_frame_is_understood_and_encodes_to_itself(recording, drive):
    requests, replies = recording
    codec = KafkaCodec()
    scanner = codec.scanner()
    scanner.look(Interest(track=True))
    scanner.every[:] = [True, True]
    frames = drive(scanner, OUT, [requests]).decided + drive(scanner, BACK, [replies]).decided
    assert frames
    for frame in frames:  # ids are learned first: a consumer's link may carry no metadata
        codec.rewrite_addresses(frame, lambda node, host, port: (host, port))
    for frame in frames:
        said = codec.decode(frame)
        assert said.client
        if frame.name == "ApiVersions" and said.error == 35:
            continue  # told in another version's form
        if said.undecoded and "has not been named" in said.undecoded:
            continue
        assert said.undecoded is None
        assert frame.raw.endswith(encode(read(frame)))


def test_mapping_addresses_to_themselves_changes_nothing(recording, drive):
    requests, replies = recording
    codec = KafkaCodec()
    scanner = codec.scanner()
    drive(scanner, OUT, [requests])
    for frame in drive(scanner, BACK, [replies]).decided:
        same = codec.rewrite_addresses(frame, lambda node, host, port: (host, port))
        if frame.name == "ApiVersions":
            assert same is None or len(same) == len(frame.raw)
        else:
            assert same in (None, frame.raw)


def test_what_was_published_and_delivered_is_found(drive):
    found = {Point.PUBLISH: 0, Point.DELIVER: 0, Point.ACK: 0}
    for path in RECORDINGS:
        codec = KafkaCodec()
        codec.topic_names = AnyName()
        scanner = codec.scanner()
        scanner.look(Interest(track=True, record=True))
        for direction, data in zip((OUT, BACK), load(path), strict=True):
            drive(scanner, direction, [data])
        for frame in scanner.seen:
            said = codec.decode(frame)
            assert said.undecoded is None
            if said.point in found:
                found[said.point] += len(said.records) + len(said.positions)
    assert all(found.values()), found


class AnyName(dict):
    """Topic ids of links that the recording leaves out."""

    def get(self, key, default=None):
        return super().get(key, "some-topic")
