"""Laws for every conversation, every chunking, every rule that only holds and lets go: the bytes
that leave are the bytes that came, in their order, and nothing is left behind."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pytest_mqchaos.frames import Direction
from pytest_mqchaos.plan.on import on
from pytest_mqchaos.recipes import base as act
from pytest_mqchaos.recipes import registry
from pytest_mqchaos.recipes.base import Scripted, until
from tests.relay.script import MS, Talk
from tests.relay.toy import pack, texts

TO_BROKER, TO_CLIENT = Direction.TO_BROKER, Direction.TO_CLIENT


def frame_late(fault, seen):
    wake = act.WakeAt(seen.t + int(fault.seconds * 1e9))
    yield from until(act.Timer, do=[act.Hold(seen.frame), wake])
    yield [act.Forward(seen.frame), act.TookEffect("late")]


def reply_late(fault, seen):
    gate = [act.Gate(TO_BROKER)] * (fault.seconds > 0.02)
    event = yield from until(act.ReplySeen, act.Closed, do=[act.Forward(seen.frame), *gate])
    if isinstance(event, act.ReplySeen):
        wake = act.WakeAt(event.t + int(fault.seconds * 1e9))
        yield from until(act.Timer, do=[act.Hold(event.frame), act.Gate(TO_CLIENT), wake])
        yield [act.Forward(event.frame), act.TookEffect("late")]


KNOWN = {
    ("publish", "delay"): frame_late,
    ("confirm", "delay"): reply_late,
    ("deliver", "delay"): frame_late,
    ("control", "delay"): frame_late,
}
RECIPES = {
    place: (lambda fault, write=write: Scripted(lambda seen: write(fault, seen)))
    for place, write in KNOWN.items()
}


@pytest.fixture(autouse=True, scope="module")
def _recipes():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(registry, "table", lambda protocol: RECIPES)
        yield


POINTS = st.sampled_from([on.publish, on.confirm, on.deliver])
NTH = st.one_of(st.none(), st.integers(1, 4))
RULES = st.lists(
    st.builds(lambda point, nth, s: point(nth=nth).delay(s), POINTS, NTH, st.floats(0.001, 0.1)),
    max_size=4,
)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("client"), st.sampled_from("PPpFACM"), st.sampled_from("abcd")),
        st.tuples(st.just("broker"), st.integers(1, 3), st.just("")),
        st.tuples(st.just("at"), st.integers(1, 60), st.just("")),
    ),
    max_size=30,
)


def request(kind, number, id_):
    rest = {"P": f" t {id_}", "p": f" t {id_}", "A": f" g t:{number}"}.get(kind, "")
    return f"{kind} {number}{rest}"


class Sides:
    """A client that numbers its requests, and a broker that answers what reached it, in order."""

    def __init__(self, talk, cut):
        self.talk, self.cut = talk, cut
        self.said = (bytearray(), bytearray())
        self.requests = self.answered = 0

    def client(self, kind, id_):
        self.requests += 1
        self.say(TO_BROKER, pack(request(kind, self.requests, id_)))

    def broker(self, count):
        arrived = [t for t in texts(self.talk.raw[TO_BROKER]) if not t.startswith("p")]
        for text in arrived[self.answered : self.answered + count]:
            self.answered += 1
            kind, number = text.split()[:2]
            said = f"t={number}:{'abcd'[int(number) % 4]}" if kind == "F" else "ok"
            self.say(TO_CLIENT, pack(f"{number} {said}"))

    def say(self, direction, data):
        self.said[direction].extend(data)
        self.talk.feed(1, direction, data, self.cut)
        self.talk.lines()

    def step(self, what, first, second):
        if what == "client":
            self.client(first, second)
        elif what == "broker":
            self.broker(first)
        else:
            self.talk.now += first * MS
            self.talk.engine.wake(self.talk.now)
            self.talk.lines()
        for direction in Direction:
            assert self.said[direction].startswith(self.talk.raw[direction])


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(rules=RULES, steps=STEPS, cut=st.integers(0, 9), record=st.booleans())
def test_what_comes_leaves_as_it_came(rules, steps, cut, record):
    talk = Talk(*rules, record=record)
    sides = Sides(talk, cut)
    for step in steps:
        sides.step(*step)
    talk.engine.disarm()
    talk.engine.heal(talk.now)
    talk.lines()
    while sides.answered < len([t for t in texts(talk.raw[0]) if not t.startswith("p")]):
        sides.broker(1)
    assert talk.raw == sides.said
    assert not talk.engine.firings
    assert talk.link.firings == []
    assert not talk.link.backlog
    assert not talk.link.scanner.outstanding
    assert talk.link.scanner.every == [False, False]
    assert talk.link.paused == [False, False]
    assert talk.link.closing is None


@settings(max_examples=50, deadline=None)
@given(rules=RULES, steps=STEPS, cuts=st.tuples(st.integers(0, 9), st.integers(0, 9)))
def test_the_history_does_not_depend_on_how_bytes_are_cut(rules, steps, cuts):
    histories = []
    for cut in cuts:
        talk = Talk(*rules)
        sides = Sides(talk, cut)
        for step in steps:
            sides.step(*step)
        talk.engine.end(talk.now)
        histories.append(b"".join(talk.packed))
    assert histories[0] == histories[1]
