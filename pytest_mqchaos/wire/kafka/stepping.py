"""Stepping over frames by their length alone: what most of the traffic costs.

It knows the first eight bytes of a frame and nothing of what a link remembers. A frame that it does
not understand is left for who looks closely.
"""

from __future__ import annotations

import struct

from pytest_mqchaos.wire.kafka.sense import LIMIT

_REQUEST = struct.Struct(">IHh")  # a negative size is a huge one here
_REPLY = struct.Struct(">I")


def over_requests(
    buf: bytearray | memoryview, at: int, last: int, looked_at: tuple[int, ...]
) -> int:
    """Where the first request begins that is to be looked at, or a place behind `last`, up to which
    headers are whole. `looked_at`: see `Levels`."""
    unpack, known = _REQUEST.unpack_from, len(looked_at)
    before, size = at, 0
    while at <= last:
        size, key, version = unpack(buf, at)
        if key >= known or version >= looked_at[key] or size < 8:
            return at
        before = at
        at += size + 4
    return before if size > LIMIT else at


def over_replies(buf: bytearray | memoryview, at: int, last: int) -> int:
    """Where the first reply begins whose length makes no sense, or a place behind `last`."""
    unpack = _REPLY.unpack_from
    before, size = at, 0
    while at <= last:
        (size,) = unpack(buf, at)
        if size < 4:
            return at
        before = at
        at += size + 4
    return before if size > LIMIT else at
