"""Runs, commands and the record: what begins anew, what outlives a run, what is written."""

from __future__ import annotations

import pytest

from pytest_mqchaos.errors import UsageError
from pytest_mqchaos.history.spool import CLOSING, HELD, FrameEntry
from pytest_mqchaos.plan.on import on
from pytest_mqchaos.recipes import base as act
from pytest_mqchaos.recipes.base import until
from pytest_mqchaos.relay import recording
from pytest_mqchaos.relay.commands import command
from tests.relay.script import MS, Talk


def late(fault, seen):
    wake = act.WakeAt(seen.t + 50 * MS)
    yield from until(act.Timer, do=[act.Hold(seen.frame), wake])
    yield [act.Forward(seen.frame), act.TookEffect("late")]


def asking(fault, seen):
    yield from until(act.Answer, do=[act.Hold(seen.frame), act.Ask("kill")])
    yield [act.Forward(seen.frame), act.TookEffect("killed")]


def frames(talk):
    return [entry for entry in talk.entries() if isinstance(entry, FrameEntry)]


def run(talk, do, **body):
    return command(talk.engine, do, body, talk.now)


# ---------------------------------------------------------------- runs


def test_a_new_run_counts_from_one_on_links_that_stay(recipe):
    recipe("publish", "delay", late)
    talk = Talk(on.publish(nth=1).delay(1)).play("""
        client P 1 t a
          rule 0 triggered
        end
          rule 0 unharmed
          > P 1 t a
    """)
    run(talk, "begin", settings={"identity": "value"})
    run(talk, "arm", rules=[{"index": 0, "rule": on.publish(nth=1).delay(1).to_json()}])
    talk.play("""
        broker 1 ok
          rule 0 armed
          < 1 ok
        client P 2 t b
          rule 0 triggered
        at 50
          rule 0 took effect
          > P 2 t b
    """)
    assert [n["link"] for n in talk.notes("link")] == [1, 1]


def test_after_the_end_nothing_is_recorded_and_nothing_matches(recipe):
    recipe("publish", "delay", late)
    talk = Talk(on.publish().delay(1)).play("""
        end
        client P 1 t a
          > P 1 t a
    """)
    assert frames(talk) == []
    assert talk.engine.next_wake() is None


def test_an_answer_that_comes_after_the_end_is_nobodys(recipe):
    recipe("publish", "kill_broker", asking)
    talk = Talk(on.publish(nth=1).kill_broker()).play("""
        client P 1 t a
          rule 0 triggered
          ask 2 kill
        end
          rule 0 unharmed
          > P 1 t a
        answer 2 {"done": true}
    """)
    assert talk.reasons() == ["the test was over before the answer came"]
    assert not talk.engine.firings
    assert talk.link.firings == []


def test_a_run_that_begins_ends_the_one_before(recipe):
    recipe("publish", "delay", late)
    talk = Talk(on.publish(nth=1).delay(1)).play("""
        client P 1 t a
          rule 0 triggered
    """)
    run(talk, "begin")
    talk.play("""
        broker 1 ok
          rule 0 unharmed
          > P 1 t a
          < 1 ok
    """)


def test_owners_that_were_cut_are_welcome_in_the_next_run():
    talk = Talk()
    run(talk, "cut", owner="worker-1#1")
    assert talk.link.closing == "flush"
    assert talk.open() is None
    run(talk, "begin")
    assert talk.open() is not None


def test_a_rule_without_a_recipe_is_refused_before_any_is_armed(recipe):
    recipe("publish", "delay", late)
    talk = Talk()
    with pytest.raises(UsageError, match=r"no recipe for .drop\(\) at publish"):
        talk.arm(on.publish(nth=1).delay(1), on.publish(nth=1).drop())
    assert talk.engine.armory.armed == []
    talk.play("""
        client P 1 t a
          > P 1 t a
    """)


def test_nothing_holds_up_who_is_being_stopped(recipe):
    recipe("publish", "delay", late)
    talk = Talk(on.publish(nth=1).delay(1), on.publish(nth=2).delay(1))
    talk.open("worker-2#1")
    talk.play("""
        client P 1 t a
          rule 0 triggered
        client#2 P 1 t b
          rule 1 triggered
    """)
    run(talk, "closing", owner="worker-1#1")
    talk.play("""
        client P 2 t c
          rule 0 unharmed
          > P 1 t a
          > P 2 t c
    """)
    assert talk.reasons() == ["worker-1#1 was stopped first"]
    assert [bool(entry.flags & CLOSING) for entry in frames(talk)] == [False, False, True]
    assert talk.notes("closing") == [{"note": "closing", "owner": "worker-1#1"}]


# ---------------------------------------------------------------- commands


def test_an_unknown_command_names_the_nearest():
    with pytest.raises(UsageError, match=r"unknown command 'dissarm'. Did you mean 'disarm'"):
        run(Talk(), "dissarm")


