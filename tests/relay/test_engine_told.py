"""What the engine says of links to the history and to the controller, and the order of its work."""

from __future__ import annotations

from dataclasses import replace

from pytest_mqchaos.frames import Direction, Point, Record, Sighting
from pytest_mqchaos.history.identity import content
from pytest_mqchaos.plan.on import on
from pytest_mqchaos.plan.when import where
from pytest_mqchaos.recipes import base as act
from pytest_mqchaos.recipes.base import until
from pytest_mqchaos.relay.armory import Armory
from pytest_mqchaos.relay.commands import command
from pytest_mqchaos.relay.coverage import Coverage
from pytest_mqchaos.relay.engine import Engine
from tests.relay.faulty import hold_reply, kill, late
from tests.relay.script import MS, Talk
from tests.relay.test_coverage import ack, by_place, given, places
from tests.relay.toy import ToyCodec, pack


def watch(fault, seen):
    yield [act.Forward(seen.frame), act.TookEffect("seen")]


def status(talk):
    return command(talk.engine, "status", {}, talk.now)


def test_the_life_of_a_link_is_told():
    talk = Talk(owner="worker-3#2")
    talk.feed(1, Direction.TO_CLIENT, b"\xff" * 8)
    talk.do("client gone")
    told = [note for note in talk.notes() if note["note"] in ("link", "blind", "closed")]
    why = talk.link.scanner.blind
    assert told == [
        {"note": "link", "link": 1, "owner": "worker-3#2", "node": 1},
        {"note": "blind", "link": 1, "why": why},
        {"note": "closed", "link": 1, "by": "client"},
    ]
    assert why is not None
    assert talk.engine.links == {}


def test_a_link_that_is_older_than_any_run_streams():
    engine = Engine(codec=ToyCodec(), sink=[].append, address=lambda *_: ("", 0))
    link = engine.open("w", 1, 5)
    raw = pack("P 1 t a")
    assert link.scan(Direction.TO_BROKER, raw, 0, len(raw), 5) == (len(raw), len(raw), None)
    assert link.port == 0
    assert command(engine, "status", {}, 6)["moved"] == 0


def test_names_of_topics_are_told_when_they_are_learnt(recipe):
    recipe("confirm", "delay", hold_reply)
    talk = Talk(on.confirm(nth=1).delay(0.05))
    talk.do("client P 1 t a")
    talk.now = 30 * MS
    talk.do("broker 1 ok topic=orders")
    (entry,) = [e for e in talk.entries() if getattr(e, "body", {}).get("note") == "topics"]
    assert entry.t == 30 * MS


def test_messages_are_known_by_their_header_unless_a_run_says_otherwise():
    talk = Talk()
    with_header = Record("t", 0, 0, None, b"v", (("mqchaos-id", b"m-1"),))
    for settings, ids in (({}, ("m-1",)), ({"identity": None}, ())):
        talk.engine.begin(settings, 0)
        assert talk.engine.armory.candidate(with_header).ids == ids


def test_without_ids_the_key_tells_messages_apart():
    of = Armory(ToyCodec(), None).candidate
    one, same, other = (Record("t", 0, 0, key, b"v") for key in (b"k", b"k", b"l"))
    assert of(one).identity == of(same).identity != of(other).identity


def test_only_frames_that_a_rule_may_mean_are_looked_at():
    armory = Armory(ToyCodec(), None)
    armory.arm(0, on.control(api="Ping").drop())
    assert armory.names() == ({"Ping"}, frozenset())
    armory.arm(1, on.publish().drop())
    assert armory.names() == ({"Ping", "Publish"}, frozenset())


def test_an_ack_that_no_rule_counts_may_be_lost():
    armory = Armory(ToyCodec(), None)
    armory.lost("w", ack((0, 3)))
    armory.arm(0, on.ack(nth=1).drop())
    armory.delivered("w", Sighting(point=Point.DELIVER, name="Fetch", records=given(0, 0)))
    assert places(armory._cover.newly("w", ack((0, 1)))) == [("t", 0, content(b"k", b"v"))]


def test_our_own_publisher_is_counted_also_behind_a_rule_that_does_not_mean_it(recipe):
    for point in ("control", "publish"):
        recipe(point, "drop", watch)
    talk = Talk(
        on.control(api="Publish", nth=1).drop(), on.publish(nth=1).drop(), owner="publisher"
    )
    talk.do("client P 1 t a")
    assert talk.fired() == [0, 1]


def test_an_ack_is_counted_by_value_also_beside_a_rule_that_needs_none(recipe):
    recipe("ack", "drop", watch)
    talk = Talk(on.ack(when=where.value_contains("b"), nth=1).drop(), on.ack(nth=9).drop())
    talk.do("client F 1")
    talk.do("broker 1 t=0:a,1:b")
    talk.do("client A 2 g t:2")
    assert talk.fired() == [1, 0]


