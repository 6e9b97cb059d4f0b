"""The scanner: boundaries in every chunking, levels of looking, replies matched, nonsense."""

from __future__ import annotations

import random

import pytest

from pytest_mqchaos.frames import Direction
from pytest_mqchaos.wire.base import Interest, Pending
from pytest_mqchaos.wire.kafka.scanner import KafkaScanner

OUT, BACK = Direction.TO_BROKER, Direction.TO_CLIENT
BLOB = bytes(range(256)) * 3
ENDPOINT = [{"node_id": 1, "host": "broker-1", "port": 9092, "rack": None}]


def scanner(**interest) -> KafkaScanner:
    made = KafkaScanner()
    made.look(Interest(**interest))
    return made


def cuts(data: bytes, seed: int) -> list[bytes]:
    dice = random.Random(seed)
    places = sorted(dice.sample(range(len(data)), min(len(data), dice.randint(0, 12))))
    return [data[a:b] for a, b in zip([0, *places], [*places, len(data)], strict=True)]


def conversation(ask, answer, produce) -> tuple[bytes, bytes]:
    requests = b"".join(
        (
            ask("ApiVersions", 3, 1),
            produce(10, BLOB, 2),
            produce(9, BLOB, 3, acks=0),
            ask("Heartbeat", 4, 4, group_id="g", member_id="m"),
            ask("Fetch", 12, 5),
            ask("Metadata", 12, 6),
        )
    )
    fetched = {"responses": [{"topic": "t", "partitions": [{"records": BLOB, "error_code": 0}]}]}
    replies = b"".join(
        (
            answer("ApiVersions", 3, 1),
            answer("Produce", 10, 2),
            answer("Heartbeat", 4, 4),
            answer("Fetch", 12, 5, **fetched),
            answer("Metadata", 12, 6),
        )
    )
    return requests, replies


def chunkings(data: bytes) -> list[list[bytes]]:
    single = [data[i : i + 1] for i in range(len(data))]
    return [[data], single, *(cuts(data, seed) for seed in range(60))]


@pytest.mark.parametrize(
    "interest",
    [
        {},
        {"track": True},
        {"track": True, "record": True},
        {"record": True},
        {"track": True, "requests": frozenset(["Produce"]), "replies": frozenset(["Fetch"])},
    ],
    ids=["nothing", "track", "record", "record-untracked", "decide"],
)
def test_every_chunking_gives_the_same_bytes_and_frames(ask, answer, produce, drive, interest):
    requests, replies = conversation(ask, answer, produce)
    want = None
    for out_chunks, back_chunks in zip(chunkings(requests), chunkings(replies), strict=True):
        made = scanner(**interest)
        asked = drive(made, OUT, out_chunks)
        assert asked.out == requests
        answered = drive(made, BACK, back_chunks)
        assert answered.out == replies
        assert made.blind is None
        assert made.client == "app"
        got = (
            [(f.direction, f.name, f.raw) for f in asked.decided + answered.decided],
            [(f.direction, f.name, f.raw, f.expects_reply) for f in made.seen],
            [p.correlation for p in made.outstanding],
        )
        want = want or got
        assert got == want


def test_nothing_asked_for_means_only_addresses_and_versions_are_decided(
    ask, answer, produce, drive
):
    requests, replies = conversation(ask, answer, produce)
    made = scanner()
    assert drive(made, OUT, [requests]).decided == []
    assert [f.name for f in drive(made, BACK, [replies]).decided] == ["ApiVersions", "Metadata"]
    assert made.seen == []


def test_recorded_frames_come_with_their_requests(ask, answer, produce, drive):
    requests, replies = conversation(ask, answer, produce)
    made = scanner(track=True, record=True)
    drive(made, OUT, [requests])
    names = [(f.name, f.expects_reply) for f in made.seen]
    assert names == [("Produce", True), ("Produce", False), ("Fetch", True)]
    made.seen.clear()
    decided = drive(made, BACK, [replies]).decided
    assert [f.name for f in made.seen] == ["Produce", "Fetch"]
    assert [f.request.raw[4:6] for f in made.seen] == [b"\0\0", b"\0\1"]
    assert [f.name for f in decided] == ["ApiVersions", "Metadata"]
    assert [p.correlation for p in made.outstanding] == [1, 6]


def test_acks_zero_waits_for_no_reply(produce, drive):
    made = scanner(track=True)
    for version in (3, 7, 9, 10, 13):
        drive(made, OUT, [produce(version, b"", version, acks=0)])
        drive(made, OUT, [produce(version, b"", version, acks=0, transactional_id="tx")])
        drive(made, OUT, [produce(version, b"", version, acks=1, transactional_id="tx")])
    assert [p.version for p in made.outstanding] == [3, 7, 9, 10, 13]


def test_a_recorded_frame_leaves_before_it_is_whole_and_is_seen_once(produce):
    raw = produce(9, BLOB)
    made = scanner(track=True, record=True)
    half = len(raw) // 2
    assert made.scan(OUT, bytearray(raw[:half]), 0, half) == (0, half, None)
    assert made.seen == []
    assert made.scan(OUT, bytearray(raw), 0, len(raw)) == (len(raw), len(raw), None)
    assert [f.raw for f in made.seen] == [raw]


def test_an_unwanted_frame_streams_through_unseen(produce):
    raw = produce(9, BLOB)
    assert scanner().scan(OUT, bytearray(raw[:20]), 0, 20) == (len(raw), 20, None)


