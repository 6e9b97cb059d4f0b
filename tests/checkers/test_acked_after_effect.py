import pytest

from pytest_mqchaos.checkers.acked_after_effect import acked_after_effect
from pytest_mqchaos.errors import UsageError
from tests.checkers.timeline import MS, run


def ask(line):
    return line.ask(acked_after_effect())


def test_work_then_ack_passes():
    verdict = ask(run(rules=()).publish("a").publish("b").work("a", "b"))
    assert verdict.status == "passed"
    assert verdict.population["acks looked at"] == 2


def test_ack_then_work_fails_on_the_happy_path_and_says_by_how_much():
    verdict = ask(run(rules=()).publish("a").deliver("a").ack().effect("a"))
    assert verdict.status == "failed"
    assert verdict.advice == "ack after the work: acked 1.0 ms before the effect"
    assert "1 of 1 message acked before the effect" in verdict.sentence


def test_an_ack_that_was_lost_was_still_too_early():
    verdict = ask(run().publish("a").deliver("a").ack(reached=False).effect("a"))
    assert verdict.status == "failed"
    assert "an ack that was lost" in verdict.sentence


def test_an_ack_without_any_effect_is_too_early_unless_expected():
    line = run().publish("a").deliver("a").ack()
    assert "it has no effect" in ask(line).sentence
    assert ask(line.publish("b").work("b").expect(ignored=["a"])).status == "passed"


def test_a_batch_with_one_cumulative_commit_passes_a_commit_amid_the_batch_does_not():
    line = run().publish("a").publish("b").deliver("a", "b").effect("a").effect("b").ack()
    assert ask(line).status == "passed"
    line = run().publish("a").publish("b").deliver("a", "b").effect("a").ack(2).effect("b")
    assert [f.id for f in ask(line).findings] == ["b"]


def test_commits_below_a_message_do_not_cover_it():
    line = run().publish("a").publish("b").deliver("a", "b").effect("a").ack(1).effect("b").ack(2)
    assert ask(line).status == "passed"


def test_redelivered_to_another_owner_that_drops_it_as_done_passes():
    line = run().publish("a").deliver("a").effect("a")
    assert ask(line.deliver("a", owner="worker-1#2").ack(owner="worker-1#2")).status == "passed"


def test_a_position_set_back_asks_the_ack_that_came_after_the_delivery():
    line = run().publish("a").publish("b").work("a", "b").deliver("a").ack(1)
    assert ask(line).status == "passed"


@pytest.mark.parametrize("aside", ["retry", "dead"])
def test_a_confirmed_hop_aside_counts_as_the_effect(aside):
    line = run().publish("a").deliver("a").publish("a", topic=aside).ack()
    assert ask(line).status == "passed"
    early = run().publish("a").deliver("a").ack().publish("a", topic=aside)
    assert ask(early).status == "failed"
    open_ = run().publish("a").deliver("a").publish("a", topic=aside, confirm=False).ack()
    assert ask(open_).status == "unknown"
    refused = run().publish("a").deliver("a").publish("a", topic=aside, outcome="refused").ack()
    assert ask(refused).status == "failed"


def test_the_hop_that_led_to_a_delivery_is_not_its_effect():
    line = run().publish("a").deliver("a").publish("a", topic="retry").ack()
    line.deliver("a", topic="retry").ack(topic="retry")
    assert ask(line).status == "failed"


def test_a_hop_that_nobody_saw_is_unknown():
    line = run().publish("a").deliver("a").log_add("a", topic="dead").ack()
    assert ask(line).status == "unknown"


def test_of_several_parts_the_last_decides():
    line = run().publish("a").deliver("a").effect("a", part="debit").ack().effect("a", part="cr")
    assert ask(line).status == "failed"


def test_each_group_is_compared_with_its_own_effects():
    line = run().publish("a").deliver("a").deliver("a", group="h").effect("a", by="g").ack()
    line.ack(group="h").effect("a", by="h")
    assert [f.by for f in ask(line).findings] == ["h"]


def test_an_interval_that_overlaps_the_ack_is_unknown_one_before_it_passes():
    line = run().publish("a").deliver("a").ack()
    at = line.acks[0].t
    assert ask(line.effect("a", span=(at - MS, at + MS))).status == "unknown"
    line.effects.clear()
    assert ask(line.effect("a", span=(at - 2 * MS, at - MS))).status == "passed"
    line.effects.clear()
    assert ask(line.effect("a", span=(at + 1, at + MS))).status == "failed"


