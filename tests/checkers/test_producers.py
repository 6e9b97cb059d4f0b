"""The questions about producers: confirmed_before_success and no_copies; a service's own output."""

from dataclasses import replace

import pytest

from pytest_mqchaos.checkers.confirmed_before_success import confirmed_before_success
from pytest_mqchaos.checkers.idempotent import idempotent
from pytest_mqchaos.checkers.lossless import lossless
from pytest_mqchaos.checkers.no_copies import no_copies
from tests.checkers.timeline import run


def test_accepted_after_the_confirm_passes():
    verdict = run().publish("a").accept("a").ask(confirmed_before_success())
    assert verdict.status == "passed"
    assert verdict.population["accepted"] == 1


def test_accepted_before_the_confirm_fails_with_the_time_between():
    line = run().publish("a", confirm=False).accept("a").confirm("a")
    verdict = line.ask(confirmed_before_success())
    assert verdict.status == "failed"
    assert "'a' accepted 1.0 ms before its confirm" in verdict.sentence


def test_accepted_without_any_confirm_fails_and_says_how_it_ended():
    line = run().publish("a", outcome="refused").accept("a").accept("b")
    line.publish("c", outcome="unknown").accept("c").publish("d", acks=0, outcome="unknown")
    texts = " ".join(f.text for f in line.ask(confirmed_before_success()).findings)
    for said in ("last publish: refused", "'b' accepted, never", "publish: unknown", "acks=0"):
        assert said in texts


def test_nothing_accepted_is_unknown_and_so_is_a_confirm_that_a_gap_may_hide():
    assert run().publish("a").ask(confirmed_before_success()).status == "unknown"
    line = run().publish("a", outcome="unknown").accept("a").but(gaps=("link 1 is blind",))
    assert line.ask(confirmed_before_success()).status == "unknown"


def test_each_message_once_in_the_log_passes_a_hop_is_no_copy():
    line = run().publish("a").publish("b").publish("a", topic="retry").publish("a", topic="out")
    assert line.ask(no_copies()).status == "passed"


def test_two_in_the_log_fail_in_spite_of_a_gap():
    line = run().publish("a", outcome="unknown").publish("a").but(gaps=("x",))
    verdict = line.ask(no_copies())
    assert verdict.status == "failed"
    assert "'a' at in-0@0, in-0@1 (2 attempts seen)" in verdict.sentence
    assert verdict.population["copies"] == 1


def test_what_was_refused_and_stored_all_the_same_is_told_so():
    line = run().publish("a", outcome="refused", stored=True, pid=7).publish("a", pid=7)
    verdict = line.ask(no_copies())
    assert verdict.status == "failed"
    assert "it was refused and stored all the same" in verdict.advice
    for first in ({"outcome": "refused"}, {"outcome": "unknown"}):
        again = run().publish("a", pid=7, **first).publish("a", pid=7).publish("a", pid=7)
        assert "the producer is idempotent" in again.ask(no_copies()).advice


def test_two_contents_are_not_copies_but_unknown_like_a_log_unread():
    line = run().publish("a", value=b"1").publish("a", value=b"2")
    assert line.ask(no_copies()).status == "unknown"
    assert run().publish("a").but(read_back=False).ask(no_copies()).status == "unknown"
    assert run().ask(no_copies()).status == "unknown"


def test_only_outputs_are_declared_so_nothing_was_judged_even_without_a_fault():
    line = run(inputs=(), rules=()).publish("a", topic="events")
    line.flow = replace(line.flow, outputs=frozenset({"events"}))
    verdict = line.ask(no_copies())
    assert verdict.status == "unknown"
    assert line.ask(lossless()).status == "unknown"
    assert "say chaos.flow(inputs=['events'])" in verdict.missing
    line.flow = replace(line.flow, outputs=frozenset())
    assert line.ask(no_copies()).status == "passed"


def test_a_message_in_two_inputs_is_in_each_once():
    line = run(inputs=("in", "next")).publish("a").publish("a", topic="next")
    verdict = line.ask(no_copies())
    assert verdict.status == "passed"
    assert verdict.population["copies"] == 0
    assert "in-0@0, in-0@1" in line.publish("a").ask(no_copies()).sentence


def output(*sends, between=(), times=2, **more):
    """A service's output topic shows its effects: it publishes `a` there, so or so often."""
    line = run().publish("a").deliver("a")
    for at, send in enumerate(sends):
        line.publish("a", topic="out", **{"owner": "worker-1#1", **send})
        for name in between if at == 0 else ():
            line.deliver(name)
    for _ in range(times):
        line.effect("a")
    return line.ack().but(effect_topics=frozenset({"out"}), **more)


UNHEARD, AGAIN = {"outcome": "unknown", "stored": True}, {}


def test_an_output_that_its_own_client_sent_again_wants_an_idempotent_producer():
    verdict = output(UNHEARD, AGAIN).ask(idempotent())
    assert verdict.status == "failed"
    assert verdict.advice == (
        "an idempotent producer (enable.idempotence) in worker-1, or a transaction: 'a' was sent "
        "again when no confirm came, in out"
    )


def test_so_does_one_that_the_log_has_more_often_than_it_was_sent():
    line = output(AGAIN).log_add("a", topic="out")
    assert line.ask(idempotent()).advice.endswith("'a' was sent once, and is there twice, in out")


@pytest.mark.parametrize(
    "line",
    [
        output(AGAIN, AGAIN),  # it was told, and sent it once more
        output({**UNHEARD, "pid": 7}, {"pid": 7}),
        output(UNHEARD, {"owner": "worker-1#2"}),
        output(UNHEARD, {"value": b"another"}),
        output(UNHEARD, AGAIN, between="a"),  # handed out again in between
    ],
)
def test_what_the_service_itself_sent_once_more_wants_its_id_recorded(line):
    assert line.ask(idempotent()).advice.startswith("record the processed id")


def test_beside_one_that_was_worked_on_again_both_are_said():
    line = output(UNHEARD, AGAIN).publish("b").deliver("b").effect("b")
    advice = line.deliver("b", owner="worker-1#2").effect("b").ack().ask(idempotent()).advice
    assert advice.startswith("an idempotent producer")
    assert advice.endswith(". And record the processed id in the same transaction as the work")
