import pytest

from pytest_mqchaos.checkers.lossless import lossless
from pytest_mqchaos.errors import UsageError
from pytest_mqchaos.history.rows import ProcessEvent
from tests.checkers.timeline import run


def test_every_message_done_passes_with_its_population():
    verdict = run().publish("a").publish("b").work("a", "b").ask(lossless())
    assert verdict.status == "passed"
    assert list(verdict.population)[:8] == [
        "published", "confirmed", "stored", "delivered", "effects", "acked", "dead", "waiting",
    ]  # fmt: skip
    assert list(verdict.population.values()) == [2, 2, 2, 2, 2, 2, 0, 0, 0]


def test_acked_without_effect_is_lost_and_says_where():
    verdict = run().publish("a").publish("b").work("a").deliver("b").ack().ask(lossless())
    assert verdict.status == "failed"
    assert verdict.sentence == "1 of 2 confirmed messages was lost: delivered, no effect, acked"
    assert [(f.id, f.what, f.where) for f in verdict.findings] == [
        ("b", "lost", "delivered, no effect, acked")
    ]
    assert verdict.advice == "ack only after the work"
    assert "acked 1.0 ms later by worker-1#1: commit 2" in verdict.findings[0].text


def test_waiting_is_unknown_and_says_who_holds_it():
    verdict = run().publish("a").publish("b").work("a").deliver("b").place(1).ask(lossless())
    assert verdict.status == "unknown"
    assert "1 of 2 messages still waiting" in verdict.sentence
    assert "group g (in-0, position 1), in which nobody is left" in verdict.sentence
    assert verdict.population["waiting"] == 1


def test_waiting_without_any_delivery_asks_where_the_group_begins():
    untouched = run().publish("a").publish("b").place(-1).ask(lossless())
    assert untouched.status == "unknown"
    assert "begin at 'earliest'" in untouched.missing
    begun = run().publish("a").publish("b").deliver("b").place(-1).ask(lossless())
    assert "begin at 'earliest'" not in begun.missing


def test_an_effect_outranks_waiting():
    verdict = run().publish("a").deliver("a").effect("a").ask(lossless())
    assert verdict.status == "passed"
    assert verdict.population["waiting"] == 0


def test_a_commit_that_leaps_over_a_message_skips_it():
    line = run().publish("a").publish("b").publish("c").work("a").deliver("c").effect("c").ack(3)
    verdict = line.ask(lossless())
    assert verdict.status == "failed"
    assert verdict.findings[0].what == "skipped"
    assert "group g skipped it: commit 1 -> 3" in verdict.findings[0].text


def test_a_group_that_begins_behind_the_messages_skips_them_unless_declared():
    line = run().publish("a").publish("b").work("b")
    verdict = line.ask(lossless())
    assert verdict.status == "failed"
    assert "began behind it" in verdict.findings[0].text
    assert line.expect(ignored=["a"]).ask(lossless()).status == "passed"


def test_a_reader_outside_of_groups_has_lost_only_what_it_has_left_behind():
    line = run().publish("a").publish("b").publish("c").deliver("b", group=None).effect("b")
    verdict = line.ask(lossless())
    assert verdict.status == "failed"
    assert {(f.id, f.where) for f in verdict.findings if f.what == "lost"} == {
        ("a", "stored, never delivered")
    }


@pytest.mark.parametrize(
    ("line", "why"),
    [
        (run().publish("a"), "nobody who reads that was seen on a link"),
        (
            run().publish("a").publish("b").deliver("a", group=None).effect("a"),
            "nobody who reads that was seen on a link",
        ),
        (run().publish("a").deliver("a", group=None), "worker-1#1 keeps its position itself"),
        (
            run().publish("a").deliver("a").ack().but(
                processes=(ProcessEvent(1, "worker-1#1", "started", ""),)
            ),
            "worker-1#1 still runs",
        ),
    ],
)  # fmt: skip
def test_what_may_still_come_is_unknown_and_says_what_to_do(line, why):
    verdict = line.ask(lossless())
    assert verdict.status == "unknown"
    assert why in verdict.sentence
    assert "after the worker's `with` block" in verdict.missing


def test_what_a_stopped_worker_acked_without_an_effect_is_lost():
    events = (
        ProcessEvent(1, "worker-1#1", "started", ""), ProcessEvent(9, "worker-1#1", "stopped", "")
    )  # fmt: skip
    verdict = run().publish("a").deliver("a").ack().but(processes=events).ask(lossless())
    assert verdict.status == "failed"


