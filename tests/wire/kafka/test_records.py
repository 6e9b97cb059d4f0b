"""Records fields: every compression, both readers, old message sets, header patches, nonsense."""

from __future__ import annotations

import struct
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_mqchaos.frames import Record
from pytest_mqchaos.wire.kafka import batch as header
from pytest_mqchaos.wire.kafka.compression import NAMES, Unreadable, compress, decompress
from pytest_mqchaos.wire.kafka.records import (
    batches,
    build_batch,
    fastest_reader,
    read_plain,
    read_records,
)

READERS = {"plain": read_plain, "fastest": None}
bodies = st.none() | st.binary(max_size=40)
rows = st.lists(
    st.builds(
        Record,
        st.just("t"),
        st.just(2),
        st.just(-1),
        bodies,
        bodies,
        st.lists(st.tuples(st.text(max_size=8), bodies), max_size=3).map(tuple),
        st.integers(0, 2**41),
    ),
    min_size=1,
    max_size=6,
)


def stored(records, base: int, producer: int = -1, sequence: int = -1) -> list[Record]:
    return [
        row._replace(
            offset=base + number,
            producer_id=producer,
            sequence=sequence + number if sequence >= 0 else -1,
        )
        for number, row in enumerate(records)
    ]


def readers(blob: bytes, **more) -> list[list[Record]]:
    return [list(read_records(blob, "t", 2, reader=reader, **more)) for reader in READERS.values()]


@given(rows, st.sampled_from(NAMES), st.integers(0, 2**40))
def test_what_was_built_is_read_by_both_readers(records, compression, base):
    blob = build_batch(
        records, compression=compression, base_offset=base, producer_id=7, base_sequence=5
    )
    (found,) = batches(blob)
    assert header.sound(blob, found)
    assert header.crc32c_table(blob[21:]) == found.crc
    for got in readers(blob):
        assert got == stored(records, base, 7, 5)


@pytest.mark.parametrize("compression", NAMES)
def test_aiokafka_reads_what_we_build_and_we_read_what_it_builds(compression):
    default_records = pytest.importorskip("aiokafka.record.default_records")
    records = [Record("t", 2, -1, b"k%d" % n, b"v" * 5000, (("h", b"x"),), n) for n in range(20)]
    ours = build_batch(records, compression=compression)
    assert default_records.DefaultRecordBatch(ours).validate_crc()
    builder = default_records.DefaultRecordBatchBuilder(
        2, NAMES.index(compression), 0, -1, -1, -1, 1 << 20
    )
    for number, row in enumerate(records):
        builder.append(number, row.timestamp, row.key, row.value, list(row.headers))
    theirs = bytes(builder.build())
    for got in readers(theirs):
        assert got == stored(records, 0)


def test_records_of_a_publish_have_no_offset_yet_but_a_sequence():
    blob = build_batch([Record("", -1, -1, None, b"a"), Record("", -1, -1, None, b"b")],
                       producer_id=9, base_sequence=2**31 - 1)  # fmt: skip
    for got in readers(blob, stored=False):
        assert [(r.offset, r.sequence) for r in got] == [(-1, 2**31 - 1), (-1, 0)]


def test_offsets_with_gaps_are_kept():
    sparse = [Record("t", 2, offset, None, b"v", (), 0) for offset in (100, 103, 109)]
    blob = build_batch(sparse, base_offset=100)
    assert next(batches(blob)).last_offset == 109
    for got in readers(blob):
        assert [r.offset for r in got] == [100, 103, 109]


def test_control_batches_are_left_out_and_several_batches_follow_each_other():
    data = build_batch([Record("", -1, -1, None, b"x")], base_offset=4)
    control = build_batch(
        [Record("", -1, -1, b"\0\0\0\1", b"\0" * 6)], base_offset=5, attributes=header.CONTROL
    )
    for got in readers(data + control + data):
        assert [r.value for r in got] == [b"x", b"x"]
    assert [b.control for b in batches(data + control)] == [False, True]


def test_a_torn_last_batch_is_left_out():
    blob = build_batch([Record("", -1, -1, None, b"x")])
    for cut in range(len(blob)):
        for got in readers(blob + blob[:cut]):
            assert len(got) == 1


def test_log_append_time_is_every_record_s_time():
    blob = header.patch(build_batch([Record("", -1, -1, None, b"x", (), 5)]), append_time=77)
    assert header.sound(blob, next(batches(blob)))
    for got in readers(blob):
        assert [r.timestamp for r in got] == [77]


def test_offset_and_epoch_change_without_touching_what_the_crc_covers():
    blob = build_batch([Record("", -1, -1, None, b"x")] * 2)
    new = header.patch(blob, base_offset=50, leader_epoch=3)
    assert new[16:] == blob[16:]
    for got in readers(new):
        assert [r.offset for r in got] == [50, 51]
    damaged = bytearray(blob)
    damaged[-1] ^= 1
    moved = header.patch(bytes(damaged), base_offset=50)
    assert not header.sound(moved, next(batches(moved)))


