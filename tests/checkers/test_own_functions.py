"""Functions and values that a test gives to a question: their errors are the test's own, and are
told with the message that they came of."""

import math
from decimal import Decimal

import pytest

from pytest_mqchaos.checkers.registry import checker
from pytest_mqchaos.checkers.registry import run as asked
from pytest_mqchaos.errors import UsageError
from tests.checkers.timeline import run

NAN = float("nan")


def done(value):
    return run().publish("a", key=b"k", value=b"5").deliver("a").effect("a", key="k", value=value)


@pytest.mark.parametrize("question", ["idempotent", "latest", "exactly_once"])
@pytest.mark.parametrize(
    ("wanted", "shown", "status"),
    [
        (NAN, NAN, "passed"),
        (NAN, math.inf - math.inf, "passed"),
        (Decimal("NaN"), Decimal("NaN"), "passed"),
        ({"x": [1, NAN]}, {"x": [1, NAN]}, "passed"),
        ({"x": [1, NAN]}, {"x": [2, NAN]}, "failed"),
        (NAN, 5, "failed"),
        (5, NAN, "failed"),
        (NAN, "nan", "failed"),
    ],
)
def test_what_is_no_number_is_what_is_no_number(question, wanted, shown, status):
    line = done(shown).ack()
    assert line.ask(checker(question, expected=lambda _: wanted)).status == status


def test_so_it_is_in_a_state():
    assert done(NAN).ask(checker("idempotent", state={"a": NAN})).status == "passed"
    assert done(1.0).ask(checker("idempotent", state={"a": NAN})).status == "failed"


@pytest.mark.parametrize("question", ["idempotent", "latest", "exactly_once"])
def test_an_error_of_the_function_is_told_as_its_own_with_its_message(question):
    def amount(message):
        return message.value["amount"]

    with pytest.raises(UsageError) as raised:
        asked(checker(question, expected=amount), done(5).ack().history())
    told = str(raised.value)
    assert "amount) raised TypeError: byte indices must be integers" in told
    assert "for the message 'a' with key b'k' and value b'5'" in told


LINE = run().publish("a").publish("b", value=b"after a").publish("c").work("b", "a", "c")


def test_who_has_no_cause_has_none():
    """A cause that is None is none, as of a function that gives None; it is no message "None"."""
    for before in ({"b": "a", "a": None}, lambda r: "a" if r.value == b"after a" else None):
        verdict = LINE.ask(checker("causal", before=before))
        assert (verdict.status, verdict.population["pairs"]) == ("failed", 1)
    roots = LINE.ask(checker("causal", before={"a": None, "c": None}))
    assert (roots.status, roots.population["pairs"]) == ("unknown", 0)
    with pytest.raises(UsageError, match="one of the messages is None"):
        checker("causal", before={None: "a"})


def test_a_cause_may_be_a_number_or_several():
    line = run().publish("1").publish("2").publish("3").work("2", "1", "3")
    told = {b"1": None, b"2": 1, b"3": [1, 2]}
    verdict = line.ask(checker("causal", before=lambda record: told[record.value]))
    assert (verdict.status, verdict.population["pairs"]) == ("failed", 3)


def test_a_function_that_fails_has_not_said_that_there_is_no_cause():
    with pytest.raises(UsageError, match=r"causal\(before=...\) raised KeyError: b'a'"):
        LINE.ask(checker("causal", before=lambda record: {}[record.value]))
    with pytest.raises(UsageError, match=r"causal\(after=...\) raised ZeroDivisionError.*id 'b'"):
        LINE.ask(checker("causal", before={"b": "a"}, after=lambda name: name == "a" or 1 / 0))
