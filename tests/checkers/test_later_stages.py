"""Acks behind the inputs: in -> mid -> effect, where only `in` is judged as an input. Who works on
`mid` must not ack before its work; who merely looks there is asked nothing."""

import pytest

from pytest_mqchaos.checkers.acked_after_effect import acked_after_effect
from pytest_mqchaos.checkers.dead_lettered import dead_lettered
from pytest_mqchaos.checkers.lossless import lossless
from tests.checkers.timeline import MS, run

ONE = {"group": "one", "owner": "worker-1#1"}
TWO = {"group": "two", "owner": "worker-2#1"}


def ask(line):
    return line.ask(acked_after_effect())


def forwarded(*names, line=None, ack=True, one=ONE, to="mid", since="in"):
    line = line or run()
    for name in names:
        if since == "in":
            line.publish(name)
        line.deliver(name, topic=since, **one).publish(name, topic=to, owner=one["owner"], link=3)
        if ack:
            line.ack(topic=since, **one)
    return line


def worked(line, *names, first="effect", two=TWO, **effect):
    for name in names:
        line.deliver(name, topic="mid", **two)
        if first == "ack":
            line.ack(topic="mid", **two)
        line.effect(name, **{"owner": two["owner"], **effect})
        if first == "effect":
            line.ack(topic="mid", **two)
    return line


SAME = {"group": "one", "owner": "worker-2#1"}
ONE_PROCESS = {"group": "two", "owner": "worker-1#1"}
ALONE = {"group": "one", "owner": "worker-1#1"}


@pytest.mark.parametrize("two", [TWO, SAME, ONE_PROCESS, ALONE])
@pytest.mark.parametrize(("first", "status"), [("effect", "passed"), ("ack", "failed")])
def test_who_works_on_what_was_passed_on_must_ack_after_it(first, status, two):
    verdict = ask(worked(forwarded("a"), "a", first=first, two=two))
    assert verdict.status == status
    assert verdict.population["acks looked at"] == 2


def test_it_says_where_and_how_early():
    verdict = ask(worked(forwarded("a"), "a", first="ack"))
    (finding,) = verdict.findings
    assert finding.text == "'a' acked by worker-2#1 (commit 1 of mid) 1.0 ms before its effect"
    assert finding.by == "two"
    assert verdict.advice == "ack after the work: acked 1.0 ms before the effect"


def test_so_it_is_with_effects_that_name_the_group_and_with_an_output_that_is_read():
    line = worked(forwarded("a"), "a", first="ack", by="two", owner=None)
    assert ask(line).status == "failed"
    line = forwarded("a", to="out").deliver("a", topic="out", **TWO).ack(topic="out", **TWO)
    assert ask(line.effect("a", owner="worker-2#1")).status == "failed"


def swallowed(**effect):
    """Stage two acks `a` without an effect; of `b` it has one."""
    line = worked(forwarded("b", "a"), "b", **effect)
    return line.deliver("a", topic="mid", **TWO).ack(topic="mid", **TWO)


def test_what_stage_two_acked_and_swallowed_is_acked_early_unless_it_is_expected():
    verdict = ask(swallowed())
    assert verdict.status == "failed"
    assert [f.text for f in verdict.findings] == [
        "'a' acked by worker-2#1 (commit 2 of mid), it has no effect"
    ]
    assert ask(swallowed().expect(ignored=["a"])).status == "passed"


def test_what_it_lost_is_told_of_it_and_not_as_a_dead_letter():
    verdict = swallowed().ask(lossless())
    assert verdict.status == "failed"
    assert verdict.advice == "worker-2#1 was handed it on mid: let two ack only after the work"
    assert ask(swallowed()).advice == verdict.advice


def test_where_rows_of_a_table_are_anybodys_both_is_said():
    advice = swallowed(owner=None).ask(lossless()).advice
    assert advice.startswith("worker-2#1 was handed it on mid: let two ack only after the work; ")
    assert "chaos.flow(dead_letters=['mid'])" in advice


