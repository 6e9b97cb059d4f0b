"""Kafka's four compressions, for record batches and old message sets.

gzip is the standard library's, the rest are cramjam's, imported when first met. Snappy travels in
the framing of the Java library (xerial): magic, two versions, then blocks with their lengths.
"""

from __future__ import annotations

import struct
import zlib

NAMES: tuple[str, ...] = ("none", "gzip", "snappy", "lz4", "zstd")
_XERIAL = b"\x82SNAPPY\0"
_XERIAL_HEAD = _XERIAL + struct.pack(">ii", 1, 1)
_SIZE = struct.Struct(">i")
_BLOCK = 32 * 1024


class Unreadable(ValueError):
    """Record bytes that cannot be read; the text says why. Never leaves the codec."""


def decompress(codec: int, data: bytes) -> bytes:
    """Decompress by the codec's number in batch attributes. Raises `Unreadable`."""
    if codec == 0:
        return data
    if codec >= len(NAMES):
        raise Unreadable(f"compression codec {codec} is not known")
    try:
        if codec == 1:
            return zlib.decompress(data, wbits=31)
        return _cramjam_decompress(NAMES[codec], data)
    except ImportError:
        raise Unreadable(f"{NAMES[codec]} needs the package 'cramjam'") from None
    except Exception as broken:
        raise Unreadable(f"{NAMES[codec]} data is broken: {broken}") from broken


def _cramjam_decompress(name: str, data: bytes) -> bytes:
    import cramjam

    if name == "snappy":
        if data.startswith(_XERIAL):
            return b"".join(bytes(cramjam.snappy.decompress_raw(block)) for block in _blocks(data))
        return bytes(cramjam.snappy.decompress_raw(data))
    return bytes(getattr(cramjam, name).decompress(data))


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
    return bytes(getattr(cramjam, NAMES[codec]).compress(data))
