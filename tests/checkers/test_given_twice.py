"""After a leader change an offset may be another message's: nothing is told of one by the other.

m1 and m2 are both at in-0@0 of different leaderships, m1 is no longer in the log.
"""

import pytest

from pytest_mqchaos.checkers.idempotent import idempotent
from pytest_mqchaos.checkers.lossless import lossless
from pytest_mqchaos.history.index import index_of
from tests.checkers.timeline import run

ANEW = frozenset({("in", 0)})


def cut(line, *names):
    """A new leader lacked these: they are gone, and the next message has their offset."""
    for name in names:
        line.lose(name)
        line.ends["in", 0] -= 1
    return line


@pytest.mark.parametrize(
    ("more", "where"),
    [
        ({"led_anew": ANEW}, "stored then gone (leader change)"),
        ({"led_anew": ANEW, "lone": ANEW}, "stored then gone (restart)"),
        ({"starts": {("in", 0): 1}}, "stored then gone (retention)"),
        ({"starts": {("in", 0): 1}, "led_anew": ANEW}, "stored then gone (retention)"),
        ({"starts": {("in", 1): 1}}, "stored then gone"),
        ({"compacted": frozenset({"in"})}, "stored then gone"),
    ],
)
def test_what_took_a_stored_message_is_said(more, where):
    line = run().publish("m1", key=b"k").publish("m2", key=b"other").work("m2").lose("m1")
    (finding,) = line.but(**more).ask(lossless()).findings
    assert finding.where == where


def test_compaction_takes_what_has_a_later_version():
    line = run().publish("m1", key=b"k").publish("m2", key=b"k").work("m2").lose("m1")
    (finding,) = line.but(compacted=frozenset({"in"})).ask(lossless()).findings
    assert finding.where == "stored then gone (compaction)"
    assert line.ask(lossless(keep="latest")).status == "passed"


def test_the_offset_of_a_lost_version_does_not_make_it_the_older_one():
    """m2 was sent before m1 was confirmed; m1's place was given to it when m1 was gone. That m2
    stands in the log with the same key does not prove that m1 had been replaced by it."""
    line = run().publish("first", key=b"x").work("first")
    line.publish("m2", key=b"k", outcome="unknown", stored=False).publish("m1", key=b"k")
    cut(line, "m1").log_add("filler", key=b"y").log_add("m2", key=b"k")
    line.work("m2", "filler")
    verdict = line.but(led_anew=ANEW).ask(lossless(keep="latest"))
    assert verdict.status == "failed"
    assert [finding.id for finding in verdict.findings] == ["m1"]
    assert line.but(led_anew=frozenset()).ask(lossless(keep="latest")).status == "passed"


def test_a_position_that_passed_the_new_message_says_nothing_of_the_old_one():
    line = run().publish("m1").deliver("m1")
    cut(line, "m1").publish("m2").work("m2")
    (finding,) = line.but(led_anew=ANEW).ask(lossless()).findings
    assert finding.id == "m1"
    assert finding.where == "delivered, no effect, not acked"


def test_an_ack_of_the_old_message_makes_the_new_one_skipped():
    """As it is in Kafka: the group's position lies behind what now stands there."""
    line = run().publish("m1").work("m1")
    cut(line, "m1").publish("m2")
    (finding,) = line.but(led_anew=ANEW).ask(lossless()).findings
    assert (finding.id, finding.where) == ("m2", "skipped by the position")


def test_two_messages_of_one_offset_are_no_repeat():
    line = run().publish("m1").work("m1")
    cut(line, "m1").publish("m2").work("m2")
    assert line.but(led_anew=ANEW).ask(idempotent()).status == "passed"


def test_the_log_holds_a_message_where_it_says_or_another():
    line = run().publish("m1").deliver("m1")
    cut(line, "m1").publish("m2").deliver("m2")
    history = line.but(led_anew=ANEW).history()
    index = index_of(history)
    assert [index.holds(row) for row in history.deliveries] == [False, True]
    # The m1 that the producer was told of is gone, its successor is there.
    assert [index.holds(row) for row in history.attempts] == [False, True]
    whole = index_of(line.but(led_anew=frozenset()).history())
    assert all(whole.holds(row) for row in history.deliveries)
    kept = index_of(line.but(led_anew=ANEW, starts={("in", 0): 1}).history())
    assert all(kept.holds(row) for row in history.deliveries)  # retention took it: not another's
