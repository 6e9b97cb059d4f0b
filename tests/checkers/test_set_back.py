"""Rows that went when a worker died or began anew, and rows that a later one wrote over."""

import pytest

from pytest_mqchaos.checkers.acked_after_effect import acked_after_effect
from pytest_mqchaos.checkers.evidence.one_row_a_key import JOURNAL
from pytest_mqchaos.checkers.exactly_once import exactly_once
from pytest_mqchaos.checkers.latest import latest
from pytest_mqchaos.checkers.lossless import lossless
from pytest_mqchaos.checkers.same_outcome import same_outcome
from pytest_mqchaos.history.rows import ProcessEvent
from tests.checkers.timeline import MS, run

CRASHED = ProcessEvent(50 * MS, "worker-1#1", "crashed", "")
ANEW = ProcessEvent(60 * MS, "worker-1#2", "started", "")
BEGAN = ProcessEvent(60 * MS, "worker-1#1", "started", "")
STOPPED = ProcessEvent(60 * MS, "worker-1#1", "stopped", "")
ENDED = STOPPED._replace(t=80 * MS)
SECOND = ProcessEvent(60 * MS, "worker-2#1", "started", "")
BROKER = ProcessEvent(60 * MS, "broker-1", "crashed", "")


def table(rows, *events, keys=(b"k", b"l"), timed=False, named=True):
    """Messages m0, m1... of these keys in turn, each handed out; `rows`: (id, gone) as a table
    showed them, `"new"`: first when the others had gone, which was at 40 to 70 ms. `named`: with
    their keys."""
    names = [f"m{n}" for n in range(4)]
    line = run()
    for n, name in enumerate(names):
        line.publish(name, key=keys[n % len(keys)])
    line.deliver(*names)
    for name, gone in rows:
        shown = (40 * MS, 70 * MS) if gone == "new" else (10 * MS, 30 * MS)
        key = keys[int(name[1:]) % len(keys)]
        line.effect(
            name, span=None if timed else shown, gone=gone is True,
            key=key.decode() if named and key else None,
        )  # fmt: skip
        if gone is True:
            line.effects[-1] = line.effects[-1]._replace(gone_from=40 * MS, gone_to=70 * MS)
    return line.ack().but(processes=(BEGAN._replace(t=1), *events, ENDED))


def by_their_ids(line):
    """A table that is known to tell its rows apart by the id."""
    line.effects = [effect._replace(keyed=False) for effect in line.effects]
    return line


ALL = [(f"m{n}", False) for n in range(4)]
LAST_TWO_WENT = [*ALL[:2], ("m2", True), ("m3", True)]


@pytest.mark.parametrize("event", [CRASHED, ANEW])
@pytest.mark.parametrize("question", [lossless, exactly_once])
def test_what_went_with_a_worker_may_be_lost(event, question):
    verdict = table(LAST_TWO_WENT, event).ask(question())
    assert verdict.status == "unknown"
    how = "crashed" if event is CRASHED else "began anew"
    assert f"2 messages had an effect that went when worker-1 {how}: m2, m3" in verdict.sentence
    assert [(f.id, f.what) for f in verdict.findings] == [("m2", "gone"), ("m3", "gone")]
    assert "in memory it must build again" in verdict.missing


@pytest.mark.parametrize("event", [BEGAN, STOPPED, BROKER, CRASHED._replace(t=39 * MS)])
def test_what_went_at_another_time_was_taken_away(event):
    for question in (lossless, exactly_once):
        verdict = table(LAST_TWO_WENT, event).ask(question())
        assert verdict.status == "passed"
        assert verdict.limits == ("effects that were taken away again count as done (m2, m3)",)
    assert not table(ALL, event).ask(lossless()).limits


def test_what_is_there_again_or_elsewhere_is_not_lost():
    line = table([*ALL, ("m3", True)], CRASHED)
    assert line.ask(lossless()).status == "passed"
    assert table(LAST_TWO_WENT, CRASHED).expect(ignored=["m2", "m3"]).ask(
        lossless()
    ).status == "passed"  # fmt: skip


