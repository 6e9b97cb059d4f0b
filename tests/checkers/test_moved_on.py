"""Messages that were passed on: to a delay topic and back, through retries to the dead letters and
out again, to a next stage. Whoever passed a message on is done by that; it is not lost while
another may be handed it."""

from dataclasses import replace

import pytest

from pytest_mqchaos.checkers.acked_after_effect import acked_after_effect
from pytest_mqchaos.checkers.dead_lettered import dead_lettered
from pytest_mqchaos.checkers.exactly_once import exactly_once
from pytest_mqchaos.checkers.lossless import lossless
from pytest_mqchaos.history.history import Expected
from tests.checkers.timeline import run

ME, OTHER = "worker-1#1", "worker-2#1"


def acked(line):
    return line.ask(acked_after_effect()).status


def passed_on(line, *, to, since=None, first="publish", owner=ME):
    """`a` is handed out and published elsewhere; then acked, or acked first."""
    line.deliver("a", topic=since or "in", owner=owner, nth=-1)
    if first == "ack":
        line.ack(topic=since or "in", owner=owner)
    line.publish("a", topic=to, owner=owner, link=3)
    return line if first == "ack" else line.ack(topic=since or "in", owner=owner)


@pytest.mark.parametrize(("first", "status"), [("publish", "passed"), ("ack", "failed")])
def test_a_delay_topic_gives_back_to_the_input(first, status):
    line = passed_on(run().publish("a"), to="retry")
    line = passed_on(line, since="retry", to="in", first=first)
    assert acked(line.deliver("a", nth=-1).effect("a").ack()) == status


@pytest.mark.parametrize(("first", "status"), [("publish", "passed"), ("ack", "failed")])
def test_a_message_is_put_at_the_end_of_its_own_topic(first, status):
    line = passed_on(run().publish("a"), to="in", first=first)
    assert acked(line.deliver("a", nth=-1).effect("a").ack()) == status


def test_what_its_producer_sends_again_is_no_hop():
    line = run().publish("a", outcome="unknown", reached=False).publish("a", owner="producer")
    assert acked(line.deliver("a").publish("a").ack().effect("a")) == "failed"


def test_a_retry_topic_that_nobody_declared_is_one_if_its_own_group_reads_it():
    line = passed_on(run(inputs=("in", "later")).publish("a"), to="later")
    assert acked(line.deliver("a", topic="later").effect("a").ack(topic="later")) == "passed"
    line = passed_on(run(inputs=("in", "audit")).publish("a"), to="audit")
    assert acked(line.effect("a")) == "failed"


def staged(*, recorder=OTHER, topics=("in",)):
    line = passed_on(run(inputs=topics).publish("a"), to="out")
    line.deliver("a", topic="out", group="down", owner=OTHER).effect("a", owner=recorder)
    return line.ack(topic="out", group="down", owner=OTHER)


@pytest.mark.parametrize("topics", [("in",), ("in", "out")])
def test_the_next_stage_does_the_work(topics):
    assert acked(staged(topics=topics)) == "passed"
    assert acked(staged(topics=topics, recorder=ME)) == "failed"


def test_who_does_the_work_is_not_known():
    assert acked(staged(recorder=None)) == "unknown"


def test_what_the_next_stage_has_not_acked_is_not_lost():
    line = passed_on(run().publish("a").publish("b").work("b"), to="out")
    assert line.ask(lossless()).status == "failed"  # nobody reads it
    line.deliver("a", topic="out", group="down", owner=OTHER)
    verdict = line.ask(lossless())
    assert verdict.status == "unknown"
    assert "out holds it for group down" in verdict.sentence
    line.ack(topic="out", group="down", owner=OTHER, reached=False)
    assert line.ask(lossless()).status == "unknown"
    line.ack(topic="out", group="down", owner=OTHER)
    assert line.ask(lossless()).status == "failed"


@pytest.mark.parametrize(
    ("outcome", "reached", "status"),
    [("unknown", True, "unknown"), ("unknown", False, "failed"), ("refused", True, "failed")],
)
def test_what_arrived_unconfirmed_may_be_held_for_the_next_stage(outcome, reached, status):
    line = run().publish("c", topic="out").deliver("c", topic="out", group="down", owner=OTHER)
    line.publish("b").work("b").publish("a").deliver("a")
    line.publish("a", topic="out", owner=ME, outcome=outcome, reached=reached).ack()
    assert line.ask(lossless()).status == status