def test_a_source_without_times_is_unknown_and_says_what_to_add():
    line = run().publish("a").deliver("a").effect("a", timed=False).ack()
    verdict = ask(line)
    assert verdict.status == "unknown"
    assert "chaos.effects.record(id)" in verdict.missing


def test_a_posthumous_effect_decides_nothing():
    line = run().publish("a").deliver("a").effect("a", posthumous=True).ack()
    assert ask(line).status == "unknown"


def test_an_unknown_group_is_that_of_its_owners_acks():
    line = run().publish("a").deliver("a", group=None).ack().effect("a")
    assert ask(line).status == "failed"


def test_a_gap_turns_a_pass_into_unknown_not_a_seen_failure():
    line = run().publish("a").work("a").but(gaps=("link 2 is blind",))
    assert ask(line).status == "unknown"
    assert ask(line.publish("b").deliver("b").ack().effect("b")).status == "failed"


def test_no_ack_is_unknown_and_no_effect_source_a_usage_error():
    assert ask(run().publish("a").deliver("a").effect("a")).status == "unknown"
    with pytest.raises(UsageError, match="no effect source"):
        ask(run().but(effects=None))


def two_groups(**ours):
    line = run().publish("a").deliver("a", **ours).deliver("a", group="h", owner="h#1")
    return line.ack(group="h", owner="h#1").effect("a").ack(**ours)


def test_an_effect_belongs_to_the_group_for_which_its_recorder_acks():
    line = two_groups()
    assert ask(line).status == "unknown"  # h acked, and no effect is known to be its own
    assert "h has no effect of any message" in ask(line).sentence
    line.effects[0] = line.effects[0]._replace(owner=None)
    assert ask(line).status == "unknown"


def test_a_group_without_a_confirm_of_who_did_the_work_is_judged_by_its_own_effects():
    line = two_groups().effect("a")
    line.effects[-1] = line.effects[-1]._replace(owner="h#2")
    assert [f.by for f in ask(line).findings] == ["h"]


def test_a_declared_dead_letter_is_asked_if_the_consumer_published_it():
    line = run().publish("a").deliver("a").ack().publish("a", topic="dead")
    assert ask(line.expect(dead_lettered=["a"])).status == "failed"
    broker = run().publish("a").deliver("a").ack().log_add("a", topic="dead").publish("b")
    assert ask(broker.work("b").expect(dead_lettered=["a"])).status == "passed"


RELAY = "worker-2#1"


def outbox(*, row=None, owner=RELAY):
    """Acked when its row is stored; `row`: what shows that is declared, too: "before", "after"."""
    line = run().publish("a").deliver("a")
    if row == "before":
        line.effect("a", part="row")
    line.ack()
    if row == "after":
        line.effect("a", part="row")
    return line.effect("a", part="event", owner=owner)


@pytest.mark.parametrize("row", [None, "before"])
def test_what_the_relay_of_an_outbox_did_says_nothing_of_the_ack(row):
    verdict = outbox(row=row).ask(acked_after_effect())
    assert verdict.status == "unknown"
    assert "worker-2#1 did it, which was never handed it: out of a store" in verdict.sentence
    assert verdict.missing.startswith("show as the effect what is stored before the ack")


@pytest.mark.parametrize(
    "line",
    [
        outbox(row="after"),  # the reader's own part came too late, too
        outbox(owner="worker-1#2"),  # the reader itself
        outbox(owner=None),
        run().publish("a").deliver("a").deliver("a", owner=RELAY).ack().effect("a", owner=RELAY),
    ],
)
def test_what_a_reader_did_too_late_is_acked_early(line):
    assert line.ask(acked_after_effect()).status == "failed"


def test_the_advice_speaks_of_stores_where_an_output_topic_shows_the_effects():
    late = run().publish("a").deliver("a").ack().effect("a")
    assert "an outbox" not in late.ask(acked_after_effect()).advice
    late.but(effect_topics=frozenset({"out"}))
    assert "an outbox's row, a join's state" in late.ask(acked_after_effect()).advice


def test_what_a_message_is_called_has_no_say_in_what_to_do():
    line = run().publish("an outbox").deliver("an outbox").effect("an outbox", timed=False).ack()
    verdict = ask(line)
    assert verdict.missing.startswith("record effects with their time")
