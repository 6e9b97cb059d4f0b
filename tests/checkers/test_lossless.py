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


@pytest.mark.parametrize(
    ("last", "words"),
    [
        (("ended", "exited with status 0"), "worker-1#1 exited with status 0 and left it: "),
        (("stopped", "stopped"), "let the worker finish: "),
    ],
)
def test_who_left_by_itself_is_not_waited_for_but_named(last, words):
    """kafkajs ends with status 0 when its commit was refused for good."""
    events = (ProcessEvent(1, "worker-1#1", "started", ""), ProcessEvent(9, "worker-1#1", *last))
    line = run().publish("a").deliver("a").place(0).but(processes=events)
    verdict = line.ask(lossless())
    assert verdict.status == "unknown"
    assert verdict.missing.startswith(words)


@pytest.mark.parametrize(
    ("line", "asks"),
    [
        (run().publish("a").publish("b").place(-1), True),  # nothing was handed out
        (run().publish("a").publish("b").place(0), True),
        (
            run().publish("a").publish("b").deliver("a").place(-1),
            True,
        ),  # once, and the group has no position
        (run().publish("a").publish("b").deliver("a").place(0), False),
    ],
)
def test_where_the_group_begins_is_asked_if_it_has_no_position_or_was_handed_nothing(line, asks):
    verdict = line.ask(lossless())
    assert verdict.status == "unknown"
    assert ("begin at 'earliest'" in verdict.missing) is asks


def test_held_for_several_groups_asks_whether_the_service_has_a_name_of_its_own():
    line = run().publish("a").deliver("a").place(0)
    assert "fixed name" not in line.ask(lossless()).missing
    anew = line.place(-1, group="g2").place(-1, group="g3").ask(lossless())
    assert anew.status == "unknown"
    assert "held for 3 groups" in anew.missing
    assert "give it a fixed name" in anew.missing


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


def test_what_a_stopped_worker_acked_without_an_effect_is_lost():
    events = (
        ProcessEvent(1, "worker-1#1", "started", ""), ProcessEvent(9, "worker-1#1", "stopped", "")
    )  # fmt: skip
    verdict = run().publish("a").deliver("a").ack().but(processes=events).ask(lossless())
    assert verdict.status == "failed"
    assert "before the worker is stopped: chaos.settle(timeout=...)" in verdict.advice
    assert "not what it raised on" in verdict.advice


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


def test_a_compacted_flow_without_offsets_goes_by_proven_publishing():
    line = run().publish("k1", key=b"k", stored=False).publish("k2", key=b"k").work("k2")
    line.attempts[0] = line.attempts[0]._replace(offset=-1)
    assert line.ask(lossless(keep="latest")).status == "passed"
    assert line.ask(lossless()).status == "failed"


def test_versions_of_one_frame_are_older_only_on_one_partition():
    for p, status in ((0, "passed"), (1, "failed")):
        line = run().publish("k1", key=b"k", confirm=False, stored=False)
        line.publish("k2", key=b"k", p=p, confirm=False, same_frame=True, stored=False)
        line.confirm("k1").confirm("k2").effect("k2")
        assert line.ask(lossless(keep="latest")).status == status


@pytest.mark.parametrize(("times", "circle"), [(9, False), (10, True)])
def test_what_is_handed_out_again_and_again_goes_in_a_circle(times, circle):
    line = run().publish("a")
    for _ in range(times):
        line.deliver("a")
    assert ("handed out 10 times" in line.place(0).ask(lossless()).missing) is circle


@pytest.mark.parametrize(
    ("then", "leaves"),
    [("worker-1#2", False), ("worker-2#1", True), ("broker", True), ("broker-2", True)],
)
def test_who_was_started_again_did_not_leave_and_another_is_not_it(then, leaves):
    events = (
        ProcessEvent(1, "broker-1", "started", ""),
        ProcessEvent(2, "worker-1#1", "ended", "exited with status 0"),
        ProcessEvent(3, then, "started", ""),
    )
    verdict = run().publish("a").deliver("a").place(0).but(processes=events).ask(lossless())
    assert ("worker-1#1 exited" in verdict.missing) is leaves


def test_what_has_no_number_may_have_left():
    events = (ProcessEvent(1, "tool", "ended", "gone"), ProcessEvent(2, "broker", "healed", ""))
    verdict = run().publish("a").deliver("a").place(0).but(processes=events).ask(lossless())
    assert verdict.missing.startswith("tool gone and left it")
