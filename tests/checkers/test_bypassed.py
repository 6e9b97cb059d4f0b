"""What passed the links by is said on a pass, and is no ground for a verdict about deliveries."""

import pytest

from pytest_mqchaos.checkers.acked_after_effect import acked_after_effect
from pytest_mqchaos.checkers.bypassed import CHECK
from pytest_mqchaos.checkers.confirmed_before_success import confirmed_before_success
from pytest_mqchaos.checkers.exactly_once import exactly_once
from pytest_mqchaos.checkers.idempotent import idempotent
from pytest_mqchaos.checkers.lossless import lossless
from pytest_mqchaos.checkers.no_copies import no_copies
from pytest_mqchaos.checkers.no_gaps import no_gaps
from tests.checkers.timeline import run


def half_by_passed():
    """Of four messages two were worked on by somebody whom no link saw."""
    line = run().publish("a").publish("b").publish("c").publish("d").work("a", "b")
    return line.effect("c").effect("d")


@pytest.mark.parametrize("question", [lossless(), idempotent(), exactly_once(), no_copies()])
def test_a_pass_says_how_many_by_passed_the_links(question):
    verdict = half_by_passed().ask(question)
    assert verdict.status == "passed"
    said = f"2 of 4 messages with an effect by-passed the links (c, d): {CHECK}"
    assert verdict.limits[0] == said
    assert verdict.limits.count(said) == 1


@pytest.mark.parametrize("question", [lossless(), idempotent(), exactly_once(), no_copies()])
def test_where_all_was_seen_nothing_is_said(question):
    verdict = run().publish("a").publish("b").work("a", "b").ask(question)
    assert (verdict.status, verdict.limits) == ("passed", ())


@pytest.mark.parametrize(
    "question", [acked_after_effect(), no_gaps(per=lambda record: ("p", record.offset))]
)
def test_what_rests_on_deliveries_is_unknown(question):
    verdict = half_by_passed().ask(question)
    assert verdict.status == "unknown"
    assert "2 of 4 messages with an effect by-passed the links (c, d)" in verdict.sentence
    assert verdict.missing == CHECK


def test_an_early_ack_stays_proven_beside_what_by_passed():
    line = run().publish("a").publish("b").deliver("a").ack(1).effect("a").effect("b")
    assert line.ask(acked_after_effect()).status == "failed"


def test_a_delivery_that_did_not_reach_anybody_hands_out_nothing():
    verdict = run().publish("a").deliver("a", reached=False).effect("a").ask(idempotent())
    assert verdict.limits[0].startswith("1 of 1 messages with an effect by-passed the links (a)")


def test_a_subscriber_whose_group_no_link_saw_by_passed():
    line = run().publish("a").deliver("a").effect("a", by="g").ack().effect("a", by="mail")
    seen = line.ask(acked_after_effect())
    assert seen.status == "passed"
    unseen = line.but(strangers=frozenset({"mail"}))
    assert unseen.ask(acked_after_effect()).status == "unknown"
    assert "read past the links by group mail" in unseen.ask(lossless()).limits[0]


def test_a_group_of_somebody_else_is_only_said():
    line = run().publish("a").work("a").but(strangers=frozenset({"audit"}))
    verdict = line.ask(acked_after_effect())
    assert verdict.status == "passed"
    assert verdict.limits == (f"read past the links by group audit: {CHECK}",)


def test_messages_that_nobody_was_seen_to_publish_are_not_nothing_to_judge():
    line = run(rules=()).log_add("a").work("a")
    verdict = line.ask(lossless())
    assert verdict.status == "unknown"
    assert "1 of 1 stored messages were published past the links (a)" in verdict.sentence
    assert line.ask(idempotent()).status == "passed"


def test_a_foreign_message_without_an_effect_is_not_passed_over():
    line = run().publish("a").work("a").log_add("b").deliver("b").ack()
    verdict = line.ask(lossless())
    assert verdict.status == "unknown"
    assert "1 stored message without an effect, published past every link (b)" in verdict.sentence
    assert line.expect(ignored=["b"]).ask(lossless()).status == "passed"


def test_who_published_past_the_links_is_not_accused_of_never_having_published():
    line = run().log_add("a").accept("a")
    verdict = line.ask(confirmed_before_success())
    assert verdict.status == "unknown"
    assert "1 message without a confirm in sight" in verdict.sentence
    assert line.accept("b").ask(confirmed_before_success()).status == "failed"


def test_a_record_that_is_itself_the_effect_was_handed_to_nobody():
    line = run().publish("a").effect("a").but(effect_topics=frozenset({"in"}))
    assert line.ask(lossless()).limits == ()
    beside = line.publish("b", p=1).effect("b").but(effect_topics=frozenset({"out"}))
    assert "2 of 2 messages with an effect by-passed" in beside.ask(lossless()).limits[0]