def test_status_says_all_that_settling_needs(recipe):
    recipe("publish", "delay", late)
    talk = Talk(on.publish(nth=2).delay(1))
    talk.open("worker-2#1")
    talk.open("worker-3#1")
    talk.do("client P 1 t a + P 2 t b + C 3")
    talk.do("client#2 P 1 t c")
    talk.do("closing worker-2#1")
    talk.engine.cut("worker-3#1", 0)
    talk.feed(2, 1, b"\xff\xff\xff\xff")
    status = run(talk, "status")
    assert status.pop("moved") == 0
    assert status.pop("entries") > 0
    assert status == {
        "now": 0, "open_publishes": 2, "held": 1, "asked": 0, "dark": 0, "firing": [0],
        "timers": 1,
        "links": {"worker-1#1": 1, "worker-2#1": 1, "worker-3#1": 1}, "undecoded": 0,
        "blind": [f"a frame of {0xFFFFFFFF} bytes"],
        "rules": [{"index": 0, "fired": 0, "matched": 3, "reasons": [], "firing": 1}],
    }  # fmt: skip
    run(talk, "disarm")
    run(talk, "heal")
    assert run(talk, "rules")["rules"][0] == {
        "index": 0, "fired": 0, "matched": 3, "reasons": ["the test ended first"], "firing": 0,
    }  # fmt: skip
    assert run(talk, "end") == {}


def test_anything_can_be_noted():
    talk = Talk()
    run(talk, "note", body={"note": "mine", "n": 1})
    assert talk.notes("mine") == [{"note": "mine", "n": 1}]


# ---------------------------------------------------------------- the record


def test_frames_stand_in_the_history_in_the_order_of_receipt(recipe):
    recipe("publish", "delay", late)
    talk = Talk(on.publish(nth=1).delay(1))
    talk.do("client P 1 t a + P 2 t b")
    talk.do("at 50")
    talk.do("broker 1 ok + 2 ok")
    seen = [(e.raw[4:].decode(), e.t // MS, bool(e.flags & HELD)) for e in frames(talk)]
    assert seen == [
        ("P 1 t a", 0, True), ("P 2 t b", 0, True), ("1 ok", 50, False), ("2 ok", 50, False),
    ]  # fmt: skip
    first, second, *replies = frames(talk)
    assert [reply.request_seq for reply in replies] == [first.seq, second.seq]
    assert [note["frame"] for note in talk.notes("fate")] == [first.seq, second.seq]


def test_addresses_are_the_owners_own_and_names_of_topics_are_noted_once():
    talk = Talk()
    talk.engine._interest = type(talk.engine._interest)(
        track=True, record=True, replies=frozenset({"Members"})
    )
    talk.link.scanner.look(talk.engine._interest)
    talk.play("""
        client M 1 + M 2
          > M 1
          > M 2
        broker 1 at@broker:9092 + 2 topic=orders
          < 1 at@worker-1#1:9001
          < 2 topic=orders
    """)
    assert talk.notes("topics") == [{"note": "topics", "names": {"01": "orders"}}]


@pytest.mark.parametrize(
    ("said", "moved"),
    [
        ("client P 1 t a", True),
        ("client C 1", False),
        ("client F 1", False),
        ("client A 1 g t:3", True),
        ("client A 1 g t:2", False),
        ("client A 1 h t:1", True),
        ("client A 1 ?", True),
        ("broker 9 empty", False),
        ("broker 9 t=0:a", True),
        (f"broker 9 t=0:{'a' * 600}", True),
    ],
)
@pytest.mark.parametrize("watched", [False, True])
def test_what_moves_something_and_what_does_not(recipe, said, moved, watched):
    recipe("ack", "delay", late)
    recipe("deliver", "delay", late)
    rules = [on.ack(nth=90).delay(1), on.deliver(nth=90).delay(1)] if watched else []
    talk = Talk(*rules)
    talk.do("client F 9 + A 8 g t:2")
    talk.now = 7 * MS
    assert run(talk, "status")["moved"] == 0
    talk.do(said)
    assert run(talk, "status")["moved"] == (7 * MS if moved else 0)


def test_frames_that_may_have_moved_something_are_not_kept_without_limit(monkeypatch):
    monkeypatch.setattr(recording, "UNSORTED_LIMIT", 3)
    talk = Talk()
    for number in range(9):
        talk.do(f"client A {number} g t:{number}")
        assert len(talk.engine.recording._unsorted) <= 3
    assert len(talk.codec.decoded) == 8


def test_each_frame_is_decoded_once_and_in_its_order(recipe):
    recipe("deliver", "delay", late)
    recipe("ack", "delay", late)
    talk = Talk()
    talk.do("client F 1 + F 2 + F 3")
    talk.do("broker 1 t=0:a")
    talk.arm(on.deliver(nth=90).delay(1), on.ack(nth=90).delay(1))
    talk.do("broker 2 t=1:b + 3 t=2:c")
    run(talk, "status")
    replies = [f.raw[4:].decode() for f in talk.codec.decoded if f.direction]
    assert replies == ["1 t=0:a", "2 t=1:b", "3 t=2:c"]


def test_without_recording_nothing_is_written_and_faults_work_all_the_same(recipe):
    recipe("publish", "delay", late)
    talk = Talk(on.publish(nth=1).delay(1), record=False)
    talk.do("client P 1 t a")
    talk.do("at 50")
    assert bytes(talk.raw[0]) == b""
    assert talk.lines() == ["> P 1 t a"]
    assert talk.packed == []
    assert talk.fired() == [1]


def test_names_of_topics_are_told_to_each_run_anew():
    """Clients that stay connected go on with the topic ids that they know."""
    talk = Talk()
    talk.engine.codec.topic_names[b"1"] = "t"
    told = []
    talk.engine.recording.sink = lambda *data: told.append(b"".join(data))
    for _ in range(2):
        told.clear()
        run(talk, "begin")
        assert sum(b'"topics"' in entry for entry in told) == 1
