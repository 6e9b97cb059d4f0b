"""Which frame a rule means: distinct messages, attempts, acks that newly cover, several rules."""

from __future__ import annotations

import pytest

from pytest_mqchaos.frames import Point
from pytest_mqchaos.plan.nth import every
from pytest_mqchaos.plan.on import on
from pytest_mqchaos.plan.when import where
from pytest_mqchaos.recipes import base as act
from tests.relay.script import Talk


@pytest.fixture
def counting(recipe):
    """Rules that only note that they were triggered (drop), or that lose the frame (sever)."""

    def watch(fault, seen):
        yield [act.Forward(seen.frame), act.TookEffect("seen")]

    def lose(fault, seen):
        yield [act.Swallow(seen.frame), act.TookEffect("lost")]

    for point in Point:
        recipe(point, "drop", watch)
        recipe(point, "sever", lose)


def triggered(talk, index=0):
    """The labels of a rule's triggers."""
    return [n["text"] for n in talk.notes("rule") if (n["rule"], n["what"]) == (index, "triggered")]


PUBLISHES = "client P 1 t a + P 2 t b + P 3 t a + P 4 t c + P 5 t d + P 6 t a + P 7 t e"


@pytest.mark.parametrize(
    ("selectors", "expected"),
    [
        ({"nth": 1}, ["a"]),
        ({"nth": 3}, ["c"]),
        ({"nth": range(2, 4)}, ["b", "c"]),
        ({"nth": every(2)}, ["b", "d"]),
        ({"nth": None}, ["a", "b", "c", "d", "e"]),
        ({"nth": 1, "attempt": 2}, ["a"]),
        ({"nth": 1, "attempt": range(1, 4)}, ["a", "a", "a"]),
        ({"nth": 9}, []),
        ({"id": "d"}, ["d"]),
        ({"topic": "u"}, []),
        ({"topic": "t", "nth": 2}, ["b"]),
        ({"client": "worker-1", "nth": 2}, ["b"]),
        ({"when": where.value_contains("c")}, ["c"]),
    ],
)
def test_distinct_messages_are_counted(counting, selectors, expected):
    talk = Talk(on.publish(**selectors).drop())
    talk.do(PUBLISHES)
    assert triggered(talk) == [f"Publish of {id_}" for id_ in expected]
    assert talk.fired() == [len(expected)]


@pytest.mark.parametrize(("index", "matched"), [(0, 5), (1, 1)])
def test_matched_says_how_many(counting, index, matched):
    talk = Talk(on.publish(nth=9).drop(), on.publish(id="b").drop())
    talk.do(PUBLISHES)
    assert talk.engine.armory.armed[index].matched == matched


def test_without_ids_messages_are_told_apart_by_place_and_content(counting):
    talk = Talk(on.publish(nth=3).drop(), identity=None)
    talk.do("client P 1 t a + P 2 u a + P 3 t a + P 4 t b")
    assert triggered(talk) == ["Publish of #3"]


def test_a_batch_with_the_message_is_the_frame(counting):
    talk = Talk(on.publish(nth=range(2, 9)).drop())
    talk.do("client P 1 t a + P 2 t b,c,d,e,f")
    assert triggered(talk) == ["Publish of b, c, d ..."]


def test_frames_that_cannot_be_read_are_forwarded_counted_and_trigger_nothing(counting):
    talk = Talk(on.publish(nth=1).drop())
    talk.play("""
        client P 1 ?
          > P 1 ?
        client P 2 t a
          rule 0 triggered
          rule 0 took effect
          > P 2 t a
    """)
    assert talk.engine.recording.undecoded == 1


def test_control_requests_are_counted_one_by_one(counting):
    talk = Talk(on.control(api="Ping", nth=2).drop())
    talk.do("client M 1 + C 2 + C 3 + C 4")
    assert triggered(talk) == ["Ping of #2"]


def test_deliveries_are_counted_in_the_reply(counting):
    talk = Talk(on.deliver(nth=2).drop())
    talk.do("client F 1 + F 2 + F 3")
    talk.do("broker 1 empty + 2 t=0:a,1:b + 3 t=2:c")
    assert triggered(talk) == ["Fetch of b"]


def test_our_own_publisher_counts_for_publishes_only(counting):
    rules = [on.publish(nth=1).drop(), on.control(api="Ping", nth=1).drop(), on.ack(nth=1).drop()]
    talk = Talk(*rules, owner="publisher")
    talk.do("client F 1 + C 2")
    talk.do("broker 1 t=0:a")
    talk.do("client A 3 g t:1 + P 4 t b")
    assert [len(triggered(talk, index)) for index in range(3)] == [1, 0, 0]


