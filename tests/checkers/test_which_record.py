"""Several records of one id at a later stage (lines of an order, two events, copies), and one
process that serves several groups: an ack is compared with what may be its own effect."""

import pytest

from tests.checkers.test_later_stages import ONE, TWO, ask, forwarded, worked
from tests.checkers.timeline import run

OTHER = {"group": "two", "owner": "worker-3#1"}


def split(*values):
    """`a` comes to mid as several records, of these contents."""
    line = run().publish("a").deliver("a", **ONE)
    for value in values:
        line.publish("a", topic="mid", owner="worker-1#1", value=value, link=3)
    return line.ack(**ONE)


def handled(line, nth, *, first="effect", two=TWO, deliver=True, **effect):
    if deliver:
        line.deliver("a", topic="mid", nth=nth, **two)
    if first == "ack":
        line.ack(nth + 1, topic="mid", **two)
    if first != "skip":
        line.effect("a", **{"owner": two["owner"], **effect})
    return line if first == "ack" else line.ack(nth + 1, topic="mid", **two)


@pytest.mark.parametrize(("first", "status"), [("effect", "passed"), ("ack", "failed")])
@pytest.mark.parametrize("at_once", [True, False])
def test_each_line_of_an_order_is_done_and_acked(at_once, first, status):
    line = split(b"1", b"2")
    if at_once:
        line.deliver("a", topic="mid", **TWO).deliver("a", topic="mid", nth=1, **TWO)
    for nth in (0, 1):
        handled(line, nth, first=first, part=f"l{nth}", deliver=not at_once)
    assert ask(line).status == status


def test_a_line_acked_before_it_was_done_is_not_acquitted_by_the_line_before():
    line = split(b"1", b"2", b"3")
    for nth in (0, 1, 2):
        line.deliver("a", topic="mid", nth=nth, **TWO)
    handled(line, 0, part="l0", deliver=False)
    handled(line, 1, first="ack", part="l1", deliver=False)
    assert ask(handled(line, 2, part="l2", deliver=False)).status == "unknown"


@pytest.mark.parametrize(
    ("values", "status"), [((b"1", b"2"), "unknown"), ((b"1", b"1"), "passed")]
)
def test_a_line_that_was_acked_and_has_no_part_is_not_acquitted_by_another(values, status):
    """Of other messages the second part is there; a copy of a line needs none."""
    line = handled(split(*values), 0, part="l0")
    line = handled(line, 1, first="skip")
    forwarded("b", line=line).deliver("b", topic="mid", **TWO)
    for part in ("l0", "l1"):
        line.effect("b", owner="worker-2#1", part=part)
    verdict = ask(line.ack(topic="mid", **TWO))
    assert verdict.status == status
    assert ("mid had several records of it" in verdict.sentence) == (status == "unknown")


@pytest.mark.parametrize(("first", "status"), [("effect", "unknown"), ("ack", "failed")])
def test_an_event_that_asks_for_nothing_may_stand_before_the_one_that_does(first, status):
    line = handled(split(b"accepted", b"done"), 0, first="skip")
    verdict = ask(handled(line, 1, first=first))
    assert verdict.status == status
    if status == "unknown":
        assert "mid had several records of it" in verdict.sentence
        assert "id of its own" in verdict.missing


@pytest.mark.parametrize(("claimed", "status"), [(True, "passed"), (False, "failed")])
def test_a_copy_is_at_no_risk_while_another_worker_holds_the_message(claimed, status):
    """The second worker sees the claim of the first and acks its copy."""
    line = run().publish("a").deliver("a", **ONE)
    for partition in (0, 1):
        line.publish("a", topic="mid", p=partition, owner="worker-1#1", link=3)
    line.ack(**ONE)
    if claimed:
        line.deliver("a", topic="mid", p=0, **TWO)
    line.deliver("a", topic="mid", p=1, **OTHER).ack(topic="mid", p=1, **OTHER)
    if not claimed:
        line.effect("a", owner="worker-3#1").deliver("a", topic="mid", p=0, **TWO)
    else:
        line.effect("a", owner="worker-2#1")
    assert ask(line.ack(topic="mid", p=0, **TWO)).status == status


