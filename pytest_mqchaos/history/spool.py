"""The packed file in which a data plane keeps everything that it saw, in order.

Appending is the whole cost on the data path: 41 bytes of header and the frame's own bytes.
The test process reads it when it judges, so nothing has to be decoded while bytes flow, and what
was seen up to a crash of the data plane is still there.

    entry = length u32 | type u8 | seq u64 | t u64 | rest
      FRAME rest = link u32 | direction u8 | kind i16 | version i16 | request_seq u64 | flags u8
                   | raw
      NOTE  rest = JSON object, UTF-8 ({"note": <kind>, ...})
"""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from pytest_mqchaos.errors import PeerError
from pytest_mqchaos.frames import Frame

FRAME, NOTE = 1, 2
_HEAD = struct.Struct("<IBQQ")
_FRAME = struct.Struct("<IBhhQB")
_BOTH = struct.Struct("<IBQQIBhhQB")  # the two in one: they are packed for every frame

_LEAST = {FRAME: _BOTH.size, NOTE: _HEAD.size}
_DIRECTIONS = (0, 1)

# flags of a FRAME
HELD = 1  # what became of it is told by a later NOTE {"note": "fate", "seq": ..., ...}
CLOSING = 2  # seen while its worker was being stopped


class FrameEntry(NamedTuple):
    """One frame as it was received. `request_seq` is the seq of the request that it answers, 0 for
    requests and for replies whose request was not recorded."""

    seq: int
    t: int
    link: int
    direction: int
    kind: int
    version: int
    request_seq: int
    flags: int
    raw: bytes


class NoteEntry(NamedTuple):
    """Anything that is not a frame; `body["note"]` says what."""

    seq: int
    t: int
    body: Mapping[str, object]


def pack_head(frame: Frame, flags: int) -> bytes:
    """Pack what stands before a frame's own bytes; they follow as they are. Apart, because joining
    them would copy a frame that may have a megabyte. Without an entry between, because that would
    take longer than the packing."""
    request = frame.request
    return _BOTH.pack(
        _BOTH.size + len(frame.raw), FRAME, frame.seq, frame.t, frame.link, frame.direction,
        frame.kind, frame.version, request.seq if request is not None else 0, flags,
    )  # fmt: skip


def pack_frame(entry: FrameEntry) -> bytes:
    """Pack one whole frame entry."""
    seq, t, link, direction, kind, version, request_seq, flags, raw = entry
    size = _BOTH.size + len(raw)
    head = _BOTH.pack(size, FRAME, seq, t, link, direction, kind, version, request_seq, flags)
    return head + raw


def pack_note(entry: NoteEntry) -> bytes:
    """Pack one note entry."""
    rest = json.dumps(entry.body, separators=(",", ":")).encode()
    return _HEAD.pack(_HEAD.size + len(rest), NOTE, entry.seq, entry.t) + rest


def read(data: bytes | memoryview) -> Iterator[FrameEntry | NoteEntry]:
    """Give every whole entry of `data`; a torn last entry (the writer died) is left out.

    Raises `PeerError` for an entry that cannot be one.
    """
    view = memoryview(data)
    at, end = 0, len(view)
    while end - at >= _HEAD.size:
        size, kind, seq, t = _HEAD.unpack_from(view, at)
        if size < _LEAST.get(kind, size + 1):
            raise PeerError(f"the history is corrupt at byte {at}: entry type {kind}, size {size}")
        if end - at < size:
            return
        if kind == FRAME:
            link, direction, api, version, request_seq, flags = _FRAME.unpack_from(
                view, at + _HEAD.size
            )
            if direction not in _DIRECTIONS:
                raise PeerError(f"the history is corrupt at byte {at}: direction {direction}")
            raw = bytes(view[at + _BOTH.size : at + size])
            yield FrameEntry(seq, t, link, direction, api, version, request_seq, flags, raw)
        else:
            yield NoteEntry(seq, t, _body(bytes(view[at + _HEAD.size : at + size]), at))
        at += size


def _body(text: bytes, at: int) -> Mapping[str, object]:
    try:
        body = json.loads(text)
    except (ValueError, RecursionError) as broken:
        raise PeerError(f"the history is corrupt at byte {at}: a note that is no JSON") from broken
    if not isinstance(body, dict):
        raise PeerError(f"the history is corrupt at byte {at}: a note that is no JSON object")
    return body