@pytest.mark.parametrize(("parts", "status"), [(["row"], "unknown"), (["event"], "passed")])
def test_only_the_parts_that_are_asked_for(parts, status):
    line = run().publish("a").deliver("a").effect("a", part="event")
    line.effect("a", part="row", timed=False, gone=True)
    line.effects[-1] = line.effects[-1]._replace(gone_from=40 * MS, gone_to=70 * MS)
    line.ack().but(processes=(CRASHED,))
    assert line.ask(lossless(parts=parts)).status == status


def test_a_table_with_one_row_a_key_writes_rows_over():
    rows = [("m0", True), ("m1", True), ("m2", "new"), ("m3", "new")]
    assert table(rows, CRASHED).ask(lossless()).status == "passed"


def test_a_source_that_was_seen_to_write_over_a_row_needs_no_keys():
    rows = [("m0", True), ("m2", "new"), ("m3", "new")]
    assert table(rows, named=False).ask(lossless()).status == "unknown"  # m1
    assert table(rows[1:], named=False).ask(lossless()).status == "failed"


def test_a_table_that_shows_an_older_row_of_the_key_was_set_back():
    rows = [("m0", False), ("m1", False), ("m2", True), ("m3", True)]
    assert "2 messages" in table(rows, CRASHED).ask(lossless()).sentence


@pytest.mark.parametrize(
    ("rows", "lost"),
    [
        ([("m0", False), ("m1", True), ("m2", False), ("m3", "new")], ["m1"]),
        # All that was there at once went; what is there now has one row a key.
        ([("m0", True), ("m1", True), ("m2", True), ("m3", "new")], ["m0", "m1", "m2"]),
    ],
)
def test_a_table_that_has_shown_several_rows_a_key_writes_none_over(rows, lost):
    verdict = table(rows, CRASHED).ask(lossless())
    assert [f.id for f in verdict.findings] == lost


def test_a_row_that_no_look_has_shown_may_have_been_written_over():
    line = table([("m2", False), ("m3", False)])
    verdict = line.ask(lossless())
    assert verdict.status == "unknown"
    assert "2 of 4 messages without a row" in verdict.sentence
    assert "lossless(keep='latest')" in verdict.missing
    assert line.ask(lossless(keep="latest")).status == "passed"
    verdict = line.ask(acked_after_effect())
    assert verdict.status == "unknown"
    assert "may have written over its row" in verdict.findings[0].text
    assert verdict.missing == JOURNAL


@pytest.mark.parametrize(
    "line",
    [
        table([("m2", False), ("m3", False)], timed=True),  # told one by one
        table([("m2", False), ("m3", False)], named=False),  # perhaps a journal
        by_their_ids(table([("m2", False), ("m3", False)])),
        table([("m2", False), ("m3", False)]).but(effect_topics=frozenset({"out"})),  # a log
        table([("m1", False), ("m2", False), ("m3", False)]),  # a journal: two rows of l
        table([("m2", False), ("m3", False)], keys=(None,)),
        table([("m2", False), ("m3", False)], keys=(b"k", b"l", b"m", b"n")),
        table([("m0", False), ("m1", False)]),  # the last of each key is the one that is not there
    ],
)
def test_a_row_that_nothing_can_have_written_over_is_lost(line):
    assert line.ask(lossless()).status == "failed"
    assert line.ask(acked_after_effect()).status == "failed"


def test_who_was_handed_nothing_wrote_no_row_that_could_be_written_over():
    line = run().publish("a", key=b"k").publish("b", key=b"k").deliver("b")
    line.effect("b", timed=False).ack()
    assert line.ask(lossless()).status == "failed"


def test_a_row_that_is_there_without_faults_is_missing_also_if_it_was_written_over():
    line = table([("m2", False), ("m3", False)])
    baseline = dict.fromkeys(["m0", "m1", "m2", "m3"])
    verdict = line.ask(same_outcome(baseline=baseline))
    assert verdict.status == "failed"
    assert [f.id for f in verdict.findings] == ["m0", "m1"]


@pytest.mark.parametrize(
    ("line", "says"),
    [
        (table([("m0", False), ("m1", False)]), True),
        (table([("m0", False), ("m1", False)], timed=True), False),
        (table([("m0", False), ("m1", False)], keys=(b"k", b"l", b"m", b"n")), False),
        (table([("m0", False), ("m1", False)], keys=(None,)), False),
    ],
)
def test_the_advice_speaks_of_versions_where_the_row_of_the_key_is_another_messages(line, says):
    verdict = line.ask(lossless())
    assert verdict.status == "failed"
    assert ("version=..." in verdict.advice) is says


