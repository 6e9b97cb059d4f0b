"""Groups without a position: their readers keep it themselves, or begin at the end."""

import pytest

from pytest_mqchaos.checkers.lossless import lossless
from pytest_mqchaos.history.rows import FINAL_DRAIN, ProcessEvent
from tests.checkers.timeline import MS, run

NEXT = "worker-1#2"


def line(*, first=("m0", "m1"), then=("m2",), **more):
    """m0 and m1 were handed to one incarnation, m2 to the next; m1 has no effect."""
    made = run().publish("m0").publish("m1").publish("m2")
    made.but(readers=frozenset({"worker-1#1", NEXT}))
    if first:
        made.deliver(*first)
    made.effect("m0")
    if then:
        made.deliver(*then, owner=NEXT, **more)
    return made.effect("m2")


def lost(made):
    verdict = made.ask(lossless())
    return verdict.status, [(f.id, f.where) for f in verdict.findings]


def test_who_began_behind_a_message_without_a_position_of_its_group_has_lost_it():
    made = line().place(-1)
    assert lost(made) == ("failed", [("m1", "delivered, no effect, not acked")])
    assert "in one transaction with the work" in made.ask(lossless()).advice


def test_who_begins_at_the_end_has_lost_what_was_sent_before():
    assert lost(line(first=()).place(-1)) == ("failed", [("m1", "stored, never delivered")])


@pytest.mark.parametrize(
    "made",
    [
        line(then=()).place(-1),  # nobody has read on
        line(then=("m0", "m1", "m2")).place(-1),  # begins at the first
        line(first=("m0", "m2", "m1"), then=()).place(-1),
        line(reached=False).place(-1),
        line(group="other").place(-1),  # another group began behind it
        line().place(1),  # it has a position: the next one begins there
    ],
)
def test_what_may_be_handed_out_again_waits(made):
    verdict = made.ask(lossless())
    assert verdict.status == "unknown"
    assert "1 of 3 messages still waiting: held for group g" in verdict.sentence


def killed_at_its_first_commit(*names, group="g"):
    """The next incarnation has begun at the end, and nothing came since."""
    made = run().publish("m0").publish("m1").deliver(*names).effect("m0").ack(1, reached=False)
    made.asks_from(0).asks_from(2, owner=NEXT, group=group)
    return made.but(readers=frozenset({"worker-1#1", NEXT})).place(-1)


@pytest.mark.parametrize("names", [("m0",), ("m0", "m1")])
def test_who_asks_from_the_end_on_has_lost_what_stands_in_front_though_nothing_came_since(names):
    made = killed_at_its_first_commit(*names)
    stage = "stored, never delivered" if len(names) == 1 else "delivered, no effect, not acked"
    assert lost(made) == ("failed", [("m1", stage)])
    advice = made.ask(lossless()).advice
    assert advice.startswith("begin at 'earliest' (auto.offset.reset): a group without a position")
    assert "in one transaction with the work" not in advice  # the broker keeps it, if anybody does


@pytest.mark.parametrize(
    "made",
    [
        killed_at_its_first_commit("m0", group="other"),
        killed_at_its_first_commit("m0", group=None),  # whose it is is not known
        killed_at_its_first_commit("m0").asks_from(1, owner=NEXT),  # it has turned back
        killed_at_its_first_commit("m0").asks_from(1, owner="worker-2#1"),  # another reads it
        killed_at_its_first_commit("m0").asks_from(2),  # it has come back; to where is not known
    ],
)
def test_who_may_have_asked_for_it_has_not(made):
    verdict = made.ask(lossless())
    assert verdict.status == "unknown"
    assert "1 of 2 messages still waiting: held for group g" in verdict.sentence


def side_by_side(*turns):
    """Two readers are handed the same partition by turns: librdkafka fetches on what another has
    been given. m1 has no effect."""
    made = run().publish("m0").publish("m1").publish("m2").publish("m3")
    for owner, *names in turns:
        made.deliver(*names, owner=f"worker-{owner}#1")
    made.but(readers=frozenset({"worker-1#1", "worker-2#1", "worker-2#2"})).place(-1)
    return made.effect("m0").effect("m2").effect("m3").ask(lossless())


def test_who_goes_on_beside_another_has_not_begun_anew():
    for second in (2, 3):
        turns = [(1, "m0"), (2, "m0"), (1, "m1"), (2, "m1", "m2"), (1, "m2"), (2, "m3"), (1, "m3")]
        verdict = side_by_side(*turns[: 2 * second + 1])
        assert verdict.status == "unknown"
        assert "still waiting: held for group g" in verdict.sentence


def test_who_leaves_out_what_another_was_handed_has():
    assert side_by_side((1, "m0"), (2, "m1"), (1, "m2", "m3")).status == "failed"


