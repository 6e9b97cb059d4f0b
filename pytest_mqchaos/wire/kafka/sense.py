"""Telling Kafka frames from nonsense by their first bytes: sizes, TLS, impossible API numbers."""

from __future__ import annotations

import struct

from pytest_mqchaos.wire.kafka.apis import SASL_HANDSHAKE

LIMIT = 1 << 30  # bytes; no frame of a sane cluster comes near (socket.request.max.bytes is 100 MB)
_SIZE = struct.Struct(">i")
_TLS = 0x1603  # record type "handshake", major version 3: read as a size it would be 369 MB


def absurd(size: int, key: int, version: int, *, first: bool) -> str:
    """Why this cannot be a request's header; empty if it can. `first`: nothing came before it."""
    if not 8 <= size <= LIMIT:
        return f"a request of {size} bytes"
    if first and size >> 16 == _TLS:
        return "TLS"
    if key > 0x7FFF or not 0 <= version <= 255:
        return f"API key {key}, version {version}"
    if key == SASL_HANDSHAKE and version == 0:
        return "SASL tokens without frames follow (SaslHandshake v0)"
    return ""


def beginning(buf: bytearray | memoryview, at: int, end: int, least: int, *, first: bool) -> str:
    """Why [at, end), shorter than a header, cannot become one; empty if it can."""
    if end - at < 4:
        return ""
    size = _SIZE.unpack_from(buf, at)[0]
    if not least <= size <= LIMIT:
        return f"a frame of {size} bytes"
    return "TLS" if first and size >> 16 == _TLS else ""