def test_what_stage_two_was_never_handed_is_told_so():
    line = forwarded("a", "b")
    verdict = worked(line, "b").ask(lossless())
    assert verdict.status == "failed"
    assert verdict.advice == (
        "it was passed on to mid, and two was not handed it there: begin at earliest"
    )


def test_what_is_declared_a_dead_letter_and_lies_elsewhere_is_told_where():
    advice = swallowed().expect(dead_lettered=["a"]).ask(lossless()).advice
    assert "chaos.flow(dead_letters=['mid'])" in advice


def test_who_merely_reads_what_was_passed_on_is_asked_nothing_nor_named_in_an_advice():
    line = forwarded("a", ack=False).deliver("a", topic="mid", **TWO).ack(topic="mid", **TWO)
    line.effect("a").ack(**ONE).publish("b").deliver("b", **ONE).effect("b").ack(**ONE)
    verdict = ask(line)
    assert verdict.status == "passed"
    assert (verdict.population["acks looked at"], verdict.limits) == (2, ())
    lost = forwarded("c", line=line).deliver("c", topic="mid", **TWO).ack(topic="mid", **TWO)
    assert "chaos.flow(dead_letters=['mid'])" in lost.ask(lossless()).advice


def table(*, timed=True):
    """Rows that nobody's name stands in; stage two has acked before."""
    return worked(forwarded("a"), "a", first="ack", owner=None, timed=timed)


@pytest.mark.parametrize("timed", [True, False])
def test_rows_that_are_anybodys_prove_nothing(timed):
    verdict = ask(table(timed=timed))
    assert verdict.status == "unknown"


def test_whoever_did_it_before_any_ack_of_a_later_stage_nobody_was_early():
    line = forwarded("a", ack=False).deliver("a", topic="mid", **TWO).effect("a", owner=None)
    assert ask(line.ack(topic="mid", **TWO).ack(**ONE)).status == "passed"
    line = forwarded("a", ack=False).deliver("a", topic="mid", **TWO).ack(topic="mid", **TWO)
    verdict = ask(line.effect("a", owner=None).ack(**ONE))
    assert verdict.status == "unknown"
    assert "record `by`" in verdict.missing


def test_a_message_that_its_worker_still_holds_on_the_input_is_at_no_risk():
    line = worked(forwarded("a", ack=False), "a", first="ack", two=ALONE).ack(**ONE)
    assert ask(line).status == "passed"
    line = worked(forwarded("a", ack=False), "a", first="ack", two=ONE_PROCESS).ack(**ONE)
    assert ask(line).status == "passed"
    line = worked(forwarded("a", ack=False), "a", first="ack").ack(**ONE)
    assert ask(line).status == "failed"  # it is another's
    line = worked(forwarded("b"), "b", two=ALONE)
    line = forwarded("a", line=line, ack=False).deliver("a", topic="mid", **ALONE)
    assert ask(line.ack(topic="mid", **ALONE)).status == "passed"  # `in` would give it again


@pytest.mark.parametrize(("first", "status"), [("publish", "passed"), ("ack", "failed")])
def test_a_stage_in_the_middle_must_ack_after_it_has_passed_it_on(first, status):
    line = forwarded("b", since="mid", to="far", one=TWO, line=forwarded("b"))
    line = forwarded("a", line=line).deliver("a", topic="mid", **TWO)
    if first == "ack":
        line.ack(topic="mid", **TWO)
    line.publish("a", topic="far", owner="worker-2#1")
    if first == "publish":
        line.ack(topic="mid", **TWO)
    three = {"group": "three", "owner": "worker-3#1"}
    for name in "ba":
        line.deliver(name, topic="far", **three).effect(name, owner="worker-3#1")
        line.ack(topic="far", **three)
    assert ask(line).status == status