@pytest.mark.parametrize(
    ("line", "where"),
    [
        (run().accept("x"), "never left the producer"),
        (run().publish("x", acks=0, reached=False, outcome="unknown"), "left, never reached"),
        (run().publish("x", outcome="refused").accept("x"), "refused and not retried"),
        (run().publish("x", outcome="unknown", stored=False).accept("x"), "outcome unknown"),
        (
            run().publish("x").lose("x").but(led_anew=frozenset({("in", 0)})),
            "stored then gone (leader change)",
        ),
        (run().publish("x").place(1), "skipped by the position"),
        (
            run().publish("x").publish("y").deliver("y", group=None).effect("y"),
            "stored, never delivered",
        ),
        (
            run().publish("x").deliver("x", group=None).but(readers={"worker-1#2"}),
            "delivered, no effect, not acked",
        ),
        (run().publish("x").deliver("x", reached=False).ack(), "skipped by the position"),
        (run().publish("x").deliver("x").publish("x", topic="dead").ack(), "parked"),
    ],
)
def test_localisation_names_the_furthest_stage_with_proof(line, where):
    verdict = line.ask(lossless())
    assert verdict.status == "failed"
    assert where in verdict.findings[0].where


@pytest.mark.parametrize("elsewhere", [set(), {("in", 1), ("other", 0)}])
def test_a_leader_change_is_named_only_where_one_was(elsewhere):
    line = run().publish("x").lose("x").but(led_anew=frozenset(elsewhere))
    (finding,) = line.ask(lossless()).findings
    assert finding.where == "stored then gone"


def test_a_loss_at_a_leader_change_says_what_prevents_it():
    line = run().publish("x").lose("x").but(led_anew=frozenset({("in", 0)}))
    verdict = line.ask(lossless())
    assert "1 of 1 confirmed message was lost: stored then gone (leader change)" in verdict.sentence
    assert "min.insync.replicas=2" in verdict.advice


def test_an_unknown_publish_may_be_missing_but_an_acks_0_one_may_not():
    line = run().publish("a").work("a").publish("b", outcome="unknown", stored=False)
    assert line.ask(lossless()).status == "passed"
    line.publish("c", acks=0, outcome="unknown", stored=False)
    verdict = line.ask(lossless())
    assert verdict.status == "failed"
    assert [f.id for f in verdict.findings] == ["c"]
    assert "confirmed or accepted" in verdict.sentence


def test_one_effect_suffices_for_two_copies():
    line = run().publish("a", outcome="unknown").publish("a").deliver("a", nth=0).effect("a").ack()
    verdict = line.ask(lossless())
    assert verdict.status == "passed"
    assert verdict.population["stored"] == 2


def test_a_second_copy_that_still_waits_keeps_a_lost_message_waiting():
    line = run().publish("a", outcome="unknown").publish("a").deliver("a").ack(1)
    assert line.ask(lossless()).status == "unknown"


def test_a_dead_letter_is_parked_unless_declared():
    line = run().publish("a").deliver("a").publish("a", topic="dead").ack()
    verdict = line.ask(lossless())
    assert verdict.findings[0].what == "parked"
    assert "parked in a dead-letter destination" in verdict.sentence
    assert line.expect(dead_lettered=["a"]).ask(lossless()).status == "passed"


def test_a_retry_hop_waits_in_the_retry_destination_and_is_done_there():
    line = run().publish("a").deliver("a").publish("a", topic="retry").ack()
    line.place(0, topic="retry", group="g-retry", active=1)
    assert line.ask(lossless()).status == "unknown"
    line.deliver("a", topic="retry", group="g-retry").effect("a")
    assert line.ask(lossless()).status == "passed"


def test_a_message_lost_behind_the_retry_hop_is_lost():
    line = run().publish("a").deliver("a").publish("a", topic="retry").ack()
    line.deliver("a", topic="retry").ack(1, topic="retry")
    verdict = line.ask(lossless())
    assert verdict.findings[0].where == "delivered, no effect, acked"


def test_two_groups_are_judged_apart():
    line = run().publish("a").deliver("a").deliver("a", group="h").effect("a", by="g").ack()
    line.ack(group="h")
    assert line.ask(lossless(by=["g"])).status == "passed"
    verdict = line.ask(lossless(by=["g", "h"]))
    assert verdict.status == "failed"
    assert [f.by for f in verdict.findings] == ["h"]
    assert "lost for h" in verdict.sentence


def test_a_group_without_any_effect_is_unknown_until_the_test_says_who_counts():
    line = run().publish("a").deliver("a").deliver("a", group="h").effect("a", by="g").ack()
    verdict = line.ask(lossless())
    assert verdict.status == "unknown"
    assert "by=('g',)" in verdict.missing


def test_without_by_any_group_that_would_get_it_again_keeps_it_waiting():
    line = run().publish("a").deliver("a").ack().place(0, group="h")
    assert line.ask(lossless()).status == "unknown"
    assert line.place(1, group="i").ask(lossless(by=["g"])).status == "failed"


