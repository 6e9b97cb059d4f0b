"""Record batches and old message sets: both readers, every compression, bombs.

The body of a batch is changed before it is compressed and sealed, so that changes get past the
compression and the checksum. Held: nothing raises but `Unreadable`; what two independent readers
make of the same bytes is the same; no more comes out than `compression` allows.
"""

from __future__ import annotations

import contextlib
import struct
from random import Random

from fuzz import mutator
from pytest_mqchaos.frames import Record
from pytest_mqchaos.wire.kafka.batch import COMPRESSION, HEADER, header, patch, seal, slices
from pytest_mqchaos.wire.kafka.compression import (
    NAMES,
    Unreadable,
    allowance,
    compress,
    decompress,
)
from pytest_mqchaos.wire.kafka.cursor import Cursor, Ended
from pytest_mqchaos.wire.kafka.records import (
    Reader,
    build_batch,
    fastest_reader,
    read_plain,
    read_records,
)

WHAT = "record batches and message sets, four compressions"
_OPTIONS = 2  # bytes: the compression that is applied here, seal it or not


def seeds() -> list[bytes]:
    """Batches of each kind and the old formats, also compressed ones."""
    rows = [
        Record("t", 0, at, b"k%d" % at, b"value" * at, (("h", b"x"), ("n", None)), 1000 + at)
        for at in range(5)
    ]
    plain = build_batch(rows, producer_id=7, producer_epoch=0, base_sequence=3)
    bodies = [
        plain, plain + build_batch(rows[:1], base_offset=5), build_batch([]),
        build_batch([Record("", 0, 0, None, None)], attributes=0x20),
        patch(plain, append_time=5), *(build_batch(rows, compression=name) for name in NAMES),
        _old(0, b"v"), _old(1, b"v"), _old(1, _old(1, b"inner"), 1),
        b"".join(_old(0, b"v") for _ in range(3)),
    ]  # fmt: skip
    made = [b"\0\0" + body for body in bodies]
    made += [bytes((codec, 1)) + plain for codec in range(1, 5)]
    return [
        *made,
        b"\0\1" + build_batch([Record("t", 0, 0, b"", bytes(1 << 16))], compression="gzip"),
    ]


def _old(magic: int, value: bytes, codec: int = 0) -> bytes:
    body = compress(codec, value)
    inner = struct.pack(">bb", magic, codec) + (struct.pack(">q", 9) if magic else b"")
    inner += struct.pack(">ii", -1, len(body)) + body
    return struct.pack(">qii", 0, len(inner) + 4, 0) + inner


def mutate(data: bytes, size: int, dice: Random) -> bytes:
    """Change the body or the header of the batch; sometimes its compression."""
    options, blob = bytearray(data[:_OPTIONS].ljust(_OPTIONS, b"\0")), bytearray(data[_OPTIONS:])
    if dice.random() < 0.2:
        options = bytearray((dice.randrange(6), dice.randrange(2)))
    for _ in range(dice.choice((1, 1, 2, 4))):
        if blob:
            dice.choice(mutator.ON_FRAME)(blob, dice)
    if dice.random() < 0.7 and len(blob) >= HEADER.size:
        struct.pack_into(">i", blob, 8, len(blob) - 12)
        blob[16] = dice.choice((2, 2, 2, 2, 1, 0))
    return (bytes(options) + bytes(blob))[:size]


def one(data: bytes) -> None:
    """Read one records field twice."""
    blob = _sealed(data[:_OPTIONS].ljust(_OPTIONS, b"\0"), data[_OPTIONS:])
    stored = len(blob) % 2 == 0
    fast, slow = (_read(blob, reader, stored=stored) for reader in (fastest_reader(), read_plain))
    if isinstance(fast, list):  # it may refuse more: that is honest
        assert fast == slow or _odd(blob), "two readers, two meanings"


def _odd(blob: bytes) -> bool:
    """Whether a record has an attribute above 127, which no writer has (none is defined): Kafka and
    we take the one byte for it, aiokafka's module a number of several."""
    for magic, start, end in slices(blob):
        if magic == 2:
            batch = header(blob, start, end)
            body = decompress(batch.attributes & COMPRESSION, blob[start + HEADER.size : end])
            cursor = Cursor(body, 0, len(body))
            with contextlib.suppress(Ended):
                for _ in range(batch.size):
                    if cursor.take(cursor.varint())[:1] > b"\x7f":
                        return True
    return False


def _sealed(options: bytes, blob: bytes) -> bytes:
    codec, seals = options[0] % 6, options[1] & 1
    if len(blob) < HEADER.size or blob[16] != 2:
        return blob
    batch = bytearray(blob)
    if 0 < codec < len(NAMES):
        batch = batch[: HEADER.size] + compress(codec, bytes(batch[HEADER.size :]))
        batch[22] = batch[22] & ~7 | codec
        struct.pack_into(">i", batch, 8, len(batch) - 12)
    if seals:
        (length,) = struct.unpack_from(">i", batch, 8)
        if HEADER.size <= 12 + length <= len(batch):
            whole = batch[: 12 + length]
            seal(whole)
            batch[: 12 + length] = whole
    return bytes(batch)


def _read(blob: bytes, reader: Reader, *, stored: bool) -> list[Record] | str:
    try:
        found = list(read_records(blob, "t", 0, stored=stored, reader=reader))
    except Unreadable as why:
        return str(why)
    size = sum(len(row.key or b"") + len(row.value or b"") for row in found)
    assert size <= allowance(len(blob)), "more came out than may"
    return found
