"""A small engine for length-prefixed frames: what the shell's tests put in the real one's place.

`mode` decides what its links do: "pass" (everything streams), "decide" (every frame is held whole
and leaves by `out`), "early" (frames leave as they come, but are only parsed when whole), "swallow"
(every second frame to the broker is lost).
"""

from __future__ import annotations

import struct
from typing import Any

from pytest_mqchaos.errors import UsageError

SIZE = struct.Struct(">I")


class FakeLink:
    def __init__(self, engine, number, owner, node):
        self.engine, self.number, self.owner, self.node = engine, number, owner, node
        self.out = ([], [])
        self.paused = [False, False]
        self.closing = None
        self.frames = [0, 0]
        self.ended = None

    def scan(self, direction, buf, start, end, now):
        mode = self.engine.mode
        if mode == "raise":
            raise ValueError("the engine stumbled")
        at = start
        while end - at >= SIZE.size:
            stop = at + SIZE.size + SIZE.unpack_from(buf, at)[0]
            if mode in ("decide", "swallow", "early") and stop > end:
                break
            self.frames[direction] += 1
            self.engine.sink(b"%d:%d;" % (direction, stop - at))
            if mode in ("decide", "swallow"):
                if mode == "decide" or direction or self.frames[0] % 2:
                    self.out[direction].append(bytes(buf[at:stop]))
                return stop, at, True
            at = stop
        if mode == "early":
            return at, end, None
        return at, min(at, end), None

    def eof(self, direction, now):
        return self.engine.half_close

    def closed(self, *, by_client, now):
        self.engine.ended.append([self.number, by_client])


class FakeEngine:
    def __init__(self, *, codec, sink, address):
        self.codec, self.sink, self.address = codec, sink, address
        self.asks, self.sides, self.dirty = [], [], set()
        self.links, self.ended, self.answers, self.notes = {}, [], [], []
        self.refused = set()
        self.mode = "pass"
        self.half_close = True
        self.wakes = []

    def open(self, owner, node, now, *, port=0):
        if owner in self.refused:
            return None
        number = len(self.links) + 1
        self.links[number] = FakeLink(self, number, owner, node)
        return self.links[number]

    def wake(self, now):
        due = [entry for entry in self.wakes if entry[0] <= now]
        self.wakes = [entry for entry in self.wakes if entry[0] > now]
        for _, link, data in due:
            link.out[1].append(data)
            self.dirty.add(link)

    def next_wake(self):
        return min((entry[0] for entry in self.wakes), default=None)

    def note(self, body, now):
        self.notes.append(dict(body))

    def answer(self, ask, value, now):
        self.answers.append([ask, value.hex() if isinstance(value, bytes) else value])


def no_codec():
    return None


def command(engine: FakeEngine, do: str, body: dict[str, Any], now: int) -> Any:
    """What a test can have the engine do."""
    try:
        handler = HANDLERS[do]
    except KeyError:
        raise UsageError(f"unknown command {do!r}") from None
    return handler(engine, {**body, "now": now})


def nothing(engine, body):
    return None


def change(engine, body):
    for name in body.keys() - {"id", "do", "now"}:
        setattr(engine, name, body[name])


def see(engine, body):
    frames = {str(number): link.frames for number, link in engine.links.items()}
    return {
        "ended": engine.ended, "answers": engine.answers, "notes": engine.notes, "frames": frames,
    }  # fmt: skip


def ask(engine, body):
    engine.asks.append({"ask": body["number"], "what": body["what"], "arguments": {"a": 1}})


def side(engine, body):
    engine.sides.append((body["number"], body["node"], bytes.fromhex(body["frame"])))


def refuse(engine, body):
    engine.refused.add(body["owner"])


def say(engine, body):
    link = engine.links[body["link"]]
    engine.wakes.append((body["now"] + body.get("after", 0), link, body["data"].encode()))


def close(engine, body):
    link = engine.links[body["link"]]
    link.closing = body["how"]
    engine.dirty.add(link)


def pause(engine, body):
    link = engine.links[body["link"]]
    link.paused[body["direction"]] = body["on"]
    engine.dirty.add(link)


def address(engine, body):
    return list(engine.address(body["owner"], body["node"], body["host"], body["port"]))


HANDLERS = {
    "begin": nothing, "end": nothing, "set": change, "see": see, "ask": ask, "side": side,
    "refuse": refuse, "say": say, "close": close, "pause": pause, "address": address,
}  # fmt: skip
