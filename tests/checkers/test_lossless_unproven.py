"""What proves neither a loss nor that there is none: what was not seen, ids that say too little."""

import pytest

from pytest_mqchaos.checkers.lossless import lossless
from pytest_mqchaos.checkers.registry import checker
from pytest_mqchaos.history.rows import ProcessEvent
from tests.checkers.timeline import run


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


def test_ids_kept_from_topic_to_topic_are_told_apart_by_what_is_judged():
    line = run(inputs=("in", "tickets"))
    line.publish("a", value=b"order").publish("a", topic="tickets", value=b"ticket")
    verdict = line.work("a").ask(lossless())
    assert verdict.status == "unknown"
    assert verdict.sentence.startswith("1 id with different contents on in and tickets: 'a' is ")
    assert "chaos.flow(inputs=[...])" in verdict.missing
    verdict = line.publish("a", value=b"another order").ask(lossless())
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


def test_a_nameless_effect_may_be_anybodys_so_nothing_is_proven_lost():
    line = run().publish("a").publish("b").deliver("a", "b").effect("a", by="g").effect("b").ack()
    assert line.ask(lossless()).status == "unknown"


def test_accepted_but_published_where_nobody_judges_is_unknown():
    line = run().publish("a").work("a").publish("x", topic="elsewhere").accept("x")
    verdict = line.ask(lossless())
    assert verdict.status == "unknown"
    assert "chaos.flow(inputs=[...])" in verdict.missing


def test_effects_that_name_other_things_prove_no_loss():
    line = run().publish("pay-1").deliver("pay-1").effect("1").ack()
    verdict = line.ask(lossless())
    assert verdict.status == "unknown"
    assert "effects have 1, messages pay-1" in verdict.sentence
    assert line.publish("pay-2").work("pay-2").ask(lossless()).status == "failed"


def test_a_record_that_is_itself_the_effect_waits_for_no_reader():
    """A producer alone: another program will read its topic, and nothing it does is judged."""

    def sold(*paid):
        line = run(inputs=("orders",)).but(effect_topics=frozenset({"orders", "payments"}))
        for name in ("a", "b"):
            line.publish(name, topic="orders").effect(name, part="order")
        for name in paid:
            line.effect(name, part="payment")
        return line

    baseline = sold("a", "b").history()
    verdict = sold("a").ask(checker("same_outcome", baseline=baseline))
    assert (verdict.status, [f.id for f in verdict.findings]) == ("failed", ["b"])
    elsewhere = sold("a").but(effect_topics=frozenset({"payments"}))
    assert elsewhere.ask(checker("same_outcome", baseline=baseline)).status == "unknown"


def test_sources_that_show_different_messages_are_asked_for_their_parts():
    line = run().publish("a").publish("b").deliver("a", "b").effect("a", source="rows")
    verdict = line.effect("a", source="mails").effect("b", source="rows").ack().ask(lossless())
    assert verdict.missing.startswith("name what each source shows (part=...)")