@pytest.mark.parametrize(
    ("sender", "acks", "status"),
    [
        (ME, [1], "unknown"),
        (ME, [2], "failed"),
        (ME, [2, 1], "failed"),
        ("producer", [], "failed"),
    ],
)
def test_the_next_stage_holds_what_a_reader_passed_on_until_it_acked_that(sender, acks, status):
    """The message has offset 1 there; another worker was handed it, and passed nothing on."""
    line = run().publish("c", topic="out").deliver("c", topic="out", group="down", owner=OTHER)
    line.publish("b").work("b").publish("a").deliver("a", owner="worker-3#1").deliver("a")
    line.publish("a", topic="out", owner=sender).ack()
    for offset in acks:
        line.ack(offset, topic="out", group="down", owner=OTHER)
    assert line.ask(lossless()).status == status


def delayed():
    """Its producer puts it into a delay topic, whose worker gives it to the input."""
    line = run().publish("a", topic="retry").deliver("a", topic="retry", group="r", owner=OTHER)
    line.publish("a", owner=OTHER).ack(topic="retry", group="r", owner=OTHER)
    return line.deliver("a").ack().effect("a")


def test_the_hop_that_led_to_an_input_is_no_work_there():
    assert acked(delayed()) == "failed"
    assert acked(delayed().but(gaps=("link 2: not understood from here on",))) == "unknown"


@pytest.mark.parametrize(("first", "status"), [("publish", "passed"), ("ack", "failed")])
def test_the_dead_letters_are_reached_by_way_of_a_retry(first, status):
    line = passed_on(run().publish("a"), to="retry")
    line = passed_on(line, since="retry", to="dead", first=first)
    assert line.ask(dead_lettered(ids=["a"])).status == status


def dead():
    return passed_on(run().publish("a").publish("b").work("b"), to="dead")


def test_a_dead_letter_that_was_taken_out_again_may_be_done():
    line = dead().deliver("a", topic="dead", group="redrive", owner=OTHER)
    line.publish("a", owner=OTHER).deliver("a", nth=-1).effect("a").ack()
    assert line.ask(exactly_once()).status == "passed"


@pytest.mark.parametrize(
    ("owner", "status"), [("publisher", "passed"), ("test", "passed"), ("producer", "failed")]
)
def test_the_test_itself_may_take_it_out_but_a_producer_may_only_have_sent_it_again(owner, status):
    line = dead().publish("a", owner=owner).deliver("a", nth=-1).effect("a").ack()
    assert line.ask(exactly_once()).status == status


def test_what_was_done_before_it_was_set_aside_is_both():
    line = run().publish("a").publish("b").work("b").deliver("a").effect("a")
    line.publish("a", topic="dead", owner=ME).ack()
    line.deliver("a", topic="dead", group="redrive", owner=OTHER).publish("a", owner=OTHER)
    assert line.deliver("a", nth=-1).ack().ask(exactly_once()).status == "failed"


@pytest.mark.parametrize("owner", ["worker-1#1", "worker-1#2"])
def test_what_another_stage_did_for_a_message_is_not_waited_for(owner):
    """A part for each service: the server's work, and the client's that got the answer."""
    line = run().publish("a").deliver("a").effect("a", part="served", owner=owner).ack()
    line.ack(1, topic="out", group="client", owner=OTHER)
    assert acked(line.effect("a", part="answered", owner=OTHER)) == "passed"


@pytest.mark.parametrize(("first", "status"), [("publish", "passed"), ("ack", "failed")])
def test_a_group_of_the_retry_topic_works_for_that_of_the_input(first, status):
    """One worker, or two, and each topic under a group of its own."""
    line = passed_on(run().publish("a").publish("b").work("b"), to="retry")
    line.deliver("a", topic="retry", group="r", owner=OTHER)
    if first == "ack":
        line.ack(topic="retry", group="r", owner=OTHER)
    line.publish("a", owner=OTHER).deliver("a", nth=-1).effect("a").ack()
    assert acked(line.ack(topic="retry", group="r", owner=OTHER)) == status
    own = run().publish("a").work("a").publish("b", topic="retry").deliver("b", topic="retry")
    assert acked(own.ack(topic="retry", group="r").effect("b")) == "passed"


def redriven(*, outcome="confirmed"):
    """`a` was expected among the dead letters, and a worker put it to its input again."""
    line = dead().but(expected=Expected(dead_lettered=frozenset("a")))
    line.deliver("a", topic="dead", group="redrive", owner=OTHER)
    return line.publish("a", owner=OTHER, outcome=outcome)


def test_what_was_taken_out_again_and_then_lost_is_not_what_the_test_expected():
    line = redriven().deliver("a", nth=-1).ack()
    assert line.ask(lossless()).status == "failed"
    assert line.effect("a").ask(lossless()).status == "passed"


def test_nor_is_it_while_it_waits_to_be_done():
    assert redriven().ask(lossless()).status == "unknown"


def test_what_failed_again_lies_where_it_was_expected():
    line = passed_on(redriven(), to="dead")
    assert line.ask(lossless()).status == "passed"


