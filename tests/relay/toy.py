"""A small protocol for scripts: four bytes of length, then one word a field. Its codec is complete
enough to be told every case of the relay, and small enough to be right at a glance.

    request  P <n> <place> <ids> [k=..]     publish  (p: the same, and no reply is expected)
             F <n>                          fetch
             A <n> <group> <place>:<offset> ack
             C <n>                          control ("Ping"), M <n>: "Members"
    reply    <n> ok | <n> err <code> | <n> offset:id,offset:id
    <ids>: "a,b"; "?" cannot be read
"""

from __future__ import annotations

import struct
from collections import deque

from pytest_mqchaos.frames import Direction, Frame, Outcome, Point, Position, Record, Sighting
from pytest_mqchaos.wire.base import Cut, Interest, Pending

SIZE = struct.Struct(">I")
LIMIT = 1 << 20
NAMES = {"P": "Publish", "p": "Publish", "F": "Fetch", "A": "Ack", "C": "Ping", "M": "Members"}
KINDS = {name: number for number, name in enumerate(dict.fromkeys(NAMES.values()))}
RECORDED = {"Publish", "Fetch", "Ack"}
TO_BROKER, TO_CLIENT = Direction.TO_BROKER, Direction.TO_CLIENT


def pack(text):
    data = text.encode()
    return SIZE.pack(len(data)) + data


def texts(data):
    """The frames of a run of bytes; a torn last one is shown as its bytes."""
    found, at = [], 0
    while at < len(data):
        stop = at + 4 + SIZE.unpack_from(data, at)[0] if len(data) - at >= 4 else len(data) + 1
        found.append(data[at + 4 : stop].decode() if stop <= len(data) else bytes(data[at:]))
        at = stop
    return found


class ToyScanner:
    def __init__(self):
        self.seen, self.outstanding, self.blind = [], deque(), None
        self.every, self.client = [False, False], None
        self.interest = Interest()
        self.given = []

    def look(self, interest):
        self.interest = interest

    def scan(self, direction, buf, start, end):
        at = start
        while self.blind is None and end - at >= SIZE.size:
            size = SIZE.unpack_from(buf, at)[0]
            if size > LIMIT:
                self.blind = f"a frame of {size} bytes"
                break
            stop = at + SIZE.size + size
            if stop > end:
                return Cut(at, at, None)  # the toy streams whole frames only
            take = self.request if direction is TO_BROKER else self.reply
            frame, decide = take(bytes(buf[at:stop]))
            if decide:
                return Cut(stop, at, frame)
            at = stop
        return Cut(end, end, None) if self.blind else Cut(at, at, None)

    def request(self, raw):
        words = raw[4:].decode().split()
        name, number = NAMES[words[0]], int(words[1])
        frame = Frame(
            direction=TO_BROKER, kind=KINDS[name], version=0, correlation=number, name=name,
            raw=raw, expects_reply=words[0] != "p",
        )  # fmt: skip
        decide = self.every[TO_BROKER] or name in self.interest.requests
        if frame.expects_reply and (decide or self.interest.track):
            self.outstanding.append(Pending(frame.kind, 0, number, frame))
        if not decide and self.interest.record and name in RECORDED:
            self.seen.append(frame)
        return frame, decide

    def reply(self, raw):
        number = int(raw[4:].decode().split()[0])
        self.given = [p for p in self.given if p in self.outstanding]
        waiting = [
            p for p in self.outstanding
            if not p.local and p.answer is None and p not in self.given
        ]  # fmt: skip
        pending = waiting[0] if waiting and waiting[0].correlation == number else None
        request = pending.frame if pending else None
        name = request.name if request else "unknown"
        frame = Frame(
            direction=TO_CLIENT, kind=pending.kind if pending else -1, version=0,
            correlation=number, name=name, raw=raw, request=request,
        )  # fmt: skip
        if self.every[TO_CLIENT] or name in self.interest.replies:
            if pending:
                self.given.append(pending)
            return frame, True
        if pending:
            self.outstanding.remove(pending)
            if self.interest.record and name in RECORDED:
                self.seen.append(frame)
        return frame, False


class ToyCodec:
    name = "toy"

    def __init__(self):
        self.topic_names = {}
        self.decoded = []

    def scanner(self):
        return ToyScanner()

    def name_of(self, kind):
        return list(KINDS)[kind]

    def requests_of(self, point):
        of = {Point.PUBLISH: {"Publish"}, Point.ACK: {"Ack"}, Point.CONTROL: {"Ping", "Members"}}
        return frozenset(of.get(point, ()))

    def replies_of(self, point):
        of = {Point.CONFIRM: "Publish", Point.ACK_CONFIRM: "Ack", Point.DELIVER: "Fetch"}
        return frozenset({of[point]} if point in of else ())

    def rewrite_addresses(self, frame, mapping):
        text = frame.raw[4:].decode()
        if "topic=" in text:
            self.topic_names[b"\x01"] = text.split("topic=")[1]
        if "@" not in text:
            return None
        head, _, address = text.partition("@")
        host, port = mapping(1, *address.split(":"))
        return pack(f"{head}@{host}:{port}")

    def decode(self, frame):
        self.decoded.append(frame)
        _, *words = frame.raw[4:].decode().split()
        if "?" in words:
            return Sighting(point=Point.PUBLISH, name=frame.name, undecoded="torn")
        if frame.direction is TO_CLIENT:
            return reply_said(frame.name, words)
        return request_said(frame.name, words[1:])


def request_said(name, words):
    if name == "Publish":
        place, ids = words[0], words[1] if len(words) > 1 else ""
        records = tuple(record(place, -1, value) for value in ids.split(",") if value)
        return Sighting(point=Point.PUBLISH, name=name, records=records)
    if name == "Ack":
        group, spots = words[0], [spot.rpartition(":") for spot in words[1:]]
        positions = tuple(Position(place, 0, int(offset)) for place, _, offset in spots)
        return Sighting(point=Point.ACK, name=name, group=group, member="m", positions=positions)
    return Sighting(point=Point.CONTROL, name=name)


def reply_said(name, words):
    if name == "Fetch" and words and words[0] != "empty":
        place, _, rest = words[0].partition("=")
        pairs = [pair.split(":") for pair in rest.split(",")]
        records = tuple(record(place, int(offset), value) for offset, value in pairs)
        return Sighting(point=Point.DELIVER, name=name, records=records)
    point = {"Publish": Point.CONFIRM, "Ack": Point.ACK_CONFIRM}.get(name, Point.CONTROL)
    code = int(words[1]) if words[0] == "err" else 0
    return Sighting(point=point, name=name, outcomes=(Outcome("t", 0, code),))


def record(place, offset, value):
    return Record(place, 0, offset, b"k", value.encode())
