"""Who owes which effect: groups, `by`, parts of one message."""

import pytest

from pytest_mqchaos.checkers.lossless import lossless
from pytest_mqchaos.errors import UsageError
from tests.checkers.timeline import run


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


def test_by_asks_only_whom_the_run_knows():
    line = run().publish("a").deliver("a").effect("a", by="g").ack()
    verdict = line.ask(lossless(by=["g", "typo"]))
    assert verdict.status == "unknown"
    assert "typo took no part in this run (seen: g)" in verdict.sentence
    nameless = run().publish("a").work("a")
    assert "without `by`" in nameless.ask(lossless(by=["g"])).sentence
    with pytest.raises(UsageError, match="names no subscriber"):
        line.ask(lossless(by=[]))


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


def test_a_part_that_is_missing_is_unproven_while_it_waits_or_was_not_seen():
    line = run().publish("a").deliver("a").effect("a", part="debit")
    asked = lossless(parts=["debit", "credit"])
    assert line.ask(asked).status == "unknown"
    assert line.ack().ask(asked).status == "failed"
    assert line.but(read_back=False).ask(asked).status == "unknown"
    line = run().publish("a").deliver("a").effect("a", part="debit")
    assert line.effect("a", part="credit", posthumous=True).ack().ask(asked).status == "unknown"


def test_a_destination_that_no_judged_group_reads_is_unknown():
    line = run(inputs=("in", "two")).publish("a").publish("b", topic="two")
    line.deliver("a").effect("a", by="g").ack()
    verdict = line.ask(lossless())
    assert verdict.status == "unknown"
    assert "1 message read by nobody who is judged: b" in verdict.sentence
    assert line.expect(ignored=["b"]).ask(lossless()).status == "passed"
