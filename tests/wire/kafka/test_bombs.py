"""Few bytes that claim to be many: what unpacks to too much is undecoded, and says so."""

from __future__ import annotations

import gzip
import zlib

import pytest

from pytest_mqchaos.frames import Record
from pytest_mqchaos.wire.kafka import compression, deliveries, endpoints
from pytest_mqchaos.wire.kafka.batch import HEADER, seal
from pytest_mqchaos.wire.kafka.codec import KafkaCodec
from pytest_mqchaos.wire.kafka.compression import NAMES, Unreadable, compress, decompress
from pytest_mqchaos.wire.kafka.cursor import Cursor
from pytest_mqchaos.wire.kafka.records import (
    build_batch,
    fastest_reader,
    read_plain,
    read_records,
)

READERS = [pytest.param(read_plain, id="plain"), pytest.param(None, id="fastest")]


@pytest.fixture
def small(monkeypatch):
    """A limit of 64 KiB instead of 64 MiB, so that nobody has to unpack much to meet it."""
    monkeypatch.setattr(compression, "_ALWAYS", 1 << 16)
    monkeypatch.setattr(compression, "_RATIO", 1)


@pytest.mark.parametrize("codec", range(1, 5))
def test_up_to_the_limit_and_no_further(small, codec):
    fits, bomb = compress(codec, bytes(1 << 16)), compress(codec, bytes((1 << 16) + 1))
    assert len(bomb) < 5000
    assert decompress(codec, fits) == bytes(1 << 16)
    with pytest.raises(Unreadable, match=f"{NAMES[codec]} data unpacks to more than"):
        decompress(codec, bomb)


@pytest.mark.parametrize("codec", range(1, 5))
def test_what_is_larger_than_the_first_guess_is_still_read(codec):
    assert decompress(codec, compress(codec, bytes(3 << 20))) == bytes(3 << 20)


def test_a_claim_of_four_gigabytes_sets_no_memory_aside():
    with pytest.raises(Unreadable, match="snappy data unpacks to more than 64 MiB"):
        decompress(2, b"\xff\xff\xff\xff\x0f" + bytes(20))


def test_gzip_of_several_members_is_one_text():
    assert decompress(1, gzip.compress(b"one ") + gzip.compress(b"two")) == b"one two"
    for torn in (gzip.compress(b"one")[:-3], gzip.compress(b"one") + b"zz"):
        with pytest.raises(Unreadable, match="gzip data is broken"):
            decompress(1, torn)
    assert zlib.decompress(compress(1, b"x"), wbits=31) == b"x"


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("codec", NAMES[1:])
def test_neither_reader_unpacks_a_bomb(small, reader, codec):
    blob = build_batch([Record("", -1, -1, None, bytes(1 << 17))], compression=codec)
    with pytest.raises(Unreadable, match="unpacks to more than"):
        list(read_records(blob, "t", 0, reader=reader))


def test_many_batches_that_are_small_enough_are_together_too_much(small, answer, frame_of):
    blob = build_batch([Record("", -1, -1, None, bytes(30_000))], compression="zstd")
    part = {"partition_index": 0, "high_watermark": 9, "records": blob * 3}
    raw = answer("Fetch", 11, responses=[{"topic": "t", "partitions": [part]}])
    said = KafkaCodec().decode(frame_of("Fetch", 11, raw, reply=True))
    assert "unpack to more than can be held" in said.undecoded
    assert deliveries.allowance(len(raw)) == 1 << 16


@pytest.mark.parametrize("reader", READERS)
def test_a_batch_whose_checksum_is_wrong_says_nothing(reader):
    blob = bytearray(build_batch([Record("", -1, -1, b"k", b"paid 10")]))
    blob[-2] ^= 1  # the value
    with pytest.raises(Unreadable, match="checksum"):
        list(read_records(bytes(blob), "t", 0, reader=reader))
    seal(blob)
    assert [row.value for row in read_records(bytes(blob), "t", 0, reader=reader)] == [b"paid 11"]


def test_both_readers_agree_on_what_they_were_given_packed():
    rows = [Record("t", 0, at, b"k", b"v" * at, (("h", None),), at) for at in range(9)]
    for name in NAMES:
        blob = build_batch(rows, compression=name)
        fast, slow = (list(read_records(blob, "t", 0, reader=r)) for r in (None, read_plain))
        assert fast == slow
    assert fastest_reader() is not read_plain
    assert len(blob) > HEADER.size


def test_a_reply_made_of_beginnings_of_lists_is_given_up(monkeypatch):
    read = []

    class Counting(Cursor):
        def text(self):
            read.append(self.at)
            return super().text()

    monkeypatch.setattr(endpoints, "Cursor", Counting)
    monkeypatch.setattr(endpoints, "_PATIENCE", 500)
    entry = b"\0\0\0\1\2h\0\0\0\1\1\0"  # one address of 12 bytes
    assert len(endpoints.find_array(bytes(20) + b"\2" + entry + b"\0")) == 1
    read.clear()
    assert endpoints.find_array(bytes(20) + (b"\x7f" + entry[1:]) * 4000 + b"\0\0") == ()
    assert len(read) == 500
