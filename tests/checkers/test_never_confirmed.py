"""What the test itself published and was never told is safe: not owed, and a pass says so."""

import pytest

from pytest_mqchaos.checkers.registry import checker
from pytest_mqchaos.history.rows import Unconfirmed
from tests.checkers.timeline import DRAWN, RULE, UNFIRED, run

ALL = ("lossless", "idempotent", "exactly_once")
REFUSED = Unconfirmed("b", "NodeNotReadyError()")
SAID = (
    "1 message that the test published was never confirmed to it, so no effect is owed: b "
    "(NodeNotReadyError())"
)


def half(*others, **words):
    """`a` is done; nothing was seen of `b`, which the publisher gave up."""
    return run(**words).publish("a").work("a").but(unconfirmed=(REFUSED, *others))


def limits(verdict):
    return verdict.limits + tuple(limit for part in verdict.parts for limit in part.limits)


@pytest.mark.parametrize("question", ALL)
def test_a_pass_names_what_was_never_confirmed(question):
    verdict = half().ask(checker(question))
    assert verdict.status == "passed"
    assert SAID in limits(verdict)
    assert not any(
        "never confirmed" in each
        for each in limits(run().publish("a").work("a").ask(checker(question)))
    )


def test_what_was_confirmed_or_accepted_all_the_same_is_owed():
    late = half().publish("b").deliver("b").ack(2)
    assert late.ask(checker("lossless")).status == "failed"
    assert late.effect("b").ask(checker("lossless")).limits == ()


def test_of_several_the_first_are_named():
    others = [Unconfirmed(name, "E()") for name in (None, "c", "d")]
    (said, *_) = half(*others).ask(checker("lossless")).limits
    assert said.startswith("4 messages that the test published were never confirmed")
    assert "b, one without an id of its own, c and 1 more (NodeNotReadyError())" in said


@pytest.mark.parametrize("question", ALL)
@pytest.mark.parametrize("rules", [(), (UNFIRED,), (DRAWN, UNFIRED), (RULE,)])
def test_nothing_that_left_the_publisher_is_never_for_want_of_an_id(question, rules):
    """A fault that was drawn may keep everything back; without one it is the test that errs."""
    line = run(rules=rules).but(unconfirmed=(REFUSED,), links={1: "publisher"})
    verdict = line.ask(checker(question))
    assert verdict.status == ("passed" if rules == (DRAWN, UNFIRED) else "unknown")
    assert "id=" not in verdict.sentence
    fired = any(rule.fired for rule in rules)
    assert ("though no fault was in the way: NodeNotReadyError()" in verdict.sentence) is not fired
    assert not fired or SAID in limits(verdict) or verdict.status == "unknown"