def test_effects_with_and_without_by_are_unknown():
    line = run().publish("a").publish("b").effect("a", by="s").effect("b", by="s").effect("a")
    assert "without `by`" in line.ask(lossless()).sentence


def test_a_declared_part_that_is_missing_is_partial_an_undeclared_one_unknown():
    line = run().publish("a").publish("b").deliver("a", "b")
    for name, part in (("a", "debit"), ("a", "credit"), ("b", "debit")):
        line.effect(name, part=part)
    line.ack()
    verdict = line.ask(lossless(parts=["debit", "credit"]))
    assert verdict.status == "failed"
    assert [(f.id, f.what) for f in verdict.findings] == [("b", "partial")]
    assert "has debit, lacks credit" in verdict.sentence
    assert line.ask(lossless()).status == "unknown"
    line.effect("b", part="credit")
    assert line.ask(lossless(parts=["debit", "credit"])).status == "passed"
    assert line.ask(lossless()).status == "passed"


def test_a_posthumous_effect_alone_is_unknown():
    line = run().publish("a").deliver("a").effect("a", posthumous=True).ack()
    verdict = line.ask(lossless())
    assert verdict.status == "unknown"
    assert "posthumous" in verdict.sentence
    assert line.effect("a").ask(lossless()).status == "passed"


def test_an_ambiguous_id_is_unknown_with_both_contents():
    line = run().publish("a", value=b"1").publish("a", value=b"2").work("a")
    verdict = line.ask(lossless())
    assert verdict.status == "unknown"
    assert "b'1'" in verdict.sentence
    assert "b'2'" in verdict.sentence
    assert "composite" in verdict.missing


def test_a_hop_with_another_content_is_not_ambiguous():
    line = run().publish("a", value=b"1").publish("a", value=b"2", topic="out").work("a")
    assert line.ask(lossless()).status == "passed"


def test_an_unidentified_message_is_unknown_but_a_proven_loss_stays():
    line = run().publish("a").work("a").but(unidentified=("in-0@1: {...}",))
    assert line.ask(lossless()).status == "unknown"
    line.publish("b").deliver("b").ack()
    assert line.ask(lossless()).status == "failed"


def test_a_gap_is_never_a_pass_and_only_what_it_cannot_excuse_stays_lost():
    seen = run().publish("a").deliver("a").ack().but(gaps=("12 of 50 bypassed the link",))
    assert seen.ask(lossless()).status == "failed"
    unseen = run().publish("a").place(1).but(gaps=("12 of 50 bypassed the link",))
    verdict = unseen.ask(lossless())
    assert verdict.status == "unknown"
    assert "12 of 50" in verdict.sentence
    done = run().publish("a").work("a").but(gaps=("link 3 is blind",))
    assert done.ask(lossless()).status == "unknown"
    elsewhere = run().publish("a").work("a").but(gaps=("x",), gap_topics=frozenset({"other"}))
    assert elsewhere.ask(lossless()).status == "passed"


def test_without_read_back_a_missing_effect_is_unknown():
    line = run().publish("a").deliver("a").ack().but(read_back=False, stored=())
    assert line.ask(lossless()).status == "unknown"


def test_nothing_published_is_unknown_unless_no_fault_was_armed():
    verdict = run().ask(lossless())
    assert verdict.status == "unknown"
    assert "nothing to judge" in verdict.sentence
    assert run(rules=()).ask(lossless()).status == "passed"


def test_effects_under_other_ids_prove_no_loss_and_call_nothing_lost():
    line = run().publish("a").publish("b").deliver("a", "b").ack().effect("1").effect("2")
    verdict = line.ask(lossless())
    assert verdict.status == "unknown"
    assert "no effect has the id of a message" in verdict.sentence
    assert {finding.what for finding in verdict.findings} == {"no effect"}


def test_no_effect_source_is_a_usage_error_with_the_line_to_add():
    with pytest.raises(UsageError, match=r"chaos\.effects\.record\(id\)"):
        run().publish("a").but(effects=None).ask(lossless())


def test_keep_latest_lets_older_versions_go_but_not_the_last():
    line = run()
    for name in ("k1", "k2", "k3"):
        line.publish(name, key=b"k")
    line.lose("k1").deliver("k3").effect("k3").ack()
    assert line.ask(lossless()).status == "failed"
    verdict = line.ask(lossless(keep="latest"))
    assert verdict.status == "passed"
    assert verdict.population["superseded"] == 2
    line.publish("k4", key=b"k").ack()
    assert [f.id for f in line.ask(lossless(keep="latest")).findings] == ["k4"]


