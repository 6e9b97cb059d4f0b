"""Kafka's four compressions, for record batches and old message sets.

gzip is the standard library's, the rest are cramjam's, imported when first met. Snappy travels in
the framing of the Java library (xerial): magic, two versions, then blocks with their lengths.

A thousandth of a megabyte can unpack to gigabytes; nothing here unpacks to more than `allowance`.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable

NAMES: tuple[str, ...] = ("none", "gzip", "snappy", "lz4", "zstd")
_LZ4 = 3
_XERIAL = b"\x82SNAPPY\0"
_XERIAL_HEAD = _XERIAL + struct.pack(">ii", 1, 1)
_SIZE = struct.Struct(">i")
_BLOCK = 32 * 1024
_ALWAYS = 64 << 20  # bytes; brokers take 1 MiB a batch by default, packed
_RATIO = 64  # times its size: far more than what a service says can be packed by
_NEVER = 1 << 30
_FULL = "failed to write whole buffer"  # what Rust says when an output buffer is too small


class Unreadable(ValueError):
    """Record bytes that cannot be read; the text says why. Never leaves the codec."""


def allowance(size: int) -> int:
    """How many bytes `size` bytes from outside may unpack to."""
    return min(max(_ALWAYS, _RATIO * size), _NEVER)


def decompress(codec: int, data: bytes) -> bytes:
    """Decompress by the codec's number in batch attributes. Raises `Unreadable`, also for what
    unpacks to more than `allowance`."""
    if codec == 0:
        return data
    if codec >= len(NAMES):
        raise Unreadable(f"compression codec {codec} is not known")
    try:
        return _UNPACK[codec](data, allowance(len(data)))
    except ImportError:
        raise Unreadable(f"{NAMES[codec]} needs the package 'cramjam'") from None
    except Unreadable:
        raise
    except Exception as broken:
        raise Unreadable(f"{NAMES[codec]} data is broken: {broken}") from broken


def _too_much(name: str, limit: int) -> Unreadable:
    return Unreadable(f"{name} data unpacks to more than {limit >> 20} MiB")


def _gzip(data: bytes, limit: int) -> bytes:
    """Every member of the stream (RFC 1952, 2.2), as Java reads it."""
    parts, left = [], limit
    while data:
        unpacker = zlib.decompressobj(wbits=31)
        part = unpacker.decompress(data, left + 1)
        left -= len(part)
        if left < 0:
            raise _too_much("gzip", limit)
        if not unpacker.eof:
            raise ValueError("it ends early")
        parts.append(part)
        data = unpacker.unused_data
    return b"".join(parts)


def _snappy(data: bytes, limit: int) -> bytes:
    from cramjam import snappy

    blocks = _blocks(data) if data.startswith(_XERIAL) else [data]
    if sum(snappy.decompress_raw_len(block) for block in blocks) > limit:
        raise _too_much("snappy", limit)
    return b"".join(bytes(snappy.decompress_raw(block)) for block in blocks)


def _framed(name: str) -> Callable[[bytes, int], bytes]:
    def unpack(data: bytes, limit: int) -> bytes:
        import cramjam

        into = getattr(cramjam, name).decompress_into
        size = min(max(8 * len(data), 1 << 16), limit)
        while True:
            buffer = bytearray(size)
            try:
                return bytes(memoryview(buffer)[: into(data, buffer)])
            except cramjam.DecompressionError as error:
                if _FULL not in str(error):
                    raise
            if size == limit:
                raise _too_much(name, limit)
            size = min(8 * size, limit)

    return unpack


_UNPACK: dict[int, Callable[[bytes, int], bytes]] = {
    1: _gzip,
    2: _snappy,
    3: _framed("lz4"),
    4: _framed("zstd"),
}


def _blocks(data: bytes) -> list[bytes]:
    blocks, at = [], len(_XERIAL_HEAD)
    while at + 4 <= len(data):
        size = _SIZE.unpack_from(data, at)[0]
        if size < 0 or at + 4 + size > len(data):
            raise ValueError(f"a block of {size} bytes at {at}")
        blocks.append(data[at + 4 : at + 4 + size])
        at += 4 + size
    return blocks


def compress(codec: int, data: bytes) -> bytes:
    """Compress by the codec's number; what `decompress` and every Kafka client reads."""
    if codec == 0:
        return data
    if codec == 1:
        packer = zlib.compressobj(wbits=31)
        return packer.compress(data) + packer.flush()
    import cramjam

    if codec == 2:
        parts = [_XERIAL_HEAD]
        for at in range(0, len(data), _BLOCK):
            block = bytes(cramjam.snappy.compress_raw(data[at : at + _BLOCK]))
            parts += (_SIZE.pack(len(block)), block)
        return b"".join(parts)
    if codec == _LZ4:  # Kafka's reader refuses blocks that depend on each other
        framer = cramjam.lz4.Compressor(block_linked=False)
        framer.compress(data)
        return bytes(framer.finish())
    return bytes(cramjam.zstd.compress(data))
