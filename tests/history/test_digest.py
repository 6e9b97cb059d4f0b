"""What a digest holds on to, and what it lets go."""

from dataclasses import replace

import pytest

from pytest_mqchaos.history.digest import lines
from pytest_mqchaos.history.history import History
from pytest_mqchaos.history.rows import (
    Accepted,
    Ack,
    Attempt,
    Delivery,
    Effect,
    Handled,
    Place,
    ProcessEvent,
    RuleEvent,
    RuleState,
    Stored,
)

SENT = Attempt(
    seq=1, t=10, link=1, owner="publisher", client="c-1", topic="t", partition=0, id="a",
    key=None, value=b"v", content=b"d", acks=-1, reached=True, outcome="confirmed", end_seq=2,
    end_t=20, offset=0, error=0, producer_id=7, sequence=0, transactional_id=None,
)  # fmt: skip
HANDED = Delivery(
    seq=3, t=30, link=2, owner="worker-1#1", group="g", topic="t", partition=0, offset=0, id="a",
    key=None, value=b"v", content=b"d", reached=True,
)  # fmt: skip
ACKED = Ack(
    seq=4, t=40, link=2, owner="worker-1#1", group="g", member="m-1", topic="t", partition=0,
    offset=1, reached=True, outcome="confirmed", end_seq=5, end_t=50, error=0,
)  # fmt: skip
DONE = Effect(
    order=0, t_from=35, t_to=35, id="a", part=None, by=None, key=None, value=3,
    owner="worker-1#1", posthumous=False, countable=True,
)  # fmt: skip
RUN = History(
    attempts=(SENT,), deliveries=(HANDED,), acks=(ACKED,), effects=(DONE,),
    stored=(Stored("t", 0, 0, "a", None, b"v", b"d"),),
    places=(Place("g", "t", 0, 1, 0, 1, 1),), handled=(Handled(33, "a", "worker-1#1"),),
    processes=(ProcessEvent(5, "worker-1#1", "started", ""),),
    rules=(RuleState(source="r", cause="c", fired=1, matched=1, optional=False),),
    rule_events=(RuleEvent(2, 20, 0, "took effect", "at port 4711"),), links={1: "publisher"},
)  # fmt: skip


@pytest.mark.parametrize(
    "other",
    [
        {"attempts": (SENT._replace(t=11, seq=9, link=5, client="c-2", producer_id=8),)},
        {"deliveries": (HANDED._replace(t=31, link=7),)},
        {"acks": (ACKED._replace(member="m-2", end_t=51),)},
        {"effects": (DONE._replace(t_from=1, t_to=99, order=None),)},
        {"rule_events": (RuleEvent(2, 20, 0, "took effect", "at port 4712"),)},
        {"links": {9: "publisher"}},
        {"started": 5},
    ],
)
def test_instants_ports_and_counted_names_have_no_part_in_it(other):
    assert replace(RUN, **other).digest() == RUN.digest()


@pytest.mark.parametrize(
    "other",
    [
        {"effects": (DONE._replace(gone=True),)},
        {"attempts": (SENT._replace(outcome="unknown"),)},
        {"attempts": (SENT._replace(headers=(("h", b"1"),)),)},
        {"attempts": (SENT, SENT)},
        {"deliveries": (HANDED._replace(owner="worker-2#1"),)},
        {"deliveries": ()},
        {"acks": (ACKED._replace(offset=2),)},
        {"effects": (DONE._replace(value=4),)},
        {"effects": (DONE, DONE)},
        {"effects": None},
        {"stored": ()},
        {"places": (Place("g", "t", 0, 0, 0, 1, 1),)},
        {"handled": ()},
        {"processes": ()},
        {"rules": (replace(RUN.rules[0], fired=0),)},
        {"rule_events": ()},
    ],
)
def test_whatever_can_be_judged_has(other):
    assert replace(RUN, **other).digest() != RUN.digest()


def test_order_within_a_partition_counts_between_partitions_it_does_not():
    here, there = SENT, SENT._replace(partition=1, id="b")
    both = replace(RUN, attempts=(here, there))
    assert replace(RUN, attempts=(there, here)).digest() == both.digest()
    later = SENT._replace(id="c", offset=1)
    assert (
        replace(RUN, attempts=(here, later)).digest()
        != replace(RUN, attempts=(later, here)).digest()
    )


def test_an_ack_that_says_nothing_new_of_its_partition_has_no_part_in_it():
    again = (ACKED, ACKED._replace(seq=8, t=80))
    before = ACKED._replace(offset=0)  # where its first delivery begins
    assert replace(RUN, acks=again).digest() == RUN.digest()
    assert replace(RUN, acks=(before, ACKED)).digest() == RUN.digest()
    assert replace(RUN, acks=(ACKED, before)).digest() != RUN.digest()  # it went back
    refused = ACKED._replace(outcome="refused", error=25)
    assert replace(RUN, acks=(refused, ACKED)).digest() != RUN.digest()


def test_an_object_without_words_of_its_own_does_not_bring_its_address():
    ours = replace(RUN, effects=(DONE._replace(value=object()),))
    assert ours.digest() == replace(RUN, effects=(DONE._replace(value=object()),)).digest()
    assert " 0x" not in "\n".join(lines(ours))


def test_accepted_is_no_row_of_its_own_instant():
    early, late = (replace(RUN, accepted=(Accepted(t, "a"),)) for t in (1, 2))
    assert early.digest() == late.digest() != RUN.digest()
