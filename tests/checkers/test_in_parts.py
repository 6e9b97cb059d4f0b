"""Several effects of one message that no part names."""

import pytest

from pytest_mqchaos.checkers.exactly_once import exactly_once
from pytest_mqchaos.checkers.idempotent import idempotent
from pytest_mqchaos.checkers.lossless import lossless
from tests.checkers.timeline import MS, run


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


def test_where_others_have_parts_two_that_are_alike_may_be_parts_too():
    """Two lines of an order at the same price."""
    line = lines(once(), "x", "y").publish("b").deliver("b")
    alike = lines(line, "x", "x", name="b").ack()
    assert alike.ask(idempotent()).status == "unknown"
    again = lines(lines(once(), "x", "y").publish("b").deliver("b"), "x", name="b").deliver("b")
    assert lines(again, "x", name="b").ack().ask(idempotent()).status == "failed"


@pytest.mark.parametrize(("deliveries", "says"), [(1, True), (2, False)])
def test_the_advice_speaks_of_parts_where_one_handling_did_it(deliveries, says):
    line = once()
    for _ in range(deliveries - 1):
        line.deliver("a")
    verdict = lines(line, None, None).ack().ask(idempotent())
    assert ("if these are parts of its work, name them" in verdict.advice) is says
    named = lines(once(), "x", "y", part="line").ack().ask(idempotent())
    assert "name them" not in named.advice


def split(*counts, values="xyz", **more):
    """Messages m0, m1... of which one handling each did so many effects."""
    line = run()
    for n, count in enumerate(counts):
        line.publish(f"m{n}").deliver(f"m{n}")
        lines(line, *(f"{n}{value}" for value in values[:count]), name=f"m{n}", **more)
    return line.ack()


def test_fewer_parts_than_others_are_no_pass_where_nobody_named_them():
    verdict = split(3, 2, 1).ask(lossless())
    assert verdict.status == "unknown"
    assert "2 messages with fewer effects than others, which no part names ('m1' has 2" in (
        verdict.sentence
    )
    assert [(f.id, f.text) for f in verdict.findings] == [("m1", "has 2"), ("m2", "has 1")]
    assert "lossless(parts=[...]), [] if any one is enough" in verdict.missing


@pytest.mark.parametrize(
    "line",
    [
        split(2, 2),
        split(1, 1),
        split(2, 1, values="xx"),  # done twice, which idempotent says
        split(2, 1).expect(ignored=["m1"]),
        lines(split(2, 2), "0x", "0y", name="m0"),  # done again: no more parts than the others
    ],
)
def test_as_many_parts_as_others_pass(line):
    assert line.ask(lossless()).status == "passed"


def test_who_says_that_any_part_is_enough_is_not_asked():
    assert split(3, 2).ask(lossless(parts=[])).status == "passed"


@pytest.mark.parametrize(("owner", "status"), [("worker-1#1", "passed"), (None, "unknown")])
def test_effects_of_several_messages_at_once_are_no_parts_of_theirs(owner, status):
    """A total that is published again with every message; a table has a row for each."""
    line = run().publish("a").publish("b").deliver("a", "b").effect("a", value=1, owner=owner)
    for name in ("a", "b"):
        line.effect(name, value=2, owner=owner, span=(30 * MS, 31 * MS))
    assert line.ack().ask(lossless()).status == status