def test_a_decided_frame_is_held_whole_and_what_precedes_it_leaves(ask, produce):
    before, raw = ask("Heartbeat", 4), produce(9, BLOB)
    made = scanner(track=True, requests=frozenset(["Produce"]))
    data = bytearray(before + raw)
    assert made.scan(OUT, data, 0, len(data) - 1) == (len(before), len(before), None)
    cut = made.scan(OUT, data, len(before), len(data))
    assert (cut.parsed, cut.forward, cut.frame.raw) == (len(data), len(before), raw)
    assert made.outstanding[-1].frame is cut.frame


def test_interest_changes_with_the_next_frame_only(produce):
    raw = produce(9, BLOB)
    made = scanner(track=True, record=True)
    half = len(raw) // 2
    made.scan(OUT, bytearray(raw), 0, half)
    made.look(Interest(track=True, requests=frozenset(["Produce"])))
    made.every[OUT] = True
    data = bytearray(raw + raw)
    cut = made.scan(OUT, data, 0, len(data))
    assert len(made.seen) == 1
    assert (cut.forward, cut.parsed) == (len(raw), 2 * len(raw))


def test_every_decides_every_frame(ask, answer, drive):
    made = scanner(track=True)
    made.every[:] = [True, True]
    requests = b"".join(ask("Heartbeat", 4, number) for number in range(3))
    replies = b"".join(answer("Heartbeat", 4, number) for number in range(3))
    assert len(drive(made, OUT, [requests]).decided) == 3
    answered = drive(made, BACK, [replies])
    assert [f.request.correlation for f in answered.decided] == [0, 1, 2]
    assert len(made.outstanding) == 3


def test_every_shows_a_reply_whose_request_passed_unnoted(ask, answer, drive):
    made = scanner()
    drive(made, OUT, [ask("Heartbeat", 4, 7)])
    made.every[BACK] = True
    (frame,) = drive(made, BACK, [answer("Heartbeat", 4, 7)]).decided
    assert (frame.kind, frame.request, made.blind) == (-1, None, None)


def test_tracking_that_starts_late_tolerates_earlier_requests_then_is_strict(ask, answer, drive):
    made = scanner()
    drive(made, OUT, [ask("Heartbeat", 4, 1)])
    made.look(Interest(track=True))
    drive(made, OUT, [ask("Heartbeat", 4, 2)])
    drive(made, BACK, [answer("Heartbeat", 4, 1) + answer("Heartbeat", 4, 2)])
    assert made.blind is None
    assert not made.outstanding
    drive(made, BACK, [answer("Heartbeat", 4, 3)])
    assert "without its request" in made.blind


def test_replies_out_of_order_make_the_link_blind_and_pass(ask, answer, drive):
    made = scanner(track=True)
    drive(made, OUT, [ask("Heartbeat", 4, 1) + ask("Heartbeat", 4, 2)])
    replies = answer("Heartbeat", 4, 2) + answer("Heartbeat", 4, 1)
    assert drive(made, BACK, [replies]).streamed == replies
    assert made.blind


def test_requests_that_the_broker_never_saw_are_passed_over(ask, answer, drive):
    made = scanner(track=True)
    drive(made, OUT, [ask("Heartbeat", 4, 1)])
    made.outstanding.appendleft(Pending(12, 4, 0, None, local=True))
    drive(made, BACK, [answer("Heartbeat", 4, 1)])
    assert made.blind is None
    assert [p.correlation for p in made.outstanding] == [0]


def test_a_decided_reply_that_is_still_held_does_not_catch_the_next(ask, answer, drive):
    made = scanner(track=True, replies=frozenset(["Heartbeat"]))
    drive(made, OUT, [ask("Heartbeat", 4, 1) + ask("Heartbeat", 4, 2)])
    fed = drive(made, BACK, [answer("Heartbeat", 4, 1) + answer("Heartbeat", 4, 2)])
    assert [f.request.correlation for f in fed.decided] == [1, 2]
    assert made.blind is None


@pytest.mark.parametrize(("name", "version"), [("Produce", 10), ("Fetch", 16), ("Fetch", 18)])
@pytest.mark.parametrize("interest", [{}, {"track": True, "record": True}])
def test_a_reply_with_node_endpoints_is_always_decided(ask, answer, drive, name, version, interest):
    for port in (9092, 0x2400, 1, 65535):
        for rack in (None, "", "r\0"):
            made = scanner(**interest)
            request = ask(name, version, 1) if name == "Fetch" else ask(name, version, 1, acks=1)
            drive(made, OUT, [request])
            ends = [{"node_id": 1, "host": "b", "port": port, "rack": rack}]
            raw = answer(name, version, 1, node_endpoints=ends)
            fed = drive(made, BACK, [raw[i : i + 1] for i in range(len(raw))])
            assert [f.raw for f in fed.decided] == [raw]


def test_fetch_replies_with_data_and_no_endpoints_stay_on_the_fast_path(ask, answer, drive):
    part = {"partition_index": 0, "high_watermark": 9, "records": BLOB}
    topic = {"topic_id": bytes(15) + b"\1", "partitions": [part]}
    for responses in ([topic], [topic, topic], []):
        made = scanner()
        drive(made, OUT, [ask("Fetch", 16, 1)])
        fed = drive(made, BACK, [answer("Fetch", 16, 1, responses=responses)])
        assert fed.decided == []
        assert not made.outstanding