@pytest.mark.parametrize(("given", "says"), [({}, True), ({"version": "value"}, False)])
def test_the_advice_about_a_stale_key_asks_where_the_version_stands(given, says):
    line = run().publish("v1", key=b"k").publish("v2", key=b"k").deliver("v1", "v2").effect("v1")
    verdict = line.ack().ask(latest(**given))
    assert verdict.status == "failed"
    assert ("latest(version=...)" in verdict.advice) is says


def test_a_reader_without_a_group_may_have_written_over_a_row_as_well():
    line = run().publish("a", key=b"k").publish("b", key=b"k").deliver("a", "b", group=None)
    line.effect("b", key="k", span=(10 * MS, 20 * MS))
    verdict = line.ask(lossless())
    assert verdict.status == "unknown"
    assert (
        "1 of 2 messages without a row, in a source with one row for each key" in verdict.sentence
    )
    assert line.ask(lossless(keep="latest")).status == "passed"


@pytest.mark.parametrize(
    ("events", "said"),
    [
        ((STOPPED._replace(t=45 * MS), SECOND), "worker-2 began its work"),  # a deployment
        ((SECOND,), ""),  # beside the first
        ((CRASHED, SECOND), "worker-1 crashed"),
    ],
)
def test_another_worker_that_begins_when_none_runs_begins_anew(events, said):
    verdict = table(LAST_TWO_WENT, *events).ask(lossless())
    assert verdict.status == ("unknown" if said else "passed")
    assert said in verdict.sentence


def moving(*, to="worker-2#1", went=(40, 60), first=70):
    """m0 was done by worker-1; its row went; the next message went to another worker at 70 ms."""
    line = run().publish("m0").publish("m1").deliver("m0")
    line.effect("m0", span=(10 * MS, 20 * MS), gone=True)
    low, high = (at * MS for at in went)
    line.effects[-1] = line.effects[-1]._replace(gone_from=low, gone_to=high)
    line.now = first - 1
    return line.deliver("m1", owner=to).effect("m1", owner=to).ack()


def test_two_that_are_handed_the_same_by_turns_move_nothing():
    """worker-2 has the partition, and librdkafka fetches on for worker-1."""
    line = run().publish("m0").publish("m1").publish("m2").deliver("m0")
    line.deliver("m0", owner="worker-2#1").effect("m0", span=(10 * MS, 20 * MS), gone=True)
    line.effects[-1] = line.effects[-1]._replace(gone_from=40 * MS, gone_to=60 * MS)
    line.now = 39
    for name in ("m1", "m2"):
        line.deliver(name).deliver(name, owner="worker-2#1").effect(name, owner="worker-2#1")
    verdict = line.ack(owner="worker-2#1").ask(lossless())
    assert verdict.status == "passed"
    assert verdict.limits == ("effects that were taken away again count as done (m0)",)


def test_what_went_when_its_partition_went_to_another_worker_may_be_lost():
    verdict = moving().ask(lossless())
    assert verdict.status == "unknown"
    assert "1 message had an effect that went when in-0 went from worker-1 to worker-2: m0" in (
        verdict.sentence
    )


@pytest.mark.parametrize(
    "line",
    [
        moving(to="worker-1#1"),
        moving(went=(75, 90)),  # the other one took it away
        moving(went=(1, 2)),  # before it was the last of its reader
    ],
)
def test_what_went_before_or_after_its_partition_moved_was_taken_away(line):
    assert line.ask(lossless()).status == "passed"


def test_the_highest_version_must_not_be_written_over():
    """v3 was written over by a v2 that came later: a guard by version is what lacks."""
    line = run()
    for name, version in (("m0", b"1"), ("m1", b"3"), ("m2", b"2")):
        line.publish(name, key=b"k", value=version).deliver(name)
    line.effect("m2", key="k", span=(10 * MS, 30 * MS)).ack()
    assert line.ask(lossless()).status == "unknown"
    assert line.ask(lossless(keep="latest")).status == "passed"
    verdict = line.ask(lossless(keep="latest", version="value"))
    assert (verdict.status, [f.id for f in verdict.findings]) == ("failed", ["m1"])