def test_who_was_handed_it_and_still_runs_may_be_at_work():
    still = (ProcessEvent(1 * MS, "worker-1#1", "started", ""),)
    verdict = line().place(-1).but(processes=still).ask(lossless())
    assert verdict.status == "unknown"
    assert "worker-1#1 still runs" in verdict.sentence


def test_a_copy_that_was_handed_out_is_not_left_behind():
    made = run().publish("m1").publish("m2").publish("m1", link=2)
    made.deliver("m1").deliver("m2", owner=NEXT).deliver("m1", owner=NEXT, nth=1).effect("m2")
    assert made.place(-1).ask(lossless()).status == "unknown"


def test_whoever_asked_and_was_handed_nothing_is_named():
    made = run().publish("m0").but(effects=()).but(readers=frozenset({"worker-1#1"}))
    verdict = made.ask(lossless())
    assert verdict.status == "unknown"
    assert "nobody was handed it: worker-1#1 asked for messages" in verdict.sentence


def test_a_topic_that_came_later_is_found_by_a_pattern_with_the_next_metadata():
    def waits(made):
        made.publish("m1", topic="other").but(readers=frozenset({"worker-1#1"}))
        return made.ask(lossless()).sentence

    first = run(inputs=("in", "other")).publish("m0").work("m0")
    assert "worker-1#1 read in before anything was published to other; who subs" in waits(first)
    there = run(inputs=("in", "other")).publish("m2", topic="other").publish("m0").work("m0")
    assert "metadata" not in waits(there)


@pytest.mark.parametrize(
    ("made", "says"),
    [
        (line().ack(3, owner=NEXT), True),  # began at the end, and acked what it was handed
        (line().ack(3), False),  # acked by who was handed it
        (line(then=("m1", "m2")).ack(3, owner=NEXT), False),
        (line(then=("m0", "m1", "m2")).ack(3, owner=NEXT), False),
        (line(then=()).ack(3, owner=NEXT), False),  # acked by who was handed nothing
    ],
)
def test_who_began_behind_a_message_and_acked_has_skipped_it(made, says):
    verdict = made.ask(lossless())
    assert [f.id for f in verdict.findings] == ["m1"]
    assert verdict.status == "failed"
    assert ("begin at earliest" in verdict.advice) is says


@pytest.mark.parametrize(("what", "says"), [("stopped", True), ("started", False)])
def test_where_a_reader_without_a_group_begins_is_shown_by_a_crash(what, says):
    events = (ProcessEvent(1 * MS, "worker-1#1", what, ""),)
    made = run().publish("a").deliver("a", group=None).but(effects=(), processes=events)
    verdict = made.ask(lossless())
    assert "keeps its position itself" in verdict.sentence
    assert ("worker.crash() and another settle" in verdict.sentence) is says


# ------------------------------------------------------------ what says nothing of a loss


def started(who, *, what="started", cause=""):
    return ProcessEvent(0, who, what, cause)


@pytest.mark.parametrize(("cause", "status"), [(FINAL_DRAIN, "unknown"), ("crash", "failed")])
def test_where_the_final_drain_lets_a_reader_begin_says_nothing(cause, status):
    """A slow handler of a group that begins at the end: the drain is not life."""
    for made in (killed_at_its_first_commit("m0"), line(first=("m0",)).place(-1)):
        first = started("worker-1#1"), started("worker-1#1", what="stopped")
        again = started(NEXT, what="restarted", cause=cause), started(NEXT, what="stopped")
        assert made.but(processes=first + again).ask(lossless()).status == status


def skipped(*events, links=None):
    made = run().publish("m0").publish("m1").asks_from(1).deliver("m1").effect("m1").ack()
    return made.but(
        readers=frozenset({"worker-1#1"}), links=links or {1: "worker-1#1"}, processes=events
    ).ask(lossless())


def test_a_reader_that_runs_may_turn_back_to_what_it_skipped():
    verdict = skipped(started("worker-1#1"))
    assert verdict.status == "unknown"
    assert "worker-1#1 still runs and may turn back to it" in verdict.sentence
    stopped = started("worker-1#1", what="stopped")
    assert skipped(started("worker-1#1"), stopped).status == "failed"


def test_a_worker_that_was_not_heard_of_yet_may_be_the_one_that_does_it():
    """A monitor has read past it; who works has not joined yet, under whatever group."""
    gone = [started("worker-1#1"), started("worker-1#1", what="stopped")]
    verdict = skipped(*gone, started("worker-2#1"))
    assert verdict.status == "unknown"
    assert "worker-2#1 still runs and has not been heard of yet" in verdict.sentence
    heard = {1: "worker-1#1", 2: "worker-2#1"}
    assert skipped(*gone, started("worker-2#1"), links=heard).status == "failed"
    stopped = started("worker-2#1", what="stopped")
    assert skipped(*gone, started("worker-2#1"), stopped).status == "failed"
