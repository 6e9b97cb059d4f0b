"""Write a run's timeline briefly: each call is one event, 1 ms after the one before.

    run().publish("a").deliver("a").effect("a").ack().history()

`publish` is confirmed and stored unless told otherwise; positions at the end follow from the
confirmed acks unless `place` says otherwise.
"""

from __future__ import annotations

from dataclasses import replace

from pytest_mqchaos.history.history import Expected, Flow, History
from pytest_mqchaos.history.identity import content
from pytest_mqchaos.history.rows import (
    Accepted,
    Ack,
    Attempt,
    Delivery,
    Effect,
    Handled,
    Place,
    RuleState,
    Stored,
)

MS = 1_000_000
RULE = RuleState(source="on.ack(nth=1).drop()", cause="a reply lost", fired=1, matched=1,
                 optional=False)  # fmt: skip
DRAWN = replace(RULE, optional=True)
UNFIRED = replace(DRAWN, fired=0)


class Timeline:
    """Rows in the making. Topics: "in" is the input, "retry", "out" and "dead" have those roles."""

    def __init__(self, inputs=("in",), rules=(RULE,)):
        self.flow = Flow(
            inputs=frozenset(inputs), retries=frozenset({"retry"}), outputs=frozenset({"out"}),
            dead_letters=frozenset({"dead"}),
        )  # fmt: skip
        self.rules = rules
        self.now = 0
        self.attempts, self.deliveries, self.acks, self.log = [], [], [], []
        self.effects, self.handled, self.accepts, self.places = [], [], [], []
        self.ends = {}
        self.groups = {}
        self.more = {}

    def _tick(self):
        self.now += 1
        return self.now

    def log_add(self, name, topic="in", p=0, key=None, value=None):
        """The broker stores a message (nobody was seen to send it)."""
        offset = self.ends.get((topic, p), 0)
        self.ends[topic, p] = offset + 1
        value = name.encode() if value is None else value
        self.log.append(Stored(topic, p, offset, name, key, value, content(key, value)))
        return self

    def publish(self, name, *, topic="in", p=0, key=None, value=None, link=1, owner="producer",
                outcome="confirmed", reached=True, stored=None, acks=-1, txn=None, confirm=True,
                same_frame=False, headers=(), pid=-1):  # fmt: skip
        """One attempt. `confirm=False`: the confirm comes later, by `confirm(name)`."""
        seq = self.now if same_frame else self._tick()
        offset = -1
        if stored if stored is not None else (reached and outcome != "refused"):
            self.log_add(name, topic, p, key, value)
            offset = self.log[-1].offset
        told = confirm and outcome != "unknown"
        value = name.encode() if value is None else value
        end = self._tick() if told else 0
        self.attempts.append(
            Attempt(seq, seq * MS, link, owner, "c", topic, p, name, key, value,
                    content(key, value), acks, reached, outcome if told else "unknown", end,
                    end * MS, offset if outcome == "confirmed" and told else -1,
                    6 if outcome == "refused" else 0, pid, -1, txn, tuple(headers))
        )  # fmt: skip
        return self

    def tombstone(self, name, key):
        """A message without a value."""
        self.publish(name, key=key)
        digest = content(key, None)
        self.attempts[-1] = self.attempts[-1]._replace(value=None, content=digest)
        self.log[-1] = self.log[-1]._replace(value=None, content=digest)
        return self

    def confirm(self, name):
        """The confirm of the latest open attempt of this id."""
        at = max(i for i, a in enumerate(self.attempts) if a.id == name and a.outcome == "unknown")
        end = self._tick()
        self.attempts[at] = self.attempts[at]._replace(
            outcome="confirmed", end_seq=end, end_t=end * MS
        )
        return self

    def deliver(self, *names, group="g", owner="worker-1#1", topic="in", p=None, reached=True,
                headers=(), nth=0):  # fmt: skip
        """One frame hands over these messages (copy number `nth` of each) to one owner."""
        seq = self._tick()
        for name in names:
            rows = [s for s in self.log if s.id == name and s.topic == topic
                    and p in (None, s.partition)]  # fmt: skip
            row = rows[nth]
            self.deliveries.append(
                Delivery(seq, seq * MS, 2, owner, group, row.topic, row.partition, row.offset,
                         name, row.key, row.value, row.content, reached, tuple(headers))
            )  # fmt: skip
            if group is not None:
                self.groups.setdefault((group, row.topic, row.partition), -1)
        return self

    def ack(self, offset=None, *, group="g", owner="worker-1#1", topic="in", p=0, reached=True,
            outcome="confirmed"):  # fmt: skip
        """A commit: up to `offset`, by default everything stored so far."""
        seq = self._tick()
        offset = self.ends.get((topic, p), 0) if offset is None else offset
        outcome = outcome if reached else "unknown"
        self.acks.append(Ack(seq, seq * MS, 2, owner, group, "m", topic, p, offset, reached,
                             outcome, seq, seq * MS, 0))  # fmt: skip
        if outcome == "confirmed":
            self.groups[group, topic, p] = offset
        return self

    def asks_from(self, offset, *, group="g", owner="worker-1#1", topic="in", p=0):
        """A reader asks for messages from here on; of several times the lowest is kept."""
        if group is not None:
            self.groups.setdefault((group, topic, p), -1)
        asked = self.more.setdefault("asked", {})
        reader = owner, group, topic, p
        asked[reader] = min(offset, asked.pop(reader, offset))
        return self

    def effect(self, name, *, part=None, by=None, key=None, value=None, timed=True, order=True,
               posthumous=False, countable=True, span=None, owner="worker-1#1",
               source=None, gone=False):  # fmt: skip
        """The work of a message is done."""
        t = self._tick() * MS
        low, high = span or ((t, t) if timed else (0, 0))
        self.effects.append(
            Effect(self.now if order else None, low, high, name, part, by, key, value,
                   owner, posthumous, countable, gone, source)
        )  # fmt: skip
        return self

    def work(self, *names, **more):
        """Delivered, done and acked, one after the other."""
        for name in names:
            at = next(s for s in self.log if s.id == name and s.topic == "in")
            self.deliver(name, **more).effect(name).ack(at.offset + 1, p=at.partition, **more)
        return self

    def reconnect(self, old, new):
        """Link `old` ends, then link `new` is opened."""
        spans = self.more.setdefault("spans", {})
        spans[old] = (spans.get(old, (0, 0))[0], self._tick())
        spans[new] = (self._tick(), 0)
        return self

    def start(self, name):
        self.handled.append(Handled(self._tick() * MS, name, "worker-1#1"))
        return self

    def accept(self, name):
        self.accepts.append(Accepted(self._tick() * MS, name))
        return self

    def place(self, committed, *, group="g", topic="in", p=0, active=0):
        """Say where a group stands at the end."""
        end = self.ends.get((topic, p), 0)
        self.places.append(Place(group, topic, p, committed, 0, end, active))
        return self

    def lose(self, name, topic="in"):
        """The log no longer holds this message at the end."""
        self.log = [s for s in self.log if (s.id, s.topic) != (name, topic)]
        return self

    def expect(self, **reasons):
        self.more["expected"] = Expected(**{k: frozenset(v) for k, v in reasons.items()})
        return self

    def but(self, **fields):
        """Set fields of the history as they are."""
        self.more.update(fields)
        return self

    def history(self):
        said = {(p.group, p.topic, p.partition) for p in self.places}
        rest = [
            Place(*at, committed, 0, self.ends.get(at[1:], 0), 0)
            for at, committed in self.groups.items()
            if at not in said
        ]
        return History(**{
            "attempts": tuple(self.attempts), "deliveries": tuple(self.deliveries),
            "acks": tuple(self.acks), "stored": tuple(self.log), "flow": self.flow,
            "places": tuple(self.places + rest), "effects": tuple(self.effects),
            "handled": tuple(self.handled), "accepted": tuple(self.accepts), "rules": self.rules,
            **self.more,
        })  # fmt: skip

    def ask(self, checker):
        return checker(self.history())


def run(**options):
    return Timeline(**options)
