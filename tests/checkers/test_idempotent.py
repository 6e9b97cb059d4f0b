import pytest

from pytest_mqchaos.checkers.idempotent import idempotent
from pytest_mqchaos.checkers.lossless import lossless
from pytest_mqchaos.errors import UsageError
from pytest_mqchaos.history.rows import FINAL_DRAIN, ProcessEvent
from tests.checkers.timeline import MS, run


def test_one_effect_each_passes_however_often_delivered_or_copied():
    line = run().publish("a", outcome="unknown").publish("a").deliver("a").deliver("a")
    verdict = line.deliver("a", nth=1).effect("a").ack().ask(idempotent())
    assert verdict.status == "passed"
    assert verdict.sentence == "each of 1 message took effect once (1 copy in the log)"


def test_work_done_again_after_redelivery_is_a_repeat():
    line = run().publish("a").publish("b").work("b").deliver("a").effect("a")
    verdict = line.deliver("a", owner="worker-1#2").effect("a").ack().ask(idempotent())
    assert verdict.status == "failed"
    assert verdict.sentence == (
        "1 of 2 messages took effect more than once: delivered 2x (redelivered), effect 2x"
    )
    assert verdict.findings[0].where == "redelivered"
    assert "same transaction" in verdict.advice


def done_twice(line):
    return line.deliver("b", owner="worker-1#2").effect("b")


def test_who_commits_the_messages_own_offset_is_told_that_kafka_keeps_the_next():
    begun = run().publish("a").publish("b").deliver("a", "b").effect("a").ack(0).effect("b")
    behind = done_twice(begun.ack(1)).place(1).ask(idempotent())
    assert behind.status == "failed"
    assert behind.advice.startswith(
        "commit the offset of the next message, offset + 1: g committed the offset of each message "
        "itself, 0 to 1, so in-0@1 is handed out again though it was done. And record"
    )


@pytest.mark.parametrize("drained", [True, False])
def test_of_a_table_what_a_reader_did_not_do_until_it_was_started_anew_tells_as_much(drained):
    line = run().publish("a").publish("b").deliver("a", "b")
    line = line.effect("a", span=(1 * MS, 90 * MS)).ack(0).effect("b", span=(1 * MS, 90 * MS))
    line.ack(1).now = 100
    ends = [
        ProcessEvent(100 * MS, "worker-1#1", "stopped", ""),
        ProcessEvent(101 * MS, "worker-1#2", "restarted", FINAL_DRAIN if drained else ""),
    ]
    line.now = 102
    behind = done_twice(line).place(1).but(processes=tuple(ends)).ask(idempotent())
    assert behind.advice.startswith("commit the offset of the next") is drained


def test_who_holds_its_position_back_on_purpose_is_not_told_so():
    """Windows of two: the position of the oldest that is open is committed, after each message."""
    for timed in (True, False):
        line = run().publish("a").publish("b").publish("c").deliver("a", "b", "c")
        line = line.ack(0).effect("a", timed=timed).effect("b", timed=timed)
        line = line.ack(2).effect("c", timed=timed)
        line = line.deliver("c", owner="worker-1#2").effect("c").place(2)
        assert line.ask(idempotent()).advice.startswith("record the processed id")


def test_who_commits_what_stands_in_front_before_each_message_is_not_told_so():
    line = run().publish("a").publish("b").deliver("a", "b")
    line = line.ack(0).effect("a").ack(1).effect("b")
    assert done_twice(line).place(1).ask(idempotent()).advice.startswith("record the processed id")


def test_of_one_commit_nobody_can_tell():
    line = run().publish("a").deliver("a").effect("a").ack(0)
    line = line.deliver("a", owner="worker-1#2").effect("a").place(0)
    assert line.ask(idempotent()).advice.startswith("record the processed id")


def test_whose_commits_ran_backwards_is_told_from_where_to_where():
    begun = run().publish("a").publish("b").deliver("a", "b").effect("b").effect("a")
    back = done_twice(begun.ack(2).ack(1)).place(1).ask(idempotent())
    assert back.status == "failed"
    assert back.advice.startswith("send no commit behind a higher one: g went back from 2 to 1")
    begun = run().publish("a").publish("b").work("a").deliver("b").effect("b")
    lost = done_twice(begun.ack(2, reached=False)).place(1).ask(idempotent())
    assert lost.advice.startswith("record the processed id")