def test_producer_fields_change_with_a_new_crc():
    blob = build_batch([Record("", -1, -1, None, b"x")], compression="gzip")
    new = header.patch(blob, producer_id=4, producer_epoch=2, base_sequence=8)
    found = next(batches(new))
    assert header.sound(new, found)
    assert (found.producer_id, found.producer_epoch, found.base_sequence) == (4, 2, 8)


def old_message(magic: int, offset: int, value: bytes, codec: int = 0, stamp: int = 9) -> bytes:
    body = struct.pack(">bb", magic, codec) + (struct.pack(">q", stamp) if magic else b"")
    body += struct.pack(">i", -1) + struct.pack(">i", len(value)) + value
    return struct.pack(">qii", offset, len(body) + 4, 0) + body


@pytest.mark.parametrize("magic", [0, 1])
@pytest.mark.parametrize("codec", [0, 1, 2, 3])
def test_old_message_sets_are_read(magic, codec):
    places = (0, 1) if magic else (40, 41)
    inner = b"".join(old_message(magic, place, b"v%d" % place) for place in places)
    blob = inner if not codec else old_message(magic, 41, compress(codec, inner), codec)
    got = list(read_records(blob, "t", 2))
    want = [0, 1] if magic and not codec else [40, 41]
    assert [r.offset for r in got] == want
    assert [r.timestamp for r in got] == [9 if magic else -1] * 2
    assert all(r.offset == -1 for r in read_records(blob, "t", 2, stored=False))


def test_an_old_compressed_message_with_append_time():
    inner = old_message(1, 0, b"v", stamp=1)
    blob = old_message(1, 5, compress(1, inner), 1 | 8, stamp=99)
    assert [(r.offset, r.timestamp) for r in read_records(blob, "t", 2)] == [(5, 99)]


def attempt(blob: bytes, reader) -> str:
    """Read; any other exception than `Unreadable` fails the test."""
    try:
        return f"{len(list(read_records(blob, 't', 0, reader=reader)))} records"
    except Unreadable as why:
        return str(why)


@given(st.binary(max_size=120), st.sampled_from(list(READERS)))
def test_any_bytes_are_read_or_refused(noise, reader):
    assert attempt(noise, READERS[reader])


@given(rows, st.data(), st.sampled_from(list(READERS)), st.sampled_from(NAMES))
def test_damaged_batches_are_read_or_refused(records, data, reader, compression):
    blob = bytearray(build_batch(records, compression=compression))
    for _ in range(data.draw(st.integers(1, 4))):
        blob[data.draw(st.integers(12, len(blob) - 1))] = data.draw(st.integers(0, 255))
    assert attempt(bytes(blob), READERS[reader])


@pytest.mark.parametrize("codec", range(5))
@given(data=st.binary(max_size=100_000))
def test_compressions_round_trip(codec, data):
    assert decompress(codec, compress(codec, data)) == data


def test_unknown_and_broken_compressions_are_told():
    with pytest.raises(Unreadable, match="codec 5 is not known"):
        decompress(5, b"")
    for codec in range(1, 5):
        with pytest.raises(Unreadable, match=f"{NAMES[codec]} data is broken"):
            decompress(codec, b"\x82SNAPPY\0" + b"\0\0\0\1" * 2 + b"\x7f\0\0\0nonsense")


def test_without_the_libraries_the_fall_backs_serve(monkeypatch):
    blob = build_batch([Record("t", 2, 0, b"k", b"v", (), 3)], compression="gzip")
    lz4 = build_batch([Record("t", 2, 0, b"k", b"v", (), 3)], compression="lz4")
    for name in ("aiokafka", "aiokafka.record.default_records", "crc32c", "cramjam"):
        monkeypatch.setitem(sys.modules, name, None)
    fastest_reader.cache_clear()
    header.checksum.cache_clear()
    try:
        assert fastest_reader() is read_plain
        assert header.checksum() is header.crc32c_table
        assert [r.value for r in read_records(blob, "t", 2)] == [b"v"]
        with pytest.raises(Unreadable, match="lz4 needs the package 'cramjam'"):
            list(read_records(lz4, "t", 2))
    finally:
        fastest_reader.cache_clear()
        header.checksum.cache_clear()


def test_a_wrong_record_size_is_refused_by_the_plain_reader():
    blob = bytearray(build_batch([Record("", -1, -1, None, b"x")]))
    blob[61] += 2
    blob += b"\0"
    struct.pack_into(">i", blob, 8, len(blob) - 12)
    header.seal(blob)
    with pytest.raises(Unreadable, match="a record says"):
        list(read_records(bytes(blob), "t", 0, reader=read_plain))


def test_lz4_blocks_do_not_depend_on_each_other():
    """Kafka's own reader refuses linked blocks ("Dependent block stream is unsupported")."""
    packed = compress(NAMES.index("lz4"), b"abc" * 100_000)
    assert packed[:4] == b"\x04\x22\x4d\x18"
    assert packed[4] & 0x20  # FLG: block independence
    assert decompress(NAMES.index("lz4"), packed) == b"abc" * 100_000
