"""Recipes as tables: what happens, and in words what the recipe then does.

P = the triggering frame, R = the reply to it; "+30" is ms after the event's own time
"""

from __future__ import annotations

from pytest_mqchaos.faults.registry import FAULTS
from pytest_mqchaos.frames import Direction, Frame, Outcome, Point, Record, Sighting
from pytest_mqchaos.recipes import base as act
from pytest_mqchaos.recipes.registry import recipe_for
from pytest_mqchaos.wire.kafka.apis import KEYS, name_of
from pytest_mqchaos.wire.kafka.entities import write_reply, write_request

MS = 1_000_000
T = 1000 * MS
FIELDS = {
    "Produce": {
        "acks": -1,
        "topic_data": [{"name": "t", "partition_data": [{"index": 0, "records": b""}]}],
    },
    "OffsetCommit": {
        "group_id": "g",
        "topics": [{"name": "t", "partitions": [{"partition_index": 0}]}],
    },
    "Metadata": {"topics": [{"name": "t"}]},
}


def request(name="Produce", version=9, **more):
    raw = write_request(KEYS[name], version, 7, "app", {**FIELDS.get(name, {}), **more})
    return Frame(
        direction=Direction.TO_BROKER, kind=KEYS[name], version=version, correlation=7, name=name,
        raw=raw, expects_reply=more.get("acks", -1) != 0,
    )  # fmt: skip


def reply_to(asked, **fields):
    return Frame(
        direction=Direction.TO_CLIENT, kind=asked.kind, version=asked.version, correlation=7,
        name=asked.name, raw=write_reply(asked.kind, asked.version, 7, fields), request=asked,
    )  # fmt: skip


def said(point=Point.PUBLISH, **fields):
    return Sighting(point=point, name="", **fields)


class Steps:
    """One recipe at work: each event gives the words for what it does."""

    def __init__(self, point, verb, frame=None, sighting=None, **fault):
        self.frame = frame or request()
        self.reply = None
        self.recipe = recipe_for("kafka", Point(point), FAULTS[verb](**fault))
        self.sighting = sighting or said(acks=0 if not self.frame.expects_reply else -1)
        self.now = T

    def at(self, event):
        self.now = getattr(event, "t", self.now)
        return [self.word(action) for action in self.recipe.on(event)]

    def first(self):
        seen = act.FrameSeen(frame=self.frame, sighting=self.sighting, first=True, t=T)
        return self.at(seen)

    def later(self, partition=0):
        record = Record("t", partition, -1, None, b"")
        frame = request()
        return self.at(
            act.FrameSeen(frame=frame, sighting=said(records=(record,)), first=False, t=T)
        )

    def replied(self, code=0, reply=None):
        self.reply = reply or reply_to(self.frame)
        outcomes = (Outcome("t", 0, code),)
        return self.at(
            act.ReplySeen(frame=self.reply, sighting=said(Point.CONFIRM, outcomes=outcomes), t=T)
        )

    def drained(self):
        return self.at(act.Drained(t=T))

    def timer(self, ms=0):
        return self.at(act.Timer(t=T + ms * MS))

    def answered(self, value):
        return self.at(act.Answer(value=value, t=T))

    def closed(self, *, by_client=True):
        return self.at(act.Closed(by_client=by_client, t=T))

    def name(self, frame):
        return "P" if frame is self.frame else "R" if frame is self.reply else "?"

    def word(self, action):
        match action:
            case act.Forward(frame, data):
                return f"forward {self.name(frame)}" + (" edited" if data else "")
            case act.Swallow(frame) | act.Hold(frame):
                return f"{type(action).__name__.lower()} {self.name(frame)}"
            case act.Reply(frame, _, code):
                return f"reply {code} to {self.name(frame)}"
            case act.WakeAt(t):
                return f"wake +{(t - self.now) // MS}"
            case act.TookEffect(text):
                return f"effect: {text}"
            case act.Unharmed(text):
                return f"unharmed: {text}"
        return self.other(action)

    def other(self, action):
        match action:
            case act.Gate(direction):
                return f"gate {direction.name}"
            case act.Sever(reset):
                return "reset" if reset else "sever"
            case act.SideRequest(data):
                return f"side {name_of(int.from_bytes(data[4:6], 'big'))}"
            case act.Ask(what, arguments):
                given = " ".join(f"{key}={value}" for key, value in sorted(arguments.items()))
                return f"ask {what} {given}"
        return type(action).__name__.lower()