def test_a_message_given_again_is_known_by_value_to_a_rule_that_came_between():
    cover = Coverage()
    cover.delivered("w", given(0, 0), by_place)
    cover.values = True
    cover.delivered("w", given(0, 0), by_place)
    (found,) = cover.newly("w", ack((0, 1)))
    assert found.record.value == b"v"


def test_an_ack_of_nothing_may_be_lost():
    cover = Coverage()
    cover.delivered("w", given(0, 0, 1), by_place)
    assert cover.newly("w", ack((0, 0))) == []
    cover.lost("w", ack((0, 0)))
    assert places(cover.newly("w", ack((0, 1)))) == [(0, 0)]


def test_what_was_acked_is_remembered_up_to_the_limit():
    cover = Coverage()
    cover.delivered("w", given(0, 0, 1), by_place)
    next(iter(cover._places.values())).limit = 2
    cover.newly("w", ack((0, 2)))
    assert places(cover.newly("w", ack((0, 2), group="late"))) == [(0, 0), (0, 1)]


def test_timers_of_one_instant_come_in_the_order_in_which_they_were_asked_for(recipe):
    recipe("publish", "delay", late)
    talk = Talk(on.publish(id="a").delay(1), on.publish(id="b").delay(1))
    talk.open()
    talk.do("client P 1 t a")
    talk.do("client#2 P 1 t b")
    talk.lines()
    talk.do("at 50")
    assert talk.lines()[:2] == ["rule 0 took effect", "rule 1 took effect"]


def test_a_firing_that_ends_takes_its_own_question_along_and_no_other(recipe):
    recipe("publish", "kill_broker", kill)
    talk = Talk(on.publish(nth=range(1, 3)).kill_broker())
    talk.open()
    talk.do("client P 1 t a")
    talk.do("client#2 P 1 t b")
    first, second = talk.engine.asks
    assert (status(talk)["asked"], status(talk)["rules"][0]["firing"]) == (2, 2)
    talk.engine.answer(first["ask"], {"done": True}, 0)
    assert (status(talk)["asked"], status(talk)["rules"][0]["firing"]) == (1, 1)
    talk.engine.answer(second["ask"], {"done": True}, 0)
    assert (status(talk)["asked"], status(talk)["rules"][0]["firing"]) == (0, 0)
    assert talk.fired() == [2]


def test_the_end_of_a_firing_forgets_what_it_still_asked(recipe):
    def two(fault, seen):
        yield from until(act.Answer, do=[act.Hold(seen.frame), act.Ask("x"), act.Ask("y")])
        yield [act.Forward(seen.frame), act.TookEffect("x")]

    recipe("publish", "kill_broker", two)
    talk = Talk(on.publish(nth=1).kill_broker())
    talk.do("client P 1 t a")
    talk.engine.answer(talk.engine.asks[0]["ask"], {"done": True}, 0)
    assert (talk.fired(), status(talk)["asked"]) == ([1], 0)


def test_a_frame_that_went_on_is_held_no_more(recipe):
    def twice(fault, seen):
        yield from until(act.Timer, do=[act.Hold(seen.frame), act.WakeAt(10 * MS)])
        yield from until(act.Timer, do=[act.Forward(seen.frame), act.WakeAt(20 * MS)])
        yield [act.TookEffect("late")]

    recipe("publish", "delay", twice)
    talk = Talk(on.publish(nth=1).delay(1))
    talk.do("client P 1 t a")
    assert status(talk)["held"] == 1
    talk.do("at 10")
    assert (status(talk)["held"], status(talk)["firing"]) == (0, [0])


def test_the_controller_is_told_the_last_three_reasons(recipe):
    def never(fault, seen):
        yield [act.Forward(seen.frame), act.Unharmed(f"no {seen.frame.correlation}")]

    recipe("publish", "drop", never)
    talk = Talk(on.publish(nth=range(1, 5)).drop())
    talk.do("client P 1 t a + P 2 t b + P 3 t c + P 4 t d")
    (rule,) = command(talk.engine, "rules", {}, 0)["rules"]
    assert rule["reasons"] == ["no 2", "no 3", "no 4"]


def test_the_end_of_a_run_is_told_with_its_time(recipe):
    recipe("publish", "delay", late)
    talk = Talk(on.publish(nth=1).delay(1))
    talk.do("client P 1 t a")
    command(talk.engine, "end", {}, 40 * MS)
    assert {e.t for e in talk.entries() if getattr(e, "body", {}).get("what") == "unharmed"} == {
        40 * MS
    }


def test_a_sighting_of_another_point_takes_no_ack_back():
    armory = Armory(ToyCodec(), None)
    armory.arm(0, on.ack(nth=1).drop())
    armory.delivered("w", Sighting(point=Point.DELIVER, name="Fetch", records=given(0, 0)))
    taken = ack((0, 1))
    armory._cover.newly("w", taken)
    armory.lost("w", replace(taken, point=Point.CONTROL))
    assert armory._cover.newly("w", taken) == []