def test_who_is_being_stopped_matches_no_rule(counting):
    talk = Talk(on.publish(nth=1).drop())
    talk.open("worker-2#1")
    talk.do("closing worker-1#1")
    talk.do("client P 1 t a")
    assert triggered(talk) == []
    talk.do("client#2 P 1 t b")
    assert triggered(talk) == ["Publish of b"]


# ---------------------------------------------------------------- two rules on one frame


def test_the_second_rule_on_a_frame_acts_on_the_next_with_the_same_message(counting):
    talk = Talk(on.publish(nth=2).sever(), on.publish(nth=2).drop()).play("""
        client P 1 t a + P 2 t b,c
          rule 0 triggered
          rule 0 took effect
          > P 1 t a
        client P 3 t c
          > P 3 t c
        client P 4 t b
          rule 1 triggered
          rule 1 took effect
          > P 4 t b
        client P 5 t b
          > P 5 t b
    """)
    assert talk.fired() == [1, 1]


def test_the_second_rule_on_a_control_request_acts_on_the_next(counting):
    talk = Talk(on.control(api="Ping", nth=1).drop(), on.control(api="Ping", nth=1).drop())
    talk.do("client C 1 + C 2 + C 3")
    assert triggered(talk, 0) == ["Ping of #1"]
    assert triggered(talk, 1) == ["Ping of #2"]


def test_rules_on_the_confirm_are_set_off_by_the_publish(counting):
    talk = Talk(on.confirm(nth=1).drop(), on.publish(nth=2).drop())
    talk.do("client P 1 t a + P 2 t b")
    assert [triggered(talk, 0), triggered(talk, 1)] == [["Publish of a"], ["Publish of b"]]


# ---------------------------------------------------------------- acks


def acks(talk, *frames):
    talk.do("client F 1")
    talk.do("broker 1 t=0:a,1:b,2:c,3:d")
    for number, frame in enumerate(frames, 2):
        talk.do(f"client A {number} {frame}")
        talk.do(f"broker {number} ok")


@pytest.mark.parametrize(
    ("frames", "labels"),
    [
        (["g t:1", "g t:2", "g t:3"], ["a", "b", "c"]),
        (["g t:3"], ["a, b, c"]),
        (["g t:2", "g t:2", "g t:1", "g t:4"], ["a, b", "c, d"]),
        (["g t:0", "g u:9"], []),
        (["g t:900"], ["a, b, c ..."]),
        (["g t:2", "h t:3"], ["a, b", "c"]),  # h's a and b are no new messages
    ],
)
def test_an_ack_counts_what_it_newly_covers(counting, frames, labels):
    talk = Talk(on.ack().drop())
    acks(talk, *frames)
    assert triggered(talk) == [f"Ack of {label}" for label in labels]


def test_each_group_covers_for_itself(counting):
    talk = Talk(on.ack(group="h", nth=2).drop())
    acks(talk, "g t:4", "h t:1", "h t:2")
    assert triggered(talk) == ["Ack of b"]
    assert talk.engine.armory.armed[0].matched == 2


def test_another_worker_covers_only_what_it_was_given(counting):
    talk = Talk(on.ack().drop())
    talk.open("worker-2#1")
    talk.do("client F 1")
    talk.do("broker 1 t=0:a,1:b")
    talk.do("client#2 A 1 g t:2")
    assert triggered(talk) == []
    assert talk.fired() == [0]


def test_an_ack_after_a_redelivery_is_a_second_attempt(counting):
    talk = Talk(on.ack(nth=2, attempt=2).drop())
    acks(talk, "g t:2")
    assert triggered(talk) == []
    talk.do("client F 9")
    talk.do("broker 9 t=1:b,2:c")
    talk.do("client A 10 g t:3")
    assert triggered(talk) == ["Ack of b"]


def test_an_ack_that_was_lost_covered_nothing(counting):
    talk = Talk(on.ack(nth=1).sever(), on.ack(nth=1, attempt=2).drop(), on.ack(nth=2).drop())
    acks(talk, "g t:1", "g t:2")
    assert triggered(talk, 0) == ["Ack of a"]
    assert triggered(talk, 1) == ["Ack of a"]
    assert talk.fates()[0] == ("A 2 g t:1", "swallowed", 0)


def test_a_rule_on_acks_can_ask_for_the_content(counting):
    talk = Talk(on.ack(when=where.value_contains("c")).drop())
    acks(talk, "g t:1", "g t:4")
    assert triggered(talk) == ["Ack of c"]
