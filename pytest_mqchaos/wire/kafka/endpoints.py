"""Finding the broker addresses that Produce (v10+) and Fetch (v16+) replies may carry (KIP-951).

They stand in the last bytes of the reply: tag 0 of its outermost struct, present only beside an
error that names a new leader. Looking there costs some comparisons, whatever the size of the reply.

    ... | tag count=1 | tag=0 | size | n+1 | (node i32, host, port i32, rack, tags)* | end
    ... | tag count=0 | end
"""

from __future__ import annotations

from typing import NamedTuple

from pytest_mqchaos.wire.kafka.apis import FETCH, PRODUCE
from pytest_mqchaos.wire.kafka.cursor import Cursor, Ended

ENDPOINTS_FROM: dict[int, int] = {PRODUCE: 10, FETCH: 16}  # the first versions that have them
_WINDOW = 64 * 1024  # far more than any cluster's list of brokers takes
_PATIENCE = (
    20_000  # addresses read in a frame before it is given up: bytes can be made so that every
)
# place looks like a list that ends wrongly
_EMPTY_FETCH = 21  # a Fetch reply without topics: no room for an address


class Endpoint(NamedTuple):
    """One address and where its host and port stand: data[start:end]."""

    node: int
    host: str
    port: int
    start: int
    end: int


def surely_none(kind: int, buf: bytes | bytearray | memoryview, at: int, stop: int) -> bool:
    """Whether the reply at [at, stop) certainly names no broker.

    An entry ends in port (i32, never 0), rack and an empty tag list. A Produce reply that ends in
    five zero bytes (no throttle, no tags) therefore has none. A Fetch reply without them ends in
    three empty tag lists (partition, topic, reply); with them these bytes are (port's low byte,
    null rack, tags), and then the two bytes before the port's lower half are zero.
    """
    if stop - at < 16:
        return True
    if kind == PRODUCE:
        return buf[stop - 5 : stop] == b"\0\0\0\0\0"
    if stop - at == _EMPTY_FETCH:
        return True
    return buf[stop - 3 : stop] == b"\0\0\0" and not (
        buf[stop - 6 : stop - 4] == b"\0\0" and buf[stop - 4]
    )


class Section(NamedTuple):
    """The outermost tags of a reply: they start at `start` and reach to the end of the frame."""

    start: int
    found: tuple[Endpoint, ...]


def find(frame: bytes) -> Section | None:
    """Find the section by its form; None if the frame has none.

    Every place near the end that could be "one tag, tag 0, exactly the rest" is read as a list of
    addresses; only the real one reads to the very end with a plausible port in each entry.
    """
    end = len(frame)
    low = max(8, end - _WINDOW)
    at = end
    looked = _Looked()
    while (at := frame.rfind(b"\x01\x00", low, at + 1)) >= 0:
        found = _read(frame, at + 2, end, looked)
        if found:
            return Section(at, found)
    return None


class _Looked:
    """How many more addresses may be read in this frame, in vain or not."""

    __slots__ = ("left",)

    def __init__(self) -> None:
        self.left = _PATIENCE


def _read(frame: bytes, at: int, end: int, looked: _Looked) -> tuple[Endpoint, ...] | None:
    cursor = Cursor(frame, at, end)
    try:
        if cursor.uvarint() != end - cursor.at:
            return None
    except Ended:
        return None
    return _entries(frame, cursor.at, end, looked)


def _entries(frame: bytes, at: int, end: int, looked: _Looked) -> tuple[Endpoint, ...] | None:
    """Read [at, end) as a compact array of addresses; None if it is not one to the last byte."""
    cursor = Cursor(frame, at, end, tagged=True)
    found = []
    try:
        for _ in cursor.each():
            looked.left -= 1
            if looked.left < 0:
                return None
            node, start = cursor.i32(), cursor.at
            host, port, stop = cursor.text(), cursor.i32(), cursor.at
            cursor.skip_string()
            cursor.tags()
            if not host or not 0 < port < 65536:
                return None
            found.append(Endpoint(node, host, port, start, stop))
    except Ended:
        return None
    return tuple(found) if cursor.at == end else None


def find_array(frame: bytes) -> tuple[Endpoint, ...]:
    """The node endpoints of a share reply: there they are an ordinary last array, before an empty
    tag list. Found from the end, like the tagged ones; empty if there are none."""
    end = len(frame) - 1
    if end < 24 or frame[end] or frame[end - 1]:
        return ()  # an entry ends in an empty tag list, an empty array in its length
    looked = _Looked()
    for at in range(end - 2, max(8, end - _WINDOW), -1):
        found = _entries(frame, at, end, looked)
        if found:
            return found
    return ()
