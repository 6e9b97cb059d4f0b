"""Bodies that are remembered: the same bytes are one body, and nothing else is."""

import pytest

from pytest_mqchaos.wire.kafka import bodies
from pytest_mqchaos.wire.kafka.apis import KEYS
from pytest_mqchaos.wire.kafka.compression import Unreadable
from pytest_mqchaos.wire.kafka.entities import read, write_reply, write_request

GROUP = {"group_id": "g", "generation_id": 3, "member_id": "m"}


def heartbeat(version=3, **changed):
    return write_request(KEYS["Heartbeat"], version, 7, "client", {**GROUP, **changed})


def test_the_same_bytes_are_read_once(frame_of):
    first, second = (read(frame_of("Heartbeat", 3, heartbeat())) for _ in range(2))
    assert second is first
    assert (first.group_id, first.generation_id, first.member_id) == ("g", 3, "m")


def test_other_bytes_versions_and_directions_are_other_bodies(frame_of):
    said = read(frame_of("Heartbeat", 3, heartbeat()))
    assert read(frame_of("Heartbeat", 3, heartbeat(generation_id=4))).generation_id == 4
    assert type(read(frame_of("Heartbeat", 2, heartbeat(2)))) is not type(said)
    raw = write_reply(KEYS["Heartbeat"], 3, 7, {"error_code": 27, "throttle_time": 0})
    told = read(frame_of("Heartbeat", 3, raw, reply=True))
    assert told.error_code == 27
    assert type(told) is not type(said)


def test_a_long_frame_is_read_each_time(frame_of):
    raw = heartbeat(member_id="m" * 2000)
    first, second = (read(frame_of("Heartbeat", 3, raw)) for _ in range(2))
    assert first == second
    assert second is not first


def test_what_cannot_be_read_is_told_each_time(frame_of):
    torn = frame_of("Heartbeat", 3, heartbeat()[:-2])
    for _ in range(2):
        with pytest.raises(Unreadable, match=r"^Heartbeat v3: it ends inside a value"):
            read(torn)


def test_the_correlation_id_makes_no_other_body(frame_of):
    asked = (write_request(KEYS["Heartbeat"], 3, n, "client", GROUP) for n in (7, 8))
    first, second = (read(frame_of("Heartbeat", 3, raw)) for raw in asked)
    assert second is first


def test_a_frame_without_its_length_prefix_is_the_same_body(frame_of):
    body, left = bodies.read(KEYS["Heartbeat"], 3, heartbeat()[4:], -4, reply=False)
    assert body is read(frame_of("Heartbeat", 3, heartbeat()))
    assert left == 0


def test_what_stands_behind_a_body_is_counted():
    for name in ("m", "m" * 2000):
        raw = heartbeat(member_id=name) + b"\0" * 3
        assert bodies.read(KEYS["Heartbeat"], 3, raw, 0, reply=False)[1] == 3