@pytest.mark.parametrize(("claimed", "status"), [(True, "passed"), (False, "failed")])
def test_so_it_is_on_an_input(claimed, status):
    line = run().publish("a").publish("a", p=1)
    if claimed:
        line.deliver("a", p=0)
    line.deliver("a", p=1, owner="worker-3#1").ack(p=1, owner="worker-3#1")
    if not claimed:
        line.deliver("a", p=0)
    assert ask(line.effect("a").ack(p=0)).status == status


def test_a_claim_is_one_only_while_its_worker_has_not_acked():
    line = run().publish("a").publish("a", p=1).deliver("a", p=0).ack(p=0)
    line.deliver("a", p=1, owner="worker-3#1").ack(p=1, owner="worker-3#1")
    assert ask(line.effect("a")).status == "failed"


PAIR = [{"group": group, "owner": "worker-2#1"} for group in ("ga", "gb")]


def two_groups(*, first=("effect", "effect"), topics=("ma", "mb"), parts=True):
    """One process with two groups, each with a part of the work; the second is slower."""
    line = run().publish("a").deliver("a", **ONE)
    for topic in dict.fromkeys(topics):
        line.publish("a", topic=topic, owner="worker-1#1", link=3)
    line.ack(**ONE)
    for topic, group in zip(topics, PAIR, strict=True):
        line.deliver("a", topic=topic, **group)
    for each, topic, group in zip(first, topics, PAIR, strict=True):
        name = {"part": group["group"]} if parts else {"by": group["group"]}
        if each == "ack":
            line.ack(topic=topic, **group)
        line.effect("a", owner="worker-2#1", **name)
        if each == "effect":
            line.ack(topic=topic, **group)
    return line


@pytest.mark.parametrize("topics", [("ma", "mb"), ("ma", "ma")])
def test_whose_of_two_groups_of_a_process_an_effect_is_it_must_say(topics):
    verdict = ask(two_groups(topics=topics))
    assert verdict.status == "unknown"
    assert "its process serves several groups" in verdict.sentence
    assert "record `by`" in verdict.missing
    assert ask(two_groups(topics=topics, first=("effect", "ack"))).status == "failed"


@pytest.mark.parametrize(
    ("first", "status"),
    [
        (("effect", "effect"), "passed"),
        (("ack", "effect"), "failed"),
        (("effect", "ack"), "failed"),
    ],
)
@pytest.mark.parametrize("topics", [("ma", "mb"), ("ma", "ma")])
def test_who_says_whose_it_is_is_judged_by_its_own(topics, first, status):
    assert ask(two_groups(topics=topics, first=first, parts=False)).status == status


@pytest.mark.parametrize(("first", "status"), [("effect", "passed"), ("ack", "failed")])
@pytest.mark.parametrize("names", [("one", "two"), ("billing", "mail")])
def test_each_stage_has_an_effect_of_its_own_and_names_itself(names, first, status):
    """That of the stage before it is none of the second's."""
    line = run().publish("a").deliver("a", **ONE).publish("a", topic="mid", owner="worker-1#1")
    line.effect("a", by=names[0]).ack(**ONE)
    assert ask(worked(line, "a", first=first, by=names[1])).status == status


@pytest.mark.parametrize(("first", "status"), [("effect", "passed"), ("ack", "failed")])
def test_nor_is_what_another_stage_of_the_process_reads_all_that_the_first_does(first, status):
    two = {"group": "two", "owner": "worker-1#1"}
    line = run().publish("a").deliver("a", **ONE).publish("a", topic="mid", owner="worker-1#1")
    if first == "ack":
        line.ack(**ONE)
    line.effect("a", by="one")
    if first == "effect":
        line.ack(**ONE)
    line.deliver("a", topic="mid", **two).effect("a", by="two").ack(topic="mid", **two)
    assert ask(line).status == status


def test_who_passes_on_is_done_where_only_the_next_stage_names_itself():
    assert ask(worked(forwarded("a"), "a", by="two", owner=None)).status == "passed"
