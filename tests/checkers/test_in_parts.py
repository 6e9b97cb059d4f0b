"""Several effects of one message that no part names."""

import pytest

from pytest_mqchaos.checkers.exactly_once import exactly_once
from pytest_mqchaos.checkers.idempotent import idempotent
from tests.checkers.timeline import run


def lines(line, *values, name="a", **more):
    for value in values:
        line.effect(name, value=value, **more)
    return line


def once(**more):
    return run().publish("a").deliver("a", **more)


@pytest.mark.parametrize("timed", [True, False])
def test_what_one_handling_did_may_be_parts(timed):
    line = lines(once(), "x", "y", "z", timed=timed).ack()
    for question in (idempotent, exactly_once):
        verdict = line.ask(question())
        assert verdict.status == "unknown"
        assert "1 message with several effects, none like another" in verdict.sentence
        assert "part=lambda record" in verdict.missing
    assert [f.text for f in line.ask(idempotent()).findings] == ["delivered 1x, effect 3x"]


@pytest.mark.parametrize(
    "line",
    [
        lines(once(), "x", "y", "x"),  # two are alike
        lines(once(), None, None),  # nothing tells them apart
        lines(once(), "x", None),
        lines(once(), "x", "y", part="line"),  # named, and the same
        lines(run().publish("a"), "x", "y"),  # nobody was seen to handle it
        lines(lines(once(), "x").deliver("a"), "y"),  # two handlings
        lines(lines(once().deliver("a"), "x"), "y", owner="worker-2#1"),
        lines(once().deliver("a"), "x", "y", owner=None),  # nobody knows by whom
        lines(lines(run().publish("a"), "x", "y").deliver("a"), owner="worker-1#1").deliver("a"),
    ],
)
def test_what_was_done_again_is_a_repeat(line):
    verdict = line.ack().ask(idempotent())
    assert verdict.status == "failed"
    assert [(f.id, f.what) for f in verdict.findings] == [("a", "repeated")]


def test_what_one_incarnation_did_behind_the_second_delivery_is_one_handling():
    line = lines(once().deliver("a", owner="worker-1#2"), "x", "y", owner="worker-1#2")
    assert line.ack().ask(idempotent()).status == "unknown"


def test_a_source_that_shows_parts_of_one_message_may_show_them_of_others():
    line = lines(once(), "x", "y").publish("b").deliver("b")
    lines(line, "v", name="b").deliver("b")
    assert lines(line, "w", name="b").ack().ask(idempotent()).status == "unknown"
    again = lines(line, "w", name="b").ask(idempotent())
    assert again.status == "failed"
    assert [f.id for f in again.findings][:1] == ["b"]


@pytest.mark.parametrize(("deliveries", "says"), [(1, True), (2, False)])
def test_the_advice_speaks_of_parts_where_one_handling_did_it(deliveries, says):
    line = once()
    for _ in range(deliveries - 1):
        line.deliver("a")
    verdict = lines(line, None, None).ack().ask(idempotent())
    assert ("if these are parts of its work, name them" in verdict.advice) is says
