"""One Kafka link's framing: boundaries, kinds, which reply answers which request.

It parses in place and never copies a frame that nobody wants. It knows no content beyond request
headers and the acks of Produce, and it needs the standard library alone.

    size i32 | key i16 | version i16 | correlation i32 | client | ...      requests
    size i32 | correlation i32 | ...                                       replies, in order
"""

from __future__ import annotations

import struct
from collections import deque
from functools import partial

from pytest_mqchaos.frames import Direction, Frame
from pytest_mqchaos.wire.base import Cut, Interest, Pending
from pytest_mqchaos.wire.kafka.apis import PRODUCE, name_of
from pytest_mqchaos.wire.kafka.cursor import Ended
from pytest_mqchaos.wire.kafka.endpoints import ENDPOINTS_FROM, surely_none
from pytest_mqchaos.wire.kafka.headers import acks_of, client_of
from pytest_mqchaos.wire.kafka.levels import (
    ALL_REPLIES,
    ALL_REQUESTS,
    DECIDE,
    KEEP,
    LATE,
    NOTE,
    RECORD,
    levels,
)
from pytest_mqchaos.wire.kafka.sense import LIMIT, absurd, beginning
from pytest_mqchaos.wire.kafka.stepping import over_replies, over_requests

_REQUEST = struct.Struct(">iHhi")
_REPLY = struct.Struct(">ii")
_passed = partial(tuple.__new__, Cut)  # once a read: calling `Cut` itself takes four times as long
_IF_LATE = NOTE | LATE
_OUT, _BACK = Direction.TO_BROKER, Direction.TO_CLIENT


