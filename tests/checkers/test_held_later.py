"""What a later stage of a chain holds and has not acked is not lost, nor done in part for good."""

import pytest

from pytest_mqchaos.checkers.lossless import lossless
from tests.checkers.timeline import run

ONE = {"group": "first", "owner": "worker-1#1"}
TWO = {"group": "second", "owner": "worker-2#1"}
THREE = {"group": "third", "owner": "worker-3#1"}
BOTH = lossless(parts=["row", "mail"])


def passed_on(line, whom, to, name="a", topic="in"):
    return (
        line.deliver(name, topic=topic, **whom)
        .publish(name, topic=to, owner=whom["owner"])
        .ack(topic=topic, **whom)
    )


def in_part(**effect):
    line = passed_on(run().publish("a"), ONE, "mid")
    return line.deliver("a", topic="mid", **TWO).effect("a", part="row", **effect)


def test_parts_that_its_next_stage_has_not_acked_may_still_come():
    verdict = in_part(owner="worker-2#1").ask(BOTH)
    assert verdict.status == "unknown"
    assert verdict.sentence == (
        "1 of 1 message still waiting: has row, lacks mail; mid holds it for group second"
    )
    assert verdict.missing == "let the worker finish: chaos.settle(timeout=...)"


def test_an_ack_that_did_not_arrive_leaves_it_there():
    line = in_part().ack(topic="mid", reached=False, **TWO)
    assert line.ask(BOTH).status == "unknown"


def test_parts_that_it_acked_without_are_missing():
    verdict = in_part().ack(topic="mid", **TWO).ask(BOTH)
    assert verdict.status == "failed"
    assert verdict.sentence.endswith("done in part only: has row, lacks mail")


def test_before_it_was_handed_it_there_nor_may_they_be_missing():
    line = passed_on(run().publish("a").publish("b"), ONE, "mid").ack(1, **ONE)
    line.effect("a", part="row").deliver("b", **ONE).publish("b", topic="mid", owner="worker-1#1")
    line.effect("b", part="row").effect("b", part="mail").ack(**ONE)
    line.deliver("a", topic="mid", **TWO).effect("a", part="mail").ack(1, topic="mid", **TWO)
    assert line.ask(BOTH).status == "passed"
    line.effects = [row for row in line.effects if (row.id, row.part) != ("b", "mail")]
    assert line.ask(BOTH).status == "unknown"


@pytest.mark.parametrize(("by", "status"), [("first", "failed"), ("second", "unknown")])
def test_another_groups_part_does_not_hang_on_what_this_one_holds(by, status):
    assert in_part(by=by).ask(lossless(parts=["row", "mail"], by=[by])).status == status


@pytest.mark.parametrize(("acks", "status"), [(False, "unknown"), (True, "failed")])
def test_it_may_be_held_some_stages_on(acks, status):
    line = passed_on(
        passed_on(run().publish("a").publish("b"), ONE, "mid"), TWO, "end", topic="mid"
    )
    line.deliver("a", topic="end", **THREE).effect("b")
    if acks:
        line.ack(topic="end", **THREE)
    assert line.ask(lossless()).status == status
