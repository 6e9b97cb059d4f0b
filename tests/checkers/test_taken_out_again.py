"""A dead letter that was put to its input again: done then, it is not both done and dead. One that
has an effect from before, or was set aside once more, is."""

import pytest

from pytest_mqchaos.checkers.exactly_once import exactly_once
from pytest_mqchaos.checkers.lossless import lossless
from tests.checkers.timeline import MS, run

ME, OTHER = "worker-1#1", "worker-2#1"


def both(line):
    """Whether something is both done and dead."""
    return line.ask(exactly_once(parts=[])).parts[-1].status == "failed"


NEXT = {"topic": "mid", "group": "next", "owner": "worker-3#1"}


def set_aside_later():
    """By the next stage of a chain, which reads a topic without a role."""
    line = run().publish("a").deliver("a").publish("a", topic="mid", owner=ME).ack()
    return line.deliver("a", **NEXT).publish("a", topic="dead", owner="worker-3#1").ack(**NEXT)


def put_back_later(line, topic="mid", owner=OTHER, group="next"):
    line.deliver("a", topic="dead", group="redrive", owner=OTHER)
    line.publish("a", topic=topic, owner=owner)
    reader = {"topic": topic, "group": group, "owner": f"of {group}#1"}
    return line.deliver("a", nth=-1, **reader).ack(**reader)


def set_aside(line=None):
    line = line or run().publish("a").deliver("a")
    return line.publish("a", topic="dead", owner=ME).ack()


def put_back(line=None, *, owner=OTHER):
    """By a worker that was handed the dead letter; then it is handed to the first one again."""
    line = (line or set_aside()).deliver("a", topic="dead", group="redrive", owner=OTHER, nth=-1)
    return line.publish("a", owner=owner).deliver("a", nth=-1)


def test_it_is_done_after_all():
    assert not both(put_back().effect("a").ack())


def test_whoever_took_it_out_need_not_be_a_worker_with_a_number():
    line = set_aside().deliver("a", topic="dead", group="redrive", owner="tool")
    assert not both(line.publish("a", owner="tool").deliver("a", nth=-1).effect("a").ack())


def test_it_is_done_and_then_set_aside_once_more():
    line = put_back().effect("a").publish("a", topic="dead", owner=ME).ack()
    assert both(line)
    assert not both(put_back(line))


def test_it_is_set_aside_once_more_and_done_by_another():
    line = put_back().publish("a", topic="dead", owner=ME).deliver("a", owner="worker-3#1", nth=-1)
    assert both(line.effect("a", owner="worker-3#1").ack())


def test_the_same_dead_letter_that_its_client_sends_again_is_none_anew():
    line = put_back().publish("a", topic="dead", owner=ME, stored=False)
    assert not both(line.effect("a").ack())


def test_what_its_client_sends_again_belongs_to_the_first_time():
    line = set_aside().publish("a", owner="test").publish("a", topic="dead", owner=ME)
    assert not both(line.deliver("a", nth=-1).effect("a").ack())
    line = set_aside().publish("a", owner="test").deliver("a", nth=-1).effect("a")
    line.attempts.append(line.attempts[1]._replace(seq=line._tick(), t=line.now * MS))
    assert not both(line.ack())


@pytest.mark.parametrize(("until", "expected"), [(0, False), (1, True), (-1, True), (None, False)])
def test_only_an_effect_that_is_known_to_be_earlier_counts(until, expected):
    """An unknown time, the first instant, and those just before and at that of the dead letter."""
    line = put_back()
    since = line.attempts[1].t
    until = since if until is None else since - 1 if until < 0 else until
    assert both(line.effect("a", span=(0, until)).ack()) is expected


def test_one_part_from_before_is_enough():
    line = put_back(set_aside(run().publish("a").deliver("a").effect("a", part="row")))
    assert both(line.effect("a", part="event").ack())


def test_the_dead_letter_of_a_message_that_was_handed_to_nobody():
    line = run().publish("a").effect("a").publish("a", topic="dead")
    assert both(line)


def test_nobody_was_seen_to_set_it_aside():
    line = run().publish("a").publish("a", owner="test").log_add("a", topic="dead")
    assert both(line.deliver("a").effect("a").ack())
    assert not both(put_back(line))


def test_the_test_puts_it_back_only_after_it_was_told_that_it_is_safe():
    line = set_aside(run().publish("a", outcome="unknown").deliver("a"))
    assert both(line.publish("a", owner="test", outcome="unknown").effect("a"))


def test_what_the_test_sends_with_the_dead_letter_itself_is_not_taken_out():
    line = run().publish("a").publish("a", topic="dead", owner="test", confirm=False)
    line.publish("a", owner="test", same_frame=True).deliver("a").effect("a").ack()
    assert both(line)


@pytest.mark.parametrize("owner", [OTHER, "test"])
@pytest.mark.parametrize("topic", ["mid", "mid again"])
def test_it_is_put_back_to_the_stage_where_it_failed(topic, owner):
    line = put_back_later(set_aside_later(), topic=topic, owner=owner)
    assert not both(line.effect("a", owner="of next#1"))
    again = line.publish("a", topic="dead", owner="of next#1")
    assert both(again)


def test_who_swallows_what_was_put_back_to_his_stage_has_lost_it():
    line = set_aside_later().expect(dead_lettered=["a"]).publish("b").work("b")
    assert line.ask(lossless()).status == "passed"
    assert put_back_later(line).ask(lossless()).sentence == (
        "1 of 2 confirmed messages was lost: delivered, no effect, acked"
    )


def test_who_tells_others_of_a_dead_letter_has_not_put_it_back():
    line = set_aside_later().expect(dead_lettered=["a"]).publish("b").work("b")
    put_back_later(line, topic="alerts", group="on call")
    assert line.ask(lossless()).status == "passed"
    assert both(line.effect("a"))
