"""Editing the replies that tell a client where brokers are, and which versions they speak.

Everything is spliced by hand: only host, port and version bytes change, all others (also tagged
fields that we do not know) leave as they came. Replies that carry addresses: Metadata,
FindCoordinator, DescribeCluster, and as node endpoints Produce (v10+), Fetch (v16+), ShareFetch and
ShareAcknowledge (KIP-951, KIP-932).
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator

from pytest_mqchaos.wire.kafka.apis import (
    API_VERSIONS,
    APIS,
    DESCRIBE_CLUSTER,
    FIND_COORDINATOR,
    METADATA,
    SHARE_ACKNOWLEDGE,
    SHARE_FETCH,
    flexible,
)
from pytest_mqchaos.wire.kafka.cursor import Cursor, Ended, string, uvarint
from pytest_mqchaos.wire.kafka.endpoints import (
    ENDPOINTS_FROM,
    Endpoint,
    find,
    find_array,
    surely_none,
)
from pytest_mqchaos.wire.kafka.headers import body_of_reply

Mapping = Callable[[int, str, int], tuple[str, int]]
_I32 = struct.Struct(">i")
_RANGE = struct.Struct(">hhh")
_UNSUPPORTED_VERSION = 35


def amend(
    kind: int, version: int, raw: bytes, mapping: Mapping, outermost: Callable[[int], bool]
) -> bytes | None:
    """The reply with every address mapped and its versions clamped; None = nothing to change.

    `mapping(node, host, port)` is called once for each address, in the order of the frame. A frame
    that cannot be read gives None. `outermost` is asked, rarely, whether the tags of a whole reply
    begin at a position: a message may end as a list of brokers does.
    """
    try:
        if kind == API_VERSIONS:
            return _clamp(version, raw)
        if (since := ENDPOINTS_FROM.get(kind)) is not None:
            # An older Fetch ends in a message, which may be anything, a list of brokers as well.
            named = version >= since and not surely_none(kind, raw, 8, len(raw))
            return _tagged_endpoints(raw, mapping, outermost) if named else None
        edits = [
            (place.start, place.end, _address(mapping, place, tagged=flexible(kind, version)))
            for place in _places(kind, version, raw)
        ]
    except Ended:
        return None
    return _splice(raw, edits) if edits else None


def _address(mapping: Mapping, place: Endpoint, *, tagged: bool) -> bytes:
    host, port = mapping(place.node, place.host, place.port)
    return string(host, tagged=tagged) + _I32.pack(port)


def _splice(raw: bytes, edits: list[tuple[int, int, bytes]]) -> bytes:
    parts, at = [b""], 4
    for start, end, data in edits:
        parts += (raw[at:start], data)
        at = end
    parts.append(raw[at:])
    parts[0] = _I32.pack(sum(map(len, parts)))
    return b"".join(parts)


def _places(kind: int, version: int, raw: bytes) -> Iterator[Endpoint]:
    """Every address in a reply, with the bytes that its host and port take."""
    if kind in (SHARE_FETCH, SHARE_ACKNOWLEDGE):
        yield from find_array(raw)
        return
    cursor = body_of_reply(raw, 0, len(raw), kind, version)
    if kind == METADATA:
        yield from _metadata(cursor, version)
    elif kind == FIND_COORDINATOR:
        yield from _coordinators(cursor, version)
    elif kind == DESCRIBE_CLUSTER:
        yield from _cluster(cursor, version)


def _place(cursor: Cursor) -> Iterator[Endpoint]:
    node, start = cursor.i32(), cursor.at
    host, port = cursor.text(), cursor.i32()
    if port > 0:  # "no such coordinator" is told with an empty host and port -1
        yield Endpoint(node, host, port, start, cursor.at)


def _metadata(cursor: Cursor, version: int) -> Iterator[Endpoint]:
    cursor.skip(4 if version >= 3 else 0)
    for _ in cursor.each():
        yield from _place(cursor)
        if version >= 1:
            cursor.skip_string()  # rack
        cursor.tags()


def _coordinators(cursor: Cursor, version: int) -> Iterator[Endpoint]:
    cursor.skip(4 if version >= 1 else 0)
    if version < 4:
        cursor.skip(2)
        if version >= 1:
            cursor.skip_string()
        yield from _place(cursor)
        return
    for _ in cursor.each():
        cursor.skip_string()  # key
        yield from _place(cursor)
        cursor.skip(2)
        cursor.skip_string()
        cursor.tags()


def _cluster(cursor: Cursor, version: int) -> Iterator[Endpoint]:
    cursor.skip(6)
    cursor.skip_string()
    cursor.skip(1 if version >= 1 else 0)  # endpoint type
    cursor.skip_string()
    cursor.skip(4)
    for _ in cursor.each():
        yield from _place(cursor)
        cursor.skip_string()
        cursor.skip(1 if version >= 2 else 0)  # is fenced
        cursor.tags()


def _tagged_endpoints(
    raw: bytes, mapping: Mapping, outermost: Callable[[int], bool]
) -> bytes | None:
    """Rewrite the section at the end of a Produce or Fetch reply; its size field changes too."""
    section = find(raw)
    if section is None or not outermost(section.start):
        return None
    first = section.found[0].start - 4
    parts: list[bytes] = []
    at = first
    for place in section.found:
        parts += (raw[at : place.start], _address(mapping, place, tagged=True))
        at = place.end
    entries = uvarint(len(section.found) + 1) + b"".join(parts) + raw[at:]
    tail = b"\x01\x00" + uvarint(len(entries)) + entries
    return _splice(raw, [(section.start, len(raw), tail)])


def _clamp(version: int, raw: bytes) -> bytes | None:
    """Lower each API's highest version to the highest that we can read (same length). APIs that are
    not in our table stay as they are."""
    cursor = Cursor(raw, 8, len(raw))
    error = cursor.i16()
    cursor.tagged = version >= 3 and error != _UNSUPPORTED_VERSION  # such an error is told in v0
    out: bytearray | None = None
    for _ in cursor.each():
        at = cursor.skip(6)
        cursor.tags()
        key, low, high = _RANGE.unpack_from(raw, at)
        api = APIS.get(key)
        if api is not None and low <= api.high < high:
            out = out or bytearray(raw)
            _RANGE.pack_into(out, at, key, low, api.high)
    return bytes(out) if out else None