def test_what_one_stage_leaves_to_others_is_a_limit():
    """Two stages read what was passed on, each does what is meant for it."""
    line = worked(forwarded("b"), "b")
    line = forwarded("a", line=line, ack=False).publish("a", topic="far", owner="worker-1#1")
    line.deliver("a", topic="mid", **TWO).ack(topic="mid", **TWO).ack(**ONE)
    three = {"group": "three", "owner": "worker-3#1"}
    line.deliver("a", topic="far", **three).effect("a", owner="worker-3#1")
    verdict = ask(line.ack(topic="far", **three))
    assert verdict.status == "passed"
    assert verdict.limits == (
        "what two acked of mid and had no effect of, while others did, is not asked",
    )


def test_what_nobody_was_seen_to_pass_on_is_a_limit():
    line = run().publish("a").work("a", **ONE).publish("a", topic="mid", owner="publisher")
    line.effects.clear()
    verdict = ask(worked(line, "a", first="ack").effect("a", span=(1, MS), owner="worker-1#1"))
    assert verdict.status == "passed"
    assert verdict.limits == (
        "acks of two on mid are not asked: nobody was seen to pass messages on to it",
    )


def test_dead_letters_and_topics_that_show_effects_are_no_stages():
    line = run().publish("b").work("b").publish("a").deliver("a")
    line.publish("a", topic="dead", owner="worker-1#1").ack()
    line.deliver("a", topic="dead", **TWO).ack(topic="dead", **TWO)
    line.effect("b", part="told", owner="worker-2#1")
    assert ask(line).status == "passed"
    line = forwarded("a", to="shown").deliver("a", topic="shown", **TWO).ack(topic="shown", **TWO)
    line = forwarded("b", to="mid", line=line)
    line = worked(line, "b").but(effect_topics=frozenset({"shown"}))
    line.effect("a", span=(1, 2 * MS))
    assert ask(line).population["acks looked at"] == 3


def test_an_effect_of_the_dead_behind_the_inputs_decides_nothing():
    assert ask(worked(forwarded("a"), "a", posthumous=True)).status == "unknown"
    assert ask(worked(forwarded("a"), "a", first="ack", posthumous=True)).status == "failed"


def set_aside(first="publish", *, two=TWO, ack=True, also=False):
    """Stage two fails `a`, and puts it to the dead letters."""
    line = worked(forwarded("b"), "b")
    line = forwarded("a", line=line, ack=ack).deliver("a", topic="mid", **two)
    if also:
        line.publish("a", topic="later", owner=two["owner"], link=3)
    if first == "ack":
        line.ack(topic="mid", **two)
    line.publish("a", topic="dead", owner=two["owner"], confirm=first != "confirm")
    if first != "ack":
        line.ack(topic="mid", **two)
    if first == "confirm":
        line.confirm("a")
    return line if ack else line.ack(**ONE)


@pytest.mark.parametrize(
    ("how", "status"),
    [
        ({}, "passed"),
        ({"first": "ack"}, "failed"),
        ({"first": "confirm"}, "failed"),
        ({"first": "ack", "also": True}, "passed"),  # it is held there
        ({"first": "ack", "two": ALONE, "ack": False}, "passed"),  # `in` would give it again
    ],
)
def test_a_later_stage_acks_after_it_has_set_it_aside(how, status):
    verdict = set_aside(**how).ask(dead_lettered(ids=["a"]))
    assert verdict.status == status
    if how == {"first": "ack"}:
        assert verdict.findings[0].text == "'a' was acked 2.0 ms before its confirm, by two on mid"


def test_nor_is_an_ack_of_who_merely_looks_at_what_is_set_aside_too_early():
    line = forwarded("a").deliver("a", topic="mid", **TWO)
    line.deliver("a", topic="mid", group="audit", owner="worker-4#1")
    line.ack(topic="mid", group="audit", owner="worker-4#1")
    line.publish("a", topic="dead", owner="worker-2#1").ack(topic="mid", **TWO)
    assert line.ask(dead_lettered(ids=["a"])).status == "passed"