class KafkaScanner:
    """Implements `wire.base.Scanner`. A reply of a request that passed unnoted (before `track`) is
    stepped over; one that was noted is matched in order, and anything else makes the link blind.
    With `every[TO_CLIENT]` such an unnoted reply is decided as a frame of kind -1."""

    __slots__ = (
        "_asked",
        "_begun",
        "_levels",
        "_strict",
        "_sure",
        "_track",
        "blind",
        "client",
        "every",
        "outstanding",
        "seen",
    )

    def __init__(self) -> None:
        self.seen: list[Frame] = []
        self.outstanding: deque[Pending] = deque()
        self.blind: str | None = None
        self.every = [False, False]
        self.client: str | None = None
        self._begun = [-1, -1]  # flags of a frame that already leaves in pieces
        self._asked = False
        self._track = False
        self._sure: Pending | None = None  # once matched, every later reply has a Pending
        self._strict = False
        self._levels = levels(Interest())

    def look(self, interest: Interest) -> None:
        self._levels = levels(interest)
        if not interest.track:
            self._sure, self._strict = None, False
        elif not self._track:
            self._strict = not self._asked
        self._track = interest.track

    def scan(self, direction: Direction, buf: bytearray | memoryview, start: int, end: int) -> Cut:
        if self.blind is not None:
            return Cut(end, end, None)
        if direction is _OUT:
            return self._requests(buf, start, end)
        return self._replies(buf, start, end)

    # ------------------------------------------------------------ requests

    def _requests(self, buf: bytearray | memoryview, start: int, end: int) -> Cut:
        table = ALL_REQUESTS if self.every[_OUT] else self._levels.requests
        head = _REQUEST.unpack_from
        begun, self._begun[_OUT] = self._begun[_OUT], -1
        at, last = start, end - 12
        while at <= last:
            size, key, version, correlation = head(buf, at)
            flags = table[key] if begun < 0 else begun
            if (not flags or flags == _IF_LATE) and begun < 0 and self._asked:
                begin, at = at, over_requests(buf, at, last, self._levels.looked_at)
                if at != begin:
                    continue
            begun = -1
            wrong = absurd(size, key, version, first=not self._asked)
            if wrong:
                return self._go_blind(wrong, end)
            self._asked = True
            cut = self._request(buf, at, end, flags, (size, key, version, correlation))
            if cut is not None:
                return cut
            at += size + 4
        if at >= end:
            return _passed((at, end, None))
        return self._partial(buf, at, end, 8)

    def _request(
        self,
        buf: bytearray | memoryview,
        at: int,
        end: int,
        flags: int,
        head: tuple[int, int, int, int],
    ) -> Cut | None:
        """Look at one request; None = go on behind it."""
        size, key, version, _ = head
        stop = at + 4 + size
        if not flags & NOTE or (flags & LATE and version < ENDPOINTS_FROM[key]):
            return None
        if stop > end and flags & (DECIDE | KEEP | RECORD):
            return self._await(_OUT, flags, at, end)
        replies = self._peek(buf, at, min(stop, end), key, version)
        if replies is None:
            if stop > end:
                return Cut(at, at, None)  # the header is not here yet
            replies = True
        raw = bytes(memoryview(buf)[at:stop]) if flags & (KEEP | RECORD | DECIDE) else None
        return self._noted(head, flags, raw, at, replies=replies)

    def _peek(
        self, buf: bytearray | memoryview, at: int, end: int, key: int, version: int
    ) -> bool | None:
        """Whether the request gets a reply; None if the bytes end too early to tell."""
        try:
            if self.client is None:
                self.client = client_of(buf, at, end)
            return key != PRODUCE or acks_of(buf, at, end, version) != 0
        except Ended:
            return None

    def _noted(
        self,
        head: tuple[int, int, int, int],
        flags: int,
        raw: bytes | None,
        at: int,
        *,
        replies: bool,
    ) -> Cut | None:
        _, key, version, correlation = head
        frame = raw and Frame(
            direction=_OUT,
            kind=key,
            version=version,
            correlation=correlation,
            name=name_of(key),
            raw=raw,
            expects_reply=replies,
        )
        if replies:
            self._remember(Pending(key, version, correlation, frame or None))
        if frame and flags & DECIDE:
            return Cut(at + len(frame.raw), at, frame)
        if frame and flags & RECORD:
            self.seen.append(frame)
        return None

    def _remember(self, pending: Pending) -> None:
        self.outstanding.append(pending)
        if self._track and self._sure is None:
            self._sure = pending

    # ------------------------------------------------------------ replies

    def _replies(self, buf: bytearray | memoryview, start: int, end: int) -> Cut:
        head = _REPLY.unpack_from
        at, last = start, end - 8
        while at <= last:
            if self._asked and not (self.outstanding or self.every[_BACK] or self._strict):
                at = over_replies(buf, at, last)
                if at > last:
                    break
            size, correlation = head(buf, at)
            if not 4 <= size <= LIMIT:
                return self._go_blind(f"a reply of {size} bytes", end)
            pending = self._match(correlation)
            if pending is None and (self._strict or not self._asked):
                return self._go_blind(f"a reply ({correlation}) without its request", end)
            cut = self._reply(buf, at, end, size, correlation, pending)
            if cut is not None:
                return cut
            at += size + 4
        if at >= end:
            return _passed((at, end, None))
        return self._partial(buf, at, end, 4)

    def _reply(
        self,
        buf: bytearray | memoryview,
        at: int,
        end: int,
        size: int,
        correlation: int,
        pending: Pending | None,
    ) -> Cut | None:
        """Look at one reply; None = go on behind it."""
        stop = at + 4 + size
        flags = self._reply_flags(pending)
        if stop > end and flags & LATE:
            return Cut(at, at, None)  # its end decides
        if flags & LATE and pending and not surely_none(pending.kind, buf, at, stop):
            flags |= DECIDE
        if stop > end and flags & (DECIDE | RECORD):
            return self._await(_BACK, flags, at, end)
        if not flags & (RECORD | DECIDE):
            self._forget(pending)
            return None
        frame = Frame(
            direction=_BACK,
            kind=pending.kind if pending else -1,
            version=pending.version if pending else -1,
            correlation=correlation,
            name=name_of(pending.kind) if pending else "unknown",
            raw=bytes(memoryview(buf)[at:stop]),
            request=pending.frame if pending else None,
        )
        if flags & DECIDE:
            if pending:
                pending.served = True
            return Cut(stop, at, frame)
        self.seen.append(frame)
        self._forget(pending)
        return None

    def _reply_flags(self, pending: Pending | None) -> int:
        if self._begun[_BACK] >= 0:
            flags, self._begun[_BACK] = self._begun[_BACK], -1
            return flags
        if self.every[_BACK]:
            return ALL_REPLIES[0]
        if pending is None:
            return 0
        flags = self._levels.replies[pending.kind]
        if flags & LATE and pending.version < ENDPOINTS_FROM[pending.kind]:
            flags &= ~LATE
        return flags

    def _match(self, correlation: int) -> Pending | None:
        """The request that this reply answers: the first that the broker has yet to answer."""
        for pending in self.outstanding:
            if pending.served or pending.local or pending.answer is not None:
                continue
            if pending.correlation != correlation:
                return None
            if pending is self._sure:
                self._strict = True
            return pending
        return None

    def _forget(self, pending: Pending | None) -> None:
        if pending is not None:
            self.outstanding.remove(pending)

    def _await(self, direction: Direction, flags: int, at: int, end: int) -> Cut:
        """A frame that must be whole before it is looked at: held, or leaving meanwhile."""
        if flags & DECIDE:
            return Cut(at, at, None)
        self._begun[direction] = flags
        return Cut(at, end, None)

    # ------------------------------------------------------------ nonsense

    def _partial(self, buf: bytearray | memoryview, at: int, end: int, least: int) -> Cut:
        """Fewer bytes than a header: wait for the rest, unless they cannot become one."""
        wrong = beginning(buf, at, end, least, first=not self._asked)
        return self._go_blind(wrong, end) if wrong else Cut(at, at, None)

    def _go_blind(self, why: str, end: int) -> Cut:
        self.blind = f"this link cannot be read: {why}"
        return Cut(end, end, None)
