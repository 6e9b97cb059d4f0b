"""Tables: rows that are gone, and messages without a value that delete their key."""

import pytest

from pytest_mqchaos.checkers.acked_after_effect import acked_after_effect
from pytest_mqchaos.checkers.exactly_once import exactly_once
from pytest_mqchaos.checkers.latest import latest
from pytest_mqchaos.checkers.lossless import lossless
from pytest_mqchaos.history.history import Expected
from tests.checkers.timeline import run


def table(*rows, deletes=True, timed=False, **more):
    """Two versions of a key, then its deletion; `rows`: (id, gone) as the table showed them."""
    line = run().publish("v1", key=b"k").publish("v2", key=b"k").publish("x", key=b"other")
    if deletes:
        line.tombstone("del", b"k")
    line.deliver("v1", "v2", "x", *(["del"] if deletes else [])).effect(
        "x", value="x", timed=timed
    ).ack()
    for name, gone in rows:
        line.effect(name, value=name, gone=gone, timed=timed, **more)
    return line


def asked(line, **more):
    return line.ask(lossless(keep="latest")).status, line.ask(latest(**more)).status


GONE = [("v1", True), ("v2", True)]


@pytest.mark.parametrize("rows", [[], GONE])
def test_a_key_that_was_deleted_has_no_row(rows):
    assert asked(table(*rows)) == ("passed", "passed")


def test_a_key_that_should_be_gone_has_one():
    line = table(("v1", True), ("v2", False))
    assert asked(line) == ("failed", "failed")
    assert asked(line, expected=lambda message: message.value.decode())[1] == "failed"
    assert "key 'k' ends with 'v2', last published: del" in line.ask(latest()).sentence


def test_effects_that_are_told_tell_of_a_deletion_too():
    assert table(timed=True).ask(lossless(keep="latest")).status == "failed"
    line = table(("v2", False), ("del", False), timed=True)
    assert asked(line, expected=lambda message: message.value.decode()) == ("passed", "passed")


def test_what_is_there_at_the_end_is_the_final_value_not_what_was_shown_last():
    back = table(("v1", False), ("v2", True), deletes=False)
    assert asked(back)[1] == "failed"
    assert asked(table(("v1", True), ("v2", False), deletes=False)) == ("passed", "passed")
    unordered = table(("v1", True), ("v2", False), deletes=False, order=False)
    assert asked(unordered)[1] == "passed"


@pytest.mark.parametrize(("last", "status"), [("v3", "passed"), ("v2", "failed")])
def test_a_row_that_was_written_over_again_and_again_is_judged_by_what_stands_there(last, status):
    """A look at each version of one row for each key, which has no order of its own."""
    line = run().publish("v1", key=b"k").publish("v2", key=b"k").publish("v3", key=b"k")
    line.deliver("v1", "v2", "v3").ack()
    for name in ("v1", "v2", "v3"):
        line.effect(name, gone=name != last, order=False, timed=False)
    assert line.ask(latest()).status == status


def test_and_so_is_one_that_is_gone_at_the_end():
    assert asked(table(*GONE, order=False))[1] == "passed"
    verdict = table(*GONE, deletes=False, order=False).ask(latest())
    assert verdict.status == "unknown"
    assert "key 'k' ends with nothing (that of 'v2' is gone)" in verdict.sentence


def test_of_two_that_stand_there_nobody_knows_which_is_the_last():
    line = table(("v1", False), ("v2", False), deletes=False, order=False)
    assert (
        "several effects at the end, without an order, for 1 key: k" in line.ask(latest()).sentence
    )


def test_a_key_that_is_gone_though_nobody_deleted_it_is_not_known():
    verdict = table(*GONE, deletes=False).ask(latest())
    assert verdict.status == "unknown"
    assert "key 'k' ends with nothing (that of 'v2' is gone)" in verdict.sentence


def test_a_key_that_is_gone_though_it_was_written_after_its_deletion_is_stale():
    line = table(*GONE).publish("v3", key=b"k").deliver("v3").ack()
    assert line.ask(latest()).status == "failed"


def test_what_comes_after_a_row_that_is_gone_is_looked_at_too():
    line = table(("v2", False), ("v1", True), deletes=False).publish("y1", key=b"y")
    line.publish("y2", key=b"y").deliver("y1", "y2").ack().effect("y1", value="y1")
    assert [finding.id for finding in line.ask(latest()).findings] == ["y1"]


