"""Conversations with an engine, written as they should go. What is done stands at the left; what
must follow from it is indented below, in order, and nothing else may follow:

    client P 1 t a              a frame from the client (client#2: on link 2, /3: cut every 3 bytes)
      > P 1 t a                 what leaves towards the broker
    broker 1 ok                 a frame from the broker
      < 1 ok                    what leaves towards the client
    at 30                       30 ms on the clock; timers that are due
      rule 0 took effect        a step in a rule's life
      ask 1 kill_broker         a question to the controller (`answer 1 {"done": true}` answers it)
      side 2 L m                a request of our own (`reply 2 0 ok`, `reply 2` = it failed)
      flush | reset             the link is to be closed
    client eof, broker eof      a side has said all (`passed` when the other side is to be told)
    client gone, broker gone    both sides are closed, by ...

`play` writes down what really followed; the two texts are compared as lines.
"""

from __future__ import annotations

import json
from difflib import ndiff
from textwrap import dedent, indent

from pytest_mqchaos.frames import Direction
from pytest_mqchaos.history.spool import NoteEntry, read
from pytest_mqchaos.relay.engine import Engine
from tests.relay.toy import ToyCodec, pack, texts

MS = 1_000_000


class Lane:
    """One direction of a link in the smallest shell: `sent` and `parsed` are apart, because a frame
    may leave before it is whole."""

    def __init__(self):
        self.buf, self.sent, self.parsed = bytearray(), 0, 0

    def run(self, link, direction, now):
        out = link.out[direction]
        out.append(self.upto(self.parsed))
        while self.parsed < len(self.buf) and not link.paused[direction]:
            before, out[:] = list(out), []
            self.parsed, forward, decided = link.scan(
                direction, self.buf, self.parsed, len(self.buf), now
            )
            out[:0] = [*before, self.upto(forward)]
            if not decided:
                break
            self.sent = max(self.sent, self.parsed)
        out.append(self.upto(self.parsed) if self.parsed > len(self.buf) else b"")

    def upto(self, limit):
        data = bytes(self.buf[self.sent : limit])
        self.sent += len(data)
        return data


class Talk:
    """An engine with one link (more with `open`), a clock in ms and all that it wrote."""

    def __init__(self, *rules, codec=None, identity="value", owner="worker-1#1", record=True):
        self.now = 0
        self.codec = codec or ToyCodec()
        self.packed = []
        self.engine = Engine(codec=self.codec, sink=self.packed.append, address=self.address)
        self.links = {}
        self.lanes = ({}, {})  # by direction and link
        self.raw = (bytearray(), bytearray())  # everything that left, as bytes (all links)
        self.told = 0
        self.ended = set()
        self.engine.begin({"identity": identity, "record": record}, 0)
        self.open(owner)
        if rules:
            self.arm(*rules)
        self.lines()

    def address(self, owner, node, host, port):
        return owner, 9000 + node

    def open(self, owner="worker-1#1", node=1):
        link = self.engine.open(owner, node, self.now, port=7)
        if link is not None:
            self.links[len(self.links) + 1] = link
        return link

    def arm(self, *rules, start=0):
        self.engine.arm(enumerate(rules, start), self.now)

    @property
    def link(self):
        return self.links[1]

    # ------------------------------------------------------------ what is done

    def feed(self, number, direction, data, step=0):
        """Give bytes as a shell would: `step` at a time, keeping what is not parsed yet."""
        lane = self.lanes[direction].setdefault(number, Lane())
        for at in range(0, len(data), step or len(data)):
            lane.buf += data[at : at + (step or len(data))]
            lane.run(self.links[number], direction, self.now)

    def do(self, line):
        who, _, what = line.partition(" ")
        side, _, rest = who.partition("#")
        side, _, step = side.partition("/")
        if side in ("client", "broker"):
            self.speak(side, int(rest or 1), int(step or 0), what)
        elif side == "at":
            self.now = int(what) * MS
            self.engine.wake(self.now)
        elif side in ("answer", "reply"):
            number, _, value = what.partition(" ")
            value = value and json.loads(value) if side == "answer" else value and pack(value)
            self.engine.answer(int(number), value or None, self.now)
        elif side == "disarm":
            self.engine.disarm()
        else:
            getattr(self.engine, who)(*([what] if what else []), self.now)

    def speak(self, side, number, step, what):
        direction = Direction.TO_BROKER if side == "client" else Direction.TO_CLIENT
        link = self.links[number]
        if what == "eof":
            self.passed = link.eof(direction, self.now)
        elif what == "gone":
            link.closed(by_client=side == "client", now=self.now)
        else:
            self.feed(number, direction, b"".join(map(self.written, what.split(" + "))), step)

    def written(self, text):
        """The bytes of one frame of a script; another protocol has another way."""
        return pack(text)

    def shown(self, direction, data):
        """The frames in a run of bytes, as a script writes them."""
        return texts(data)

    # ------------------------------------------------------------ what follows

    passed = False

    def lines(self):
        """What has happened since the last call, as lines."""
        found = [f"rule {n['rule']} {n['what']}" for n in self.new_notes() if n["note"] == "rule"]
        for number, link in self.links.items():
            mark = "" if number == 1 else f"#{number}"
            for direction, arrow in zip(Direction, "><", strict=True):
                data = b"".join(link.out[direction])
                self.raw[direction].extend(data)
                found += [f"{arrow}{mark} {it}" for it in self.shown(direction, data)]
                link.out[direction].clear()
            if link.closing is not None and number not in self.ended:
                self.ended.add(number)
                found.append(f"{link.closing}{mark}")
        found += [f"ask {ask['ask']} {ask['what']}" for ask in self.engine.asks]
        found += [f"side {n} {' '.join(texts(data))}" for n, _, data in self.engine.sides]
        found += ["passed"] * self.passed
        self.engine.asks.clear()
        self.engine.sides.clear()
        assert self.engine.dirty <= set(self.links.values())
        self.engine.dirty.clear()
        self.passed = False
        return found

    def entries(self):
        return list(read(b"".join(self.packed)))

    def notes(self, kind=None):
        found = [entry.body for entry in self.entries() if isinstance(entry, NoteEntry)]
        return [body for body in found if kind in (None, body["note"])]

    def new_notes(self):
        notes = self.notes()
        new, self.told = notes[self.told :], len(notes)
        return new

    def fates(self):
        """What became of each frame that was held: its text -> what, and by which rule."""
        frames = {e.seq: e.raw[4:].decode() for e in self.entries() if hasattr(e, "raw")}
        return [(frames[n["frame"]], n["fate"], n["by"]) for n in self.notes("fate")]

    def reasons(self, index=0):
        return self.engine.armory.armed[index].reasons

    def fired(self):
        return [armed.fired for armed in self.engine.armory.armed]

    def play(self, text):
        """Do what stands at the left; compare what followed with what is indented."""
        wanted = [line.rstrip() for line in dedent(text).strip().splitlines()]
        seen = []
        for line in wanted:
            if not line.startswith(" "):
                seen.append(line)
                self.do(line)
                seen += indent("\n".join(self.lines()), "  ").splitlines()
        assert seen == wanted, "\n" + "\n".join(ndiff(wanted, seen))
        return self
