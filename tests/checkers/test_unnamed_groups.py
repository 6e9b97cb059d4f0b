"""Two groups do each message, and no effect says for whom: what one of them lost is no pass."""

import pytest

from pytest_mqchaos.checkers.acked_after_effect import acked_after_effect
from pytest_mqchaos.checkers.exactly_once import exactly_once
from pytest_mqchaos.checkers.idempotent import idempotent
from pytest_mqchaos.checkers.lossless import lossless
from tests.checkers.timeline import run

BILLING = {"group": "billing", "owner": "worker-1#1"}
MAIL = {"group": "mail", "owner": "worker-2#1"}
ONE = {"group": None, "owner": "worker-1#1"}  # one process with both groups


def done(line, names, whom):
    for name in names:
        line.deliver(name, **whom).effect(name, owner=whom["owner"])
    return line.ack(group=whom["group"], owner=whom["owner"])


def two(mail, *, published="abc"):
    line = run()
    for name in published:
        line.publish(name)
    return done(done(line, published, BILLING), mail, MAIL)


def both_in_one(mail):
    line = run().publish("a").publish("b")
    line.deliver("a", "b", **ONE).effect("a").effect("b").ack(group="billing")
    line.deliver("a", "b", **ONE)
    for name in mail:
        line.effect(name)
    return line.ack(group="mail")


def test_what_each_group_did_passes():
    assert two("abc").ask(lossless()).status == "passed"
    assert both_in_one("ab").ask(lossless()).status == "passed"


def test_what_one_of_them_came_past_without_an_effect_is_unknown_and_says_what_to_add():
    verdict = two("ac").ask(lossless())
    assert verdict.status == "unknown"
    assert [(f.id, f.text) for f in verdict.findings] == [
        ("b", "'b' was acked by billing, mail, and done 1x")
    ]
    assert verdict.missing.startswith("record `by` with every effect")


def test_so_it_is_where_both_are_in_one_process():
    verdict = both_in_one("a").ask(lossless())
    assert verdict.status == "unknown"
    assert [f.id for f in verdict.findings] == ["b"]


def test_a_group_without_effects_of_its_own_is_asked_nothing():
    assert two("").ask(lossless()).status == "passed"
    assert both_in_one("").ask(lossless()).status == "passed"


def test_groups_that_never_did_the_same_message_share_the_work():
    assert done(two("", published="ab"), "", MAIL).ask(lossless()).status == "passed"
    line = run().publish("a").publish("b")
    assert done(done(line, "a", BILLING), "b", MAIL).ask(lossless()).status == "passed"


def test_a_group_that_was_left_before_the_message_owes_nothing():
    line = run().publish("a").publish("b")
    line.deliver("a", **BILLING).effect("a").ack(1, group="billing")
    assert done(line, "ab", MAIL).ask(lossless()).status == "passed"


@pytest.mark.parametrize("more", [{"owner": None}, {"posthumous": True}])
def test_rows_that_no_worker_recorded_and_what_the_dead_did_tell_nothing(more):
    line = two("", published="ab").deliver("a", **MAIL)
    line.effect("a", **{"owner": "worker-2#1", **more}).ack(group="mail", owner="worker-2#1")
    verdict = line.ask(lossless())
    assert verdict.status == "passed"
    assert bool(verdict.limits) is ("owner" in more)


def test_a_pass_by_rows_of_a_table_says_what_it_cannot_tell():
    line = run().publish("a").deliver("a", **BILLING).effect("a", owner=None).ack(group="billing")
    assert not line.ask(lossless()).limits
    line.deliver("a", **MAIL).ack(group="mail", owner="worker-2#1")
    for question in (lossless(), exactly_once()):
        verdict = line.ask(question)
        assert verdict.status == "passed"
        (said,) = verdict.limits
        assert said.startswith("billing, mail read the same messages")


def test_the_stages_of_a_pipeline_read_different_messages():
    """Its input and its second topic are judged, and rows of a table show what the last one did."""
    line = run(inputs=("in", "mid")).publish("a").deliver("a", **BILLING)
    line.publish("a", topic="mid", owner="worker-1#1").ack(group="billing")
    line.deliver("a", topic="mid", **MAIL).effect("a", owner=None)
    line.ack(topic="mid", group="mail", owner="worker-2#1")
    verdict = line.ask(lossless())
    assert (verdict.status, verdict.limits) == ("passed", ())
    (said,) = line.effect("a", owner=None).ask(lossless()).limits
    assert said.startswith("billing, mail read the same messages")


def test_each_topic_has_groups_of_its_own():
    line = run(inputs=("in", "in2")).publish("a").publish("b").publish("b", topic="in2")
    line.work("a", "b", group="one").deliver("a", owner="worker-2#1", group="two")
    line.effect("a", owner="worker-2#1").ack(1, group="two", owner="worker-2#1")
    line.deliver("b", topic="in2", group="two", owner="worker-2#1")
    line.ack(topic="in2", group="two", owner="worker-2#1")
    assert line.ask(lossless()).status == "passed"


def test_with_names_each_is_judged_by_itself():
    line = run().publish("a").publish("b")
    line.deliver("a", "b", **BILLING).effect("a", by="billing").effect("b", by="billing")
    line.ack(group="billing").deliver("a", "b", **MAIL).effect("a", by="mail").ack(group="mail")
    verdict = line.ask(lossless())
    assert verdict.status == "failed"
    assert "1 of 2 confirmed messages was lost for mail" in verdict.sentence
    assert two("ac").ask(lossless(by=["billing", "mail"])).status == "unknown"


def test_in_one_process_the_groups_are_named_to_who_sees_each_message_done_twice():
    verdict = both_in_one("ab").ask(idempotent())
    assert verdict.status == "unknown"
    assert verdict.missing.startswith("'a' was handed to several groups (billing, mail)")
    line = run().publish("a").deliver("a", **ONE).effect("a", by="mail").deliver("a", **ONE)
    line.effect("a", by="mail").ack(group="billing").ack(group="mail")
    assert line.ask(idempotent()).advice.startswith("record the processed id")


def test_an_ack_of_one_of_them_is_told_to_want_names_and_not_times():
    verdict = both_in_one("ab").ask(acked_after_effect())
    assert verdict.status == "unknown"
    assert verdict.missing.startswith("record `by` with every effect")


@pytest.mark.parametrize("by", [None, "billing", "shop"])
def test_a_group_that_only_looks_and_commits_is_told_from_effects_without_a_name(by):
    line = run().publish("a").deliver("a", **BILLING).effect("a", by=by).ack(group="billing")
    looked = done(line, "", MAIL).deliver("a", **MAIL).ack(group="mail", owner="worker-2#1")
    verdict = looked.ask(acked_after_effect())
    assert verdict.status == "unknown"
    assert "'a' acked by worker-2#1 (commit 1): mail has no effect of any message" in (
        verdict.sentence
    )
    assert verdict.missing.startswith("who only looks commits nothing")


def test_effects_with_and_without_a_name_want_names():
    line = run().publish("a").publish("b").deliver("a", "b", **BILLING)
    line.effect("a", by="billing").effect("b").ack(group="billing").deliver("a", **MAIL)
    verdict = line.ack(group="mail", owner="worker-2#1").ask(acked_after_effect())
    assert verdict.missing.startswith("record `by` with every effect")
