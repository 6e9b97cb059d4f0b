"""Corners of the Kafka codec that no ordinary conversation reaches."""

from __future__ import annotations

import struct
import sys

import pytest

from pytest_mqchaos.errors import MissingExtra
from pytest_mqchaos.frames import Direction, Record
from pytest_mqchaos.wire.base import Interest
from pytest_mqchaos.wire.kafka import bodies, endpoints
from pytest_mqchaos.wire.kafka.batch import CONTROL, header, patch
from pytest_mqchaos.wire.kafka.codec import KafkaCodec
from pytest_mqchaos.wire.kafka.compression import Unreadable, decompress
from pytest_mqchaos.wire.kafka.cursor import Cursor, Ended
from pytest_mqchaos.wire.kafka.deliveries import marker
from pytest_mqchaos.wire.kafka.fetch_offsets import FetchOffsets
from pytest_mqchaos.wire.kafka.levels import RECORD, levels
from pytest_mqchaos.wire.kafka.records import batches, build_batch, read_records
from pytest_mqchaos.wire.kafka.scanner import KafkaScanner


def test_a_batch_shorter_than_its_header_is_refused():
    with pytest.raises(Unreadable, match="a record batch of 20 bytes"):
        header(bytes(20), 0, 20)
    with pytest.raises(Unreadable):
        patch(bytes(20), base_offset=1)


def test_snappy_without_the_java_framing_is_read():
    cramjam = pytest.importorskip("cramjam")
    assert decompress(2, bytes(cramjam.snappy.compress_raw(b"plain"))) == b"plain"


@pytest.mark.parametrize("read", [Cursor.uvarint, Cursor.varint])
def test_a_number_that_never_ends_is_refused(read):
    with pytest.raises(Ended):
        read(Cursor(b"\xff" * 20, 0, 20))


def test_strings_that_are_null_or_not_text_are_refused():
    with pytest.raises(Ended):
        Cursor(b"\xff\xff", 0, 2).text()
    with pytest.raises(Ended):
        Cursor(b"\0\1\xff", 0, 3).string()


def test_a_topic_entry_without_a_name_or_news_is_passed_over(answer, frame_of):
    raw = answer("Fetch", 13, responses=[{"topic_id": None, "partitions": [{"error_code": 0}]}])
    said = KafkaCodec().decode(frame_of("Fetch", 13, raw, reply=True))
    assert (said.undecoded, said.records) == (None, ())


def test_old_messages_beside_aborted_transactions(answer, frame_of):
    body = struct.pack(">bb", 0, 0) + struct.pack(">ii", -1, 1) + b"v"
    old = struct.pack(">qii", 0, len(body) + 4, 0) + body
    odd = build_batch([Record("", -1, -1, b"?", b"")], base_offset=1, attributes=CONTROL)
    part = {"records": old + odd, "aborted_transactions": [{"producer_id": 1, "first_offset": 9}]}
    raw = answer("Fetch", 11, responses=[{"topic": "t", "partitions": [part]}])
    said = KafkaCodec().decode(frame_of("Fetch", 11, raw, reply=True))
    assert [record.value for record in said.records] == [b"v"]
    assert [batch.control for batch in batches(old + odd)] == [True]
    assert marker(odd, next(batches(odd))) is None


def test_a_torn_old_message_is_refused():
    body = struct.pack(">bb", 0, 0) + struct.pack(">ii", -1, 99)
    with pytest.raises(Unreadable, match="old format"):
        list(read_records(struct.pack(">qii", 0, len(body) + 4, 0) + body, "t", 0))


@pytest.mark.parametrize(
    "tail",
    [
        b"\x01\x00\xff",  # a size that does not end
        b"\x01\x00\x09\x02\0\0\0\1\2h\0\0",  # a size that is not the rest
        b"\x01\x00\x0d\x02\0\0\0\1\x02h\0\0\0\0\0\0",  # port 0
        b"\x01\x00\x0c\x02\0\0\0\1\x01\0\0\0\1\0\0",  # no host
        b"\x01\x00\x0d\x02\0\0\0\1\x02h\0\1\0\0\0\0",  # port 65536
        b"\x01\x00\x01\x01",  # an empty list
    ],
)
def test_what_only_looks_like_endpoints_is_not_taken_for_them(tail):
    assert endpoints.find(bytes(20) + tail) is None


def test_share_replies_without_room_or_without_a_list_have_no_endpoints():
    assert endpoints.find_array(bytes(10)) == ()
    assert endpoints.find_array(bytes(40)) == ()


def test_without_kio_it_says_what_to_install(monkeypatch, ask, frame_of):
    frame = frame_of("Heartbeat", 4, ask("Heartbeat", 4))
    monkeypatch.setitem(sys.modules, "kio.index", None)
    for known in (bodies._remembered, bodies._reader):  # by what other tests have read
        known.cache_clear()
    with pytest.raises(MissingExtra, match=r"pytest-mqchaos\[kafka\]"):
        KafkaCodec().decode(frame)


def test_offsets_of_old_links_are_let_go():
    class Request:
        topics = ()
        session_epoch = -1

    offsets = FetchOffsets()
    for link in range(5000):
        offsets.note(link, Request)
    assert len(offsets._links) == 4096
    assert 0 not in offsets._links


def test_a_name_that_is_no_api_of_ours_has_no_effect():
    wanted = Interest(record=True, requests=frozenset(["Nope"]), replies=frozenset(["Nope"]))
    assert levels(wanted) == levels(Interest(record=True))
    assert levels(wanted).replies[0] & RECORD


def test_half_a_produce_header_waits_for_the_rest(produce):
    raw = produce(9, b"")
    scanner = KafkaScanner()
    scanner.look(Interest(track=True))
    assert scanner.scan(Direction.TO_BROKER, bytearray(raw), 0, 15) == (0, 0, None)
    assert scanner.scan(Direction.TO_BROKER, bytearray(raw), 0, len(raw)).parsed == len(raw)
    assert len(scanner.outstanding) == 1


def test_replies_to_requests_that_nobody_noted_are_stepped_over(ask, answer, drive):
    scanner = KafkaScanner()
    drive(scanner, Direction.TO_BROKER, [ask("Heartbeat", 4, 1) * 3])
    raw = answer("Heartbeat", 4, 1) * 3
    fed = drive(scanner, Direction.TO_CLIENT, [raw[:20], raw[20:]])
    assert (fed.streamed, fed.decided, scanner.blind) == (raw, [], None)


@pytest.mark.parametrize(("acks", "waits"), [(0, 0), (1, 1)])
def test_acks_of_the_oldest_produce_requests(drive, acks, waits):
    body = struct.pack(">hhihhi", 0, 2, 1, -1, acks, 0)
    scanner = KafkaScanner()
    scanner.look(Interest(track=True))
    drive(scanner, Direction.TO_BROKER, [struct.pack(">i", len(body)) + body])
    assert len(scanner.outstanding) == waits


@pytest.mark.parametrize("size", [-1, -2, 30000])
def test_a_hostile_subscription_names_nothing_and_ends(ask, frame_of, size):
    metadata = struct.pack(">hih", 0, 2**31 - 1, size) + b"t"
    protocols = [{"name": "range", "metadata": metadata}]
    raw = ask("JoinGroup", 5, protocol_type="consumer", protocols=protocols)
    said = KafkaCodec().decode(frame_of("JoinGroup", 5, raw))
    assert (said.undecoded, said.details["subscribed"]) == (None, ())