@pytest.mark.parametrize("reached", [True, False])
def test_a_commit_of_what_stands_in_front_that_is_sent_again_is_none_of_the_message(reached):
    begun = run().publish("a").publish("b").deliver("a", "b").effect("a").ack(1, reached=reached)
    again = done_twice(begun.effect("b").ack(1)).place(1).ask(idempotent())
    assert again.advice.startswith("record the processed id")


def test_a_commit_of_who_had_lost_the_partition_is_told_from_one_sent_late():
    begun = run().publish("a").publish("b").deliver("a").deliver("a", "b", owner="worker-2#1")
    begun = begun.effect("a", owner="worker-2#1").effect("b", owner="worker-2#1")
    zombie = begun.ack(2, owner="worker-2#1").ack(1)
    back = zombie.deliver("b", owner="worker-2#1").effect("b").place(1).ask(idempotent())
    assert back.status == "failed"
    assert back.advice.startswith("commit as a member of the group only")
    assert "g went back from 2 to 1 of in-0, by worker-1#1 behind worker-2#1" in back.advice


def test_who_never_committed_after_the_work_or_before_it_is_not():
    begun = run().publish("a").publish("b").work("a").deliver("b").effect("b")
    never = done_twice(begun).place(1).ask(idempotent())
    assert never.advice.startswith("record the processed id")
    begun = run().publish("a").publish("b").deliver("a", "b").effect("a").ack(1).effect("b")
    before = done_twice(begun).place(1).ask(idempotent())
    assert before.advice.startswith("record the processed id")
    # A table tells between two looks only: the commit for `a` may be behind the first of them.
    begun = run().publish("a").publish("b").deliver("a", "b").effect("a").ack(1)
    between = begun.effect("b", span=(4 * MS, 9 * MS))
    assert done_twice(between).place(1).ask(idempotent()).advice.startswith("record the processed")


def test_two_groups_or_two_readers_outside_of_any_are_named():
    line = run().publish("a").deliver("a", group="g1").effect("a").ack(group="g1")
    groups = line.deliver("a", group="g2").effect("a").ack(group="g2").ask(idempotent())
    assert groups.status == "unknown"
    assert groups.missing.startswith("'a' was handed to several groups (g1, g2): replicas of one")
    line = run().publish("a").deliver("a", group=None).effect("a")
    line.deliver("a", group=None, owner="worker-2#1").effect("a", owner="worker-2#1")
    apart = line.ask(idempotent())
    assert apart.status == "unknown"
    assert apart.missing.startswith("worker-1, worker-2 were each handed 'a' outside of any group")
    line = run().publish("a").deliver("a", group=None).effect("a")
    again = line.deliver("a", group=None, owner="worker-1#2").effect("a").ask(idempotent())
    assert again.advice.startswith("worker-1#2 read 'a' again, for no position was")
    line = run().publish("a").deliver("a", "a", group=None).effect("a").effect("a")
    assert line.ask(idempotent()).advice.startswith("record the processed id")


def test_a_copy_in_the_log_worked_on_twice_names_the_copies():
    line = run().publish("a", outcome="unknown").publish("a")
    verdict = line.deliver("a").effect("a").deliver("a", nth=1).effect("a").ack().ask(idempotent())
    assert verdict.findings[0].where == "copies"
    assert verdict.findings[0].text == "stored 2x (copies), delivered 2x, effect 2x"


def test_parts_and_subscribers_are_no_repeats_but_a_part_twice_is():
    line = run().publish("a").deliver("a").effect("a", part="debit", by="g")
    line.effect("a", part="credit", by="g").effect("a", part="debit", by="h")
    assert line.ask(idempotent()).status == "passed"
    verdict = line.effect("a", part="debit", by="h").ask(idempotent())
    assert [(f.id, f.by) for f in verdict.findings] == [("a", "h")]
    assert "part 'debit' 2x" in verdict.sentence


def test_a_repeat_that_needs_a_posthumous_effect_is_unknown():
    line = run().publish("a").deliver("a").effect("a").effect("a", posthumous=True)
    assert line.ask(idempotent()).status == "unknown"
    assert line.effect("a").ask(idempotent()).status == "failed"


def test_a_source_that_cannot_hold_an_id_twice_is_judged_by_value():
    line = run().publish("a", value=b"5").work("a")
    line.effects[0] = line.effects[0]._replace(countable=False, value=10)
    verdict = line.ask(idempotent())
    assert verdict.status == "unknown"
    assert "may not show an id twice" in verdict.sentence
    assert line.ask(idempotent(expected=lambda m: int(m.value))).status == "failed"
    assert "value 10, expected 5" in line.ask(idempotent(state={"a": 5})).sentence
    assert line.ask(idempotent(state={"a": 10})).status == "passed"
    assert line.ask(idempotent(state={"other": 10})).status == "unknown"