def test_aborted_transactions_are_withdrawn():
    line = run().publish("a").work("a").publish("b", txn="t", stored=False)
    verdict = line.ask(lossless())
    assert verdict.status == "passed"
    assert verdict.population["confirmed"] == 1


def test_a_wrong_option_names_what_is_allowed():
    with pytest.raises(UsageError, match="Did you mean 'latest'"):
        lossless(keep="lates")


def test_only_judged_destinations_must_have_ids():
    line = run().publish("a").work("a").publish("x", topic="out").but(unidentified=("out-0@0",))
    for rows in (line.attempts, line.log):
        rows[-1] = rows[-1]._replace(id=None)
    assert line.ask(lossless()).status == "passed"
    line.log_add("y")
    line.log[-1] = line.log[-1]._replace(id=None)
    verdict = line.ask(lossless())
    assert verdict.status == "unknown"
    assert "1 message without an id: in-0@1" in verdict.sentence


def test_by_asks_only_whom_the_run_knows():
    line = run().publish("a").deliver("a").effect("a", by="g").ack()
    verdict = line.ask(lossless(by=["g", "typo"]))
    assert verdict.status == "unknown"
    assert "typo took no part in this run (seen: g)" in verdict.sentence
    nameless = run().publish("a").work("a")
    assert "without `by`" in nameless.ask(lossless(by=["g"])).sentence
    with pytest.raises(UsageError, match="names no subscriber"):
        line.ask(lossless(by=[]))


def test_a_nameless_effect_may_be_anybodys_so_nothing_is_proven_lost():
    line = run().publish("a").publish("b").deliver("a", "b").effect("a", by="g").effect("b").ack()
    assert line.ask(lossless()).status == "unknown"


def test_each_group_owes_only_what_it_reads():
    line = run(inputs=("in", "two")).publish("a").publish("b", topic="two")
    line.deliver("a").effect("a", by="g").ack()
    line.deliver("b", topic="two", group="h").effect("b", by="h").ack(group="h", topic="two")
    assert line.ask(lossless()).status == "passed"
    services = run(inputs=("in", "two")).publish("a").publish("b", topic="two")
    services.effect("a", by="one").effect("b", by="other")
    verdict = services.ask(lossless())
    assert verdict.status == "unknown"
    assert "one has no effect of any message of two" in verdict.sentence


def test_accepted_but_published_where_nobody_judges_is_unknown():
    line = run().publish("a").work("a").publish("x", topic="elsewhere").accept("x")
    verdict = line.ask(lossless())
    assert verdict.status == "unknown"
    assert "chaos.flow(inputs=[...])" in verdict.missing


def test_a_part_that_is_missing_is_unproven_while_it_waits_or_was_not_seen():
    line = run().publish("a").deliver("a").effect("a", part="debit")
    asked = lossless(parts=["debit", "credit"])
    assert line.ask(asked).status == "unknown"
    assert line.ack().ask(asked).status == "failed"
    assert line.but(read_back=False).ask(asked).status == "unknown"
    line = run().publish("a").deliver("a").effect("a", part="debit")
    assert line.effect("a", part="credit", posthumous=True).ack().ask(asked).status == "unknown"


def test_a_compacted_flow_without_offsets_goes_by_proven_publishing():
    line = run().publish("k1", key=b"k", stored=False).publish("k2", key=b"k").work("k2")
    line.attempts[0] = line.attempts[0]._replace(offset=-1)
    assert line.ask(lossless(keep="latest")).status == "passed"
    assert line.ask(lossless()).status == "failed"


def test_a_destination_that_no_judged_group_reads_is_unknown():
    line = run(inputs=("in", "two")).publish("a").publish("b", topic="two")
    line.deliver("a").effect("a", by="g").ack()
    verdict = line.ask(lossless())
    assert verdict.status == "unknown"
    assert "1 message read by nobody who is judged: b" in verdict.sentence
    assert line.expect(ignored=["b"]).ask(lossless()).status == "passed"


def test_effects_that_name_other_things_prove_no_loss():
    line = run().publish("pay-1").deliver("pay-1").effect("1").ack()
    verdict = line.ask(lossless())
    assert verdict.status == "unknown"
    assert "effects have 1, messages pay-1" in verdict.sentence
    assert line.publish("pay-2").work("pay-2").ask(lossless()).status == "failed"


def test_versions_of_one_frame_are_older_only_on_one_partition():
    for p, status in ((0, "passed"), (1, "failed")):
        line = run().publish("k1", key=b"k", confirm=False, stored=False)
        line.publish("k2", key=b"k", p=p, confirm=False, same_frame=True, stored=False)
        line.confirm("k1").confirm("k2").effect("k2")
        assert line.ask(lossless(keep="latest")).status == status
