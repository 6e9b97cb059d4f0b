"""The composed questions: exactly_once and delivery; and the table of all of them."""

import inspect
from functools import partial

import pytest

from pytest_mqchaos.checkers import CHECKERS, Verdict, checker, run, worst
from pytest_mqchaos.checkers.delivery import delivery
from pytest_mqchaos.checkers.exactly_once import exactly_once
from pytest_mqchaos.errors import UsageError
from tests.checkers.timeline import run as line

GOOD = line().publish("a").publish("b").work("a", "b")
LOST = line().publish("a").publish("b").work("a").deliver("b").ack()
TWICE = line().publish("a").deliver("a").effect("a").deliver("a").effect("a").ack()
WAITS = line().publish("a").deliver("a")


@pytest.mark.parametrize(
    ("made", "status", "sentence"),
    [
        (GOOD, "passed", "all 2 confirmed messages took effect exactly once"),
        (LOST, "failed", "1 of 2 confirmed messages was lost"),
        (TWICE, "failed", "1 of 1 message took effect more than once"),
        (WAITS, "unknown", "still waiting"),
        (line().publish("a").work("a").effect("ghost"), "failed", "nobody attempted: ghost"),
        (
            line().publish("a").work("a").effect("ghost").but(unidentified=("x",)),
            "unknown",
            "without an id",
        ),
        (line().publish("a").work("a").log_add("z").work("z"), "passed", ""),
        (line().publish("a").work("a").publish("z", topic="out").effect("z"), "passed", ""),
        (line().publish("a").work("a").publish("a", topic="dead"), "failed", "also lie in the"),
        (line(), "unknown", "nothing to judge"),
        (line(rules=()), "passed", "no fault was armed"),
    ],
)
def test_exactly_once_is_as_bad_as_its_worst_part(made, status, sentence):
    verdict = made.ask(exactly_once())
    assert verdict.status == status
    assert sentence in verdict.sentence
    assert len(verdict.parts) == 4


@pytest.mark.parametrize(
    ("made", "cls", "status"),
    [
        (GOOD, "exactly_once", "passed"),
        (GOOD, "at_least_once", "passed"),
        (GOOD, "at_most_once", "passed"),
        (LOST, "at_most_once", "passed"),
        (LOST, "at_least_once", "failed"),
        (TWICE, "at_least_once", "passed"),
        (TWICE, "at_most_once", "failed"),
        (TWICE, "exactly_once", "failed"),
        (WAITS, "at_least_once", "unknown"),
    ],
)
def test_a_class_is_judged_by_what_its_effects_show(made, cls, status):
    verdict = made.ask(delivery(cls=cls))
    assert verdict.status == status
    assert verdict.sentence.startswith(f"{cls} claimed, ")


def test_the_class_observed_is_named():
    assert "exactly once observed" in GOOD.ask(delivery(cls="exactly_once")).sentence
    assert "at most once observed" in LOST.ask(delivery(cls="at_least_once")).sentence
    assert "at least once observed" in TWICE.ask(delivery(cls="at_most_once")).sentence
    with pytest.raises(UsageError, match="at_least_once"):
        delivery(cls="at least once")


def test_every_question_is_in_the_table_and_takes_keywords_only():
    assert len(CHECKERS) == 14
    for name, factory in CHECKERS.items():
        assert factory.__name__ == name
        kinds = {p.kind for p in inspect.signature(factory).parameters.values()}
        assert kinds <= {inspect.Parameter.KEYWORD_ONLY}
        assert factory.__doc__


def test_an_unknown_question_or_option_is_a_usage_error():
    with pytest.raises(UsageError, match=r"unknown question 'losless'. Did you mean 'lossless'"):
        checker("losless")
    with pytest.raises(UsageError, match="keeps"):
        checker("lossless", keeps="all")
    with pytest.raises(KeyError, match="losless"):
        CHECKERS["losless"]


def of_ones_own():
    def check(history):
        raise ZeroDivisionError("oops")

    return check


def test_a_checker_that_raises_answers_unknown_but_a_usage_error_is_the_tests_own():
    def broken(history):
        raise ZeroDivisionError("oops")

    verdict = run(broken, GOOD.history())
    assert verdict.status == "unknown"
    assert verdict.sentence == "the checker raised ZeroDivisionError: oops"
    assert (verdict.question, verdict.missing) == (
        "test_a_checker_that_raises_answers_unknown_but_a_usage_error_is_the_tests_own",
        "report this, with the history, or mend the checker",
    )
    assert run(checker("lossless"), GOOD.history()).status == "passed"
    assert run(of_ones_own(), GOOD.history()).question == "of_ones_own"
    assert run(partial(broken), GOOD.history()).question == "partial"
    with pytest.raises(UsageError):
        run(checker("lossless"), line().but(effects=None).history())


def test_the_worst_verdict_wins():
    made = [Verdict(question="q", status=s, sentence=s) for s in ("passed", "failed", "unknown")]
    assert worst(made).status == "failed"
    assert worst(made[::2]).status == "unknown"


def test_a_pass_says_what_it_does_not_cover():
    made = line().publish("a").work("a").but(limits=("in-process crash",))
    made.rules = (made.rules[0].__class__(
        source="on.ack(nth=9).drop()", cause="", fired=0, matched=2, optional=True,
        reasons=("only 2 acks",)),)  # fmt: skip
    limits = made.ask(checker("lossless")).limits
    assert limits == ("in-process crash", "on.ack(nth=9).drop() had no effect: only 2 acks")


def test_what_only_a_dead_worker_did_decides_nothing():
    ghost = line().publish("a").work("a").effect("ghost", posthumous=True)
    assert "recorded after a crash" in ghost.ask(exactly_once()).parts[2].sentence
    both = line().publish("a").effect("a", posthumous=True).publish("a", topic="dead")
    assert both.ask(exactly_once()).parts[3].status == "unknown"


def test_exactly_once_compares_values_where_one_is_expected():
    made = line().publish("a", value=b"5").deliver("a").effect("a", value=6).ack()
    asked = exactly_once(expected=lambda message: int(message.value))
    assert made.ask(asked).status == "failed"
    assert made.ask(exactly_once(state={"a": 6})).status == "passed"


def test_effects_that_all_name_something_else_are_not_called_unexpected():
    """Totals by account, say: their ids are no ids of messages."""
    totals = line().publish("a").publish("b").deliver("a", "b").effect("alice").effect("bob").ack()
    verdict = totals.ask(exactly_once())
    assert verdict.status == "unknown"
    assert "no effect has the id of a message" in verdict.sentence
    assert "assert_same_outcome" in verdict.missing
    assert totals.effect("a").ask(exactly_once()).status == "failed"


def test_what_a_producer_was_seen_to_publish_is_not_unexpected():
    """Its topic is judged and read as effects; that it told its caller need not be said."""
    made = line(inputs=("out",)).publish("a", topic="out").effect("a")
    alone = made.but(effect_topics=frozenset({"out"}))
    assert alone.ask(exactly_once()).status == "passed"
    assert alone.publish("a", topic="out").effect("a").ask(exactly_once()).status == "failed"
    behind = line().publish("a").deliver("a").publish("b", topic="out").effect("b").effect("a")
    odd = behind.ack().but(effect_topics=frozenset({"out"}))
    assert "nobody attempted: b" in odd.ask(exactly_once()).sentence