def test_a_repeat_stays_proven_in_spite_of_a_gap_a_pass_does_not():
    line = run().publish("a").work("a").but(gaps=("link 3 is blind",))
    assert line.ask(idempotent()).status == "unknown"
    assert line.effect("a").ask(idempotent()).status == "failed"


def test_two_contents_of_one_id_are_no_repeat_but_unknown():
    line = run().publish("a", value=b"1").publish("a", value=b"2").effect("a").effect("a")
    assert line.ask(idempotent()).status == "unknown"


def test_no_effect_at_all_is_unknown_and_no_source_a_usage_error():
    assert run().publish("a").ask(idempotent()).status == "unknown"
    with pytest.raises(UsageError, match="no effect source"):
        run().but(effects=None).ask(idempotent())


def test_a_value_is_compared_wherever_one_is_expected():
    line = run().publish("a", value=b"5").publish("b", value=b"6").effect("a", value=5)
    line.effect("b", value=7).effect("ghost", value=1)
    verdict = line.ask(idempotent(expected=lambda message: int(message.value)))
    assert [(f.id, f.what) for f in verdict.findings] == [("b", "altered")]
    assert "1 of 3 messages altered" in verdict.sentence


def in_two_places(**more):
    """Each message is a row and an event."""
    line = run().publish("a").publish("b").deliver("a", "b")
    for name in ("a", "b"):
        line.effect(name, source="query", **more).effect(name, source="topic events", **more)
    return line.ack()


def test_one_effect_in_each_of_two_sources_is_no_repeat_and_no_pass_before_somebody_names_them():
    verdict = in_two_places().ask(idempotent())
    assert verdict.status == "unknown"
    assert verdict.sentence == (
        "2 messages with effects in several sources ('a' in query, topic events): parts of one "
        "work, or the same work twice?"
    )
    assert "part=" in verdict.missing
    assert in_two_places().ask(lossless()).status == "passed"


def test_a_part_of_the_same_name_is_the_same_work_in_whatever_source():
    assert in_two_places(part="work").ask(idempotent()).status == "failed"
    line = run().publish("a").deliver("a")
    line.effect("a", part="row", source="query").effect("a", part="event", source="topic events")
    assert line.ack().ask(idempotent()).status == "passed"


def test_twice_in_one_of_two_sources_is_a_repeat():
    line = in_two_places().effect("b", source="topic events")
    verdict = line.ask(idempotent())
    assert verdict.status == "failed"
    assert [finding.id for finding in verdict.findings if finding.what == "repeated"] == ["b"]


def test_what_is_in_one_of_two_sources_only_may_be_half_done():
    line = in_two_places().publish("c").deliver("c").effect("c", source="query").ack()
    verdict = line.ask(lossless())
    assert verdict.status == "unknown"
    assert "has query, lacks topic events" in verdict.sentence
    assert line.ask(lossless(parts=[])).status == "passed"


def test_where_every_message_has_its_source_nothing_is_asked():
    line = run().publish("a").publish("b").deliver("a", "b")
    line.effect("a", source="query").effect("b", source="topic rejected").ack()
    assert line.ask(lossless()).status == "passed"
    assert line.ask(idempotent()).status == "passed"


def began_twice(*, groups=("g", "g"), again="worker-1#2", cause=FINAL_DRAIN):
    line = run().publish("a").deliver("a", group=groups[0]).effect("a")
    events = (ProcessEvent(1 * MS, again, "restarted", cause),)
    return line.deliver("a", group=groups[1], owner=again).effect("a").but(processes=events)


@pytest.mark.parametrize("groups", [("g", "g"), ("view-0", "view-1"), (None, None)])
def test_who_never_commits_reads_again_at_each_start(groups):
    advice = began_twice(groups=groups).ask(idempotent()).advice
    assert "settle started anew, since nothing was committed) read 'a' again" in advice
    assert "(which" not in began_twice(groups=groups, cause="").ask(idempotent()).advice


def test_who_has_committed_or_is_another_reads_for_other_reasons():
    assert "at each start" not in began_twice().ack().ask(idempotent()).advice
    assert "at each start" not in began_twice(again="worker-2#1").ask(idempotent()).advice