def test_who_was_not_told_that_it_went_back_may_have_left_it_where_it_was():
    line = redriven(outcome="unknown")
    assert line.ask(lossless()).status == "passed"


def test_whoever_expected_nothing_there_waits_for_it_too():
    line = redriven().but(expected=Expected())
    assert line.ask(lossless()).status == "unknown"
    assert passed_on(line, to="dead").ask(lossless()).status == "failed"


@pytest.mark.parametrize("topic", ["in", "retry"])
def test_who_gave_it_back_and_died_before_its_first_ack_was_done(topic):
    line = run().publish("a")
    if topic == "retry":
        line = passed_on(line, to="retry")
    line.deliver("a", topic=topic, owner=OTHER).publish("a", owner=OTHER).ack(topic=topic)
    assert acked(line.deliver("a", nth=-1).effect("a").ack()) == "passed"


def test_who_passed_it_on_and_died_before_its_first_ack_was_done():
    """The one after it knows that, and sends it no second time."""
    line = (
        run().publish("a").deliver("a", owner="first#1").publish("a", topic="out", owner="first#1")
    )
    line.deliver("a").ack().deliver("a", topic="out", group="down", owner=OTHER)
    line.effect("a", owner=OTHER).ack(topic="out", group="down", owner=OTHER)
    assert acked(line) == "passed"


def test_a_group_that_records_some_effects_itself_may_be_done_by_passing_on():
    """A router. Of what it does itself, passing on is not the work."""
    line = staged().publish("b").deliver("b").effect("b").ack()
    verdict = line.ask(acked_after_effect())
    assert verdict.status == "unknown"
    assert "'a' acked by worker-1#1 (commit 1): it was passed on, and whether" in verdict.sentence
    assert "chaos.flow(retries=[...])" in verdict.missing
    line.flow = replace(line.flow, retries=frozenset({"retry", "out"}))
    assert acked(line) == "passed"
    assert acked(staged().publish("b").deliver("b").effect("b").ack().effect("a")) == "failed"


def test_a_dead_letter_that_nobody_was_seen_to_send_proves_no_early_ack():
    line = passed_on(run().publish("a"), to="retry", first="ack")
    line.deliver("a", topic="retry").ack(topic="retry").log_add("a", topic="dead")
    assert line.ask(dead_lettered(ids=["a"])).status == "passed"


def test_a_dead_letter_that_went_back_to_the_retries_proves_nothing_of_its_acks_there():
    line = passed_on(run().publish("a"), to="dead")
    line.publish("a", topic="retry", owner="test").deliver("a", topic="retry").ack(topic="retry")
    assert line.ask(dead_lettered(ids=["a"])).status == "passed"


def test_put_back_and_set_aside_in_one_it_lies_where_it_was_expected():
    line = (
        dead().expect(dead_lettered=["a"]).deliver("a", topic="dead", group="redrive", owner=OTHER)
    )
    line.publish("a", topic="dead", owner=OTHER, confirm=False).confirm("a")
    line.publish("a", owner=OTHER, same_frame=True)
    line.attempts[-1] = line.attempts[-1]._replace(seq=line.attempts[-2].seq)
    assert line.deliver("a", nth=-1).ack().ask(lossless()).status == "passed"


def test_a_group_of_the_retry_topic_that_also_works_itself_gives_back_what_it_may_not_do_yet():
    line = passed_on(run().publish("a").publish("b", topic="retry"), to="retry")
    for name, nth in (("b", 0), ("a", -1)):
        line.deliver(name, topic="retry", group="r", owner=OTHER, nth=nth)
    line.effect("b", owner=OTHER).publish("a", owner=OTHER)
    line.ack(topic="retry", group="r", owner=OTHER)
    assert acked(line.deliver("a", nth=-1).effect("a").ack()) == "passed"


def test_what_a_reader_outside_of_any_group_passed_on_is_done_for_none():
    line = run().publish("a").deliver("a", group=None, owner="tap#1")
    line.publish("a", topic="out", owner="tap#1").deliver("a").ack()
    line.deliver("a", topic="out", group="down", owner=OTHER).effect("a", owner=OTHER)
    assert acked(line.ack(topic="out", group="down", owner=OTHER)) == "failed"


def test_how_early_it_was_is_counted_to_the_first_that_was_done():
    line = run().publish("a").deliver("a").ack().effect("a")
    (finding,) = line.publish("a", topic="retry", owner=ME).ask(acked_after_effect()).findings
    assert "1.0 ms before its effect" in finding.text


def test_of_several_acks_without_an_effect_the_first_is_told():
    line = run().publish("a").publish("b").work("b").deliver("a").ack()
    line.deliver("a", owner=OTHER).ack(owner=OTHER)
    (finding,) = line.ask(acked_after_effect()).findings
    assert ME in finding.text
