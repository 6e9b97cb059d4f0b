"""Two workers that use one transactional.id by turns are told so, wherever they get stuck of it."""

from pytest_mqchaos.checkers.exactly_once import exactly_once
from pytest_mqchaos.checkers.lossless import lossless
from tests.checkers.timeline import run

SHARED = "worker-1, worker-2 use the transactional.id 't' by turns, and each fences the other off"


def sent(owners, **more):
    line = run()
    for number, owner in enumerate(owners):
        line.publish(f"m{number}", owner=owner, txn="t", stored=False, **more)
    return line


def test_what_stands_open_is_not_waited_for_where_each_fences_the_other_off():
    line = sent(["worker-1#1", "worker-2#1", "worker-1#1"]).publish("a").deliver("a").ack()
    told = line.but(pending=frozenset({"a"})).ask(lossless())
    assert told.status == "unknown"
    assert told.missing.startswith(SHARED)
    assert SHARED in line.ask(exactly_once()).missing


def test_what_waits_behind_it_is_not_waited_for_either():
    line = sent(["worker-1#1", "worker-2#1", "worker-1#1"]).publish("a").deliver("a")
    assert line.ask(lossless()).missing.startswith(SHARED)


def test_what_was_taken_back_is_the_other_ones_doing():
    line = sent(["worker-1#1", "worker-2#1", "worker-1#1"]).accept("m0")
    told = line.ask(lossless())
    assert told.status == "failed"
    assert told.advice.startswith(SHARED)


def test_a_successor_and_who_begins_anew_are_not_by_turns():
    for owners in (["worker-1#1", "worker-2#1"], ["worker-1#1", "worker-1#2", "worker-1#3"]):
        told = sent(owners).accept("m0").ask(lossless())
        assert told.advice.startswith("tell the caller after commit_transaction()")