def excused(line):
    return line.ask(lossless(keep="latest")).status == "passed"


def test_rows_that_are_told_with_their_time_and_then_gone_tell_of_a_deletion():
    assert excused(table(*GONE, timed=True))
    assert not excused(table(timed=True).effect("x", value="x", timed=False, countable=False))


def test_a_deletion_that_only_the_log_shows():
    line = table(deletes=False).log_add("del", key=b"k")
    line.log[-1] = line.log[-1]._replace(value=None)
    assert excused(line.accept("del").deliver("del").ack())


def test_only_a_message_without_a_value_deletes_and_only_a_key():
    assert not excused(run().publish("x").work("x").publish("v", key=b"k").deliver("v").ack())
    assert not excused(run().publish("x").work("x").tombstone("none", None).deliver("none").ack())


def test_a_key_may_be_any_bytes():
    assert excused(table().tombstone("odd", b"\xff").deliver("odd").ack())


def written_and_deleted(*names, tables=True, **told):
    """A row for each key that came and went between two looks; `names`: rows of other keys."""
    line = run().publish("v1", key=b"k").tombstone("del", b"k")
    for name in names:
        line.publish(name, key=name.encode())
    line.deliver("v1", "del", *names)
    for name in names:
        line.effect(name, key=name, **told)
    return line.ack().but(tables=tables)


@pytest.mark.parametrize("names", [[], ["other"]])
def test_of_a_row_that_came_and_went_between_two_looks_nothing_is_known(names):
    line = written_and_deleted(*names, timed=False)
    assert line.ask(lossless(keep="latest")).status == "passed"
    for question in (lossless(), exactly_once(), acked_after_effect()):
        verdict = line.ask(question)
        assert verdict.status == "unknown", verdict.sentence
    verdict = line.ask(lossless())
    assert "2 of" in verdict.sentence
    assert {finding.text for finding in verdict.findings} >= {
        "it has no value: a deletion leaves no row",
        "a later message of its key may have written over its row",
    }
    assert "keep='latest'" in verdict.missing


def test_but_where_each_effect_is_told_they_are_lost():
    for line in (written_and_deleted("other"), written_and_deleted(tables=False)):
        assert line.ask(lossless()).status == "failed"
        assert line.ask(lossless(keep="latest")).status == "failed"
        assert line.ask(acked_after_effect()).status == "failed"


def test_and_what_was_handed_to_nobody_deleted_nothing():
    line = run().publish("v1", key=b"k").tombstone("del", b"k").deliver("v1").ack()
    verdict = line.but(tables=True).ask(lossless())
    assert verdict.status == "failed"
    assert "v1" in {finding.id for finding in verdict.findings}


# ------------------------------------------------------------ keys without a row, copies behind


def test_a_key_that_never_had_a_row_is_no_key_at_its_last_version():
    line = run().publish("a1", key=b"a").publish("b1", key=b"b").deliver("a1", "b1")
    verdict = line.effect("a1").ack().ask(latest())
    assert verdict.status == "unknown"
    assert "1 key without any effect: b" in verdict.sentence
    assert "assert_lossless(keep='latest')" in verdict.missing
    assert line.but(expected=Expected(dropped=frozenset({"b1"}))).ask(latest()).status == "passed"
    assert line.effect("b1").ask(latest()).status == "passed"


def test_nor_is_one_that_was_deleted_and_written_again():
    line = run().publish("v1", key=b"k").tombstone("del", b"k").deliver("v1", "del").ack()
    assert line.but(tables=True).ask(latest()).status == "unknown"  # a fault, and no row at all
    assert "1 key without" not in line.ask(latest()).sentence
    line.publish("v2", key=b"k").deliver("v2").ack()
    assert "1 key without any effect: k" in line.ask(latest()).sentence


@pytest.mark.parametrize(
    ("stands", "status"), [("v2", ("passed", "passed")), ("v1", ("failed", "failed"))]
)
def test_a_copy_behind_makes_no_version_newer(stands, status):
    """A guarded upsert ends with v2, an unguarded one with the copy of v1."""
    line = run().publish("v1", key=b"k").publish("v2", key=b"k").log_add("v1", key=b"k")
    line.deliver("v1", "v2", "v1").effect(stands, key="k", timed=False).ack()
    assert asked(line) == status
