"""The other questions about consumers: attempts, causal, latest, dead_lettered."""

import pytest

from pytest_mqchaos.checkers.acked_after_effect import acked_after_effect
from pytest_mqchaos.checkers.attempts import attempts
from pytest_mqchaos.checkers.causal import causal
from pytest_mqchaos.checkers.dead_lettered import dead_lettered
from pytest_mqchaos.checkers.latest import latest
from pytest_mqchaos.errors import UsageError
from tests.checkers.timeline import MS, run

# ---------------------------------------------------------------- attempts


def test_handler_starts_are_counted_against_the_limit():
    line = run().publish("a").start("a").start("a").start("a")
    assert line.ask(attempts(at_most=3)).status == "passed"
    verdict = line.ask(attempts(at_most=2))
    assert verdict.status == "failed"
    assert "'a' was started 3x" in verdict.sentence


def test_fetched_is_not_handled_so_without_handler_evidence_it_is_unknown():
    verdict = run().publish("a").deliver("a").deliver("a").ask(attempts(at_most=1))
    assert verdict.status == "unknown"
    assert "chaos.effects.attempt(id)" in verdict.missing


@pytest.mark.parametrize("wrong", [0, -1, 1.5, True, "3"])
def test_a_limit_that_is_none_is_a_usage_error(wrong):
    with pytest.raises(UsageError, match="1 or more"):
        attempts(at_most=wrong)


# ---------------------------------------------------------------- causal


def test_the_effect_of_a_cause_comes_first():
    line = run().publish("pay").publish("ship", value=b'{"after": "pay"}')
    for asked in (causal(before={"ship": "pay"}), causal(before="json:/after")):
        line.effects.clear()
        assert line.effect("pay").effect("ship").ask(asked).status == "passed"
        line.effects.clear()
        verdict = line.effect("ship").effect("pay").ask(asked)
        assert verdict.status == "failed"
        assert "'ship' took effect before 'pay'" in verdict.sentence
        assert line.but(gaps=("x",)).ask(asked).status == "failed"
        line.more.pop("gaps")


def test_causes_without_effect_order_or_life_are_unknown():
    asked = causal(before={"b": "a"})
    line = run().publish("a").publish("b")
    assert line.effect("b").ask(asked).status == "unknown"
    line.effect("a", order=False)
    line.effects[0] = line.effects[0]._replace(order=None, t_from=0, t_to=0)
    assert line.ask(asked).status == "unknown"
    line.effects.clear()
    assert line.effect("a", posthumous=True).effect("b").ask(asked).status == "unknown"


def test_times_stand_in_for_an_order():
    line = run().publish("a").publish("b").effect("b", order=False).effect("a", order=False)
    assert line.ask(causal(before={"b": "a"})).status == "failed"
    assert line.ask(causal(before={"a": "b"})).status == "passed"
    line.effects[1] = line.effects[1]._replace(t_from=line.effects[0].t_from - MS)
    assert line.ask(causal(before={"b": "a"})).status == "unknown"


def test_after_chooses_who_is_asked():
    line = run().publish("a").publish("b").publish("c").effect("b").effect("a").effect("c")
    before = {"b": "a", "c": "a"}
    assert line.ask(causal(before=before, after=["c"])).status == "passed"
    assert line.ask(causal(before=before, after=lambda name: name == "b")).status == "failed"
    assert line.ask(causal(before=before, after=[])).status == "unknown"


# ---------------------------------------------------------------- latest


def versions(*names):
    line = run()
    for name in names:
        line.publish(name, key=b"k", value=name.encode())
    return line


def test_a_key_at_its_last_version_passes_though_older_ones_came_between():
    line = versions("v1", "v2").effect("v1").effect("v2")
    assert line.ask(latest()).status == "passed"


def test_a_stale_duplicate_over_newer_data_fails():
    line = versions("v1", "v2").effect("v1").effect("v2").effect("v1")
    verdict = line.ask(latest())
    assert verdict.status == "failed"
    assert "key 'k' ends with 'v1', last published: v2" in verdict.sentence


def test_values_decide_where_expected_says_how():
    line = versions("v1", "v2").effect("v2", value="v1")
    assert line.ask(latest(expected=lambda m: m.value.decode())).status == "failed"
    line.effects[0] = line.effects[0]._replace(value="v2")
    assert line.ask(latest(expected=lambda m: m.value.decode())).status == "passed"


def test_overlapping_versions_on_two_partitions_may_end_either_way():
    line = run().publish("v1", key=b"k", link=1, p=0, confirm=False)
    line.publish("v2", key=b"k", link=2, p=1, confirm=False).confirm("v1").confirm("v2")
    assert line.effect("v2").effect("v1").ask(latest()).status == "passed"


def test_a_last_version_that_waits_or_a_source_without_order_is_unknown():
    line = versions("v1", "v2").work("v1")
    assert line.ask(latest()).status == "unknown"
    line = versions("v1", "v2").effect("v2", order=False).effect("v1", order=False)
    assert line.ask(latest()).status == "unknown"
    line = versions("v1").effect("v1", posthumous=True)
    assert line.ask(latest()).status == "unknown"


# ---------------------------------------------------------------- dead_lettered


def poisoned():
    return run().publish("bad").publish("good").deliver("bad", "good").publish("bad", topic="dead")


def test_exactly_the_declared_in_the_dead_letters_pass():
    line = poisoned().effect("good").ack()
    assert line.ask(dead_lettered(ids=["bad"])).status == "passed"
    assert line.expect(dead_lettered=["bad"]).ask(dead_lettered()).status == "passed"


def test_missing_healthy_and_copied_dead_letters_fail():
    line = poisoned().publish("good", topic="dead").publish("bad", topic="dead").ack()
    verdict = line.ask(dead_lettered(ids=["bad", "gone"]))
    assert verdict.status == "failed"
    assert {(f.id, f.what) for f in verdict.findings} == {
        ("gone", "missing"), ("good", "healthy"), ("bad", "copies"),
    }  # fmt: skip
    assert "copies" not in {
        f.what for f in line.ask(dead_lettered(ids=["bad", "gone"], copies="allowed")).findings
    }


def test_acked_before_the_dead_letter_was_confirmed_fails():
    line = run().publish("bad").deliver("bad").ack().publish("bad", topic="dead")
    verdict = line.ask(dead_lettered(ids=["bad"]))
    assert [f.what for f in verdict.findings] == ["acked early"]
    broker_does = run().publish("bad").deliver("bad").ack().log_add("bad", topic="dead")
    assert broker_does.ask(dead_lettered(ids=["bad"])).status == "passed"


def test_dead_letters_unread_or_nameless_are_unknown():
    assert poisoned().but(read_back=False).ask(dead_lettered(ids=["bad"])).status == "unknown"
    line = poisoned().log_add("x", topic="dead")
    line.log[-1] = line.log[-1]._replace(id=None)
    assert line.ask(dead_lettered(ids=["bad"])).status == "unknown"


def test_a_dead_letter_in_an_envelope_without_its_id_is_not_missing():
    line = run().publish("bad").deliver("bad").ack().expect(dead_lettered=["bad"])
    assert line.ask(dead_lettered()).status == "failed"
    line.log_add("x", topic="dead")
    line.log[-1] = line.log[-1]._replace(id=None)
    verdict = line.ask(dead_lettered())
    assert verdict.status == "unknown"
    assert verdict.sentence.startswith("1 message without an id: dead-0@")
    assert "keep the id on the way" in verdict.missing


def test_what_was_declared_a_dead_letter_and_only_acked_was_acked_early():
    line = run().publish("bad").deliver("bad").ack().expect(dead_lettered=["bad"])
    verdict = line.ask(acked_after_effect())
    assert verdict.status == "failed"
    assert "'bad' acked by" in verdict.sentence
    assert line.but(read_back=False).ask(acked_after_effect()).status != "failed"
    line.log_add("x", topic="dead")
    line.log[-1] = line.log[-1]._replace(id=None)  # it may be this one, in an envelope
    assert line.ask(acked_after_effect()).status != "failed"
    line.log_add("bad", topic="dead")  # by the broker: there is nothing to compare
    assert line.ask(acked_after_effect()).status != "failed"


def test_dead_letters_must_be_declared():
    line = poisoned()
    line.flow = type(line.flow)(inputs=frozenset({"in"}))
    with pytest.raises(UsageError, match="dead_letters="):
        line.ask(dead_lettered(ids=["bad"]))
    with pytest.raises(UsageError, match="collection"):
        dead_lettered(ids="bad")


def test_a_last_version_that_was_declared_dropped_is_not_the_last():
    line = versions("v1", "v2").deliver("v1").effect("v1")
    assert line.ask(latest()).status == "unknown"
    assert line.place(2).ask(latest()).status == "failed"
    assert line.expect(dropped=["v2"]).ask(latest()).status == "passed"


def test_a_key_that_ends_with_what_nobody_published_is_unknown():
    line = versions("v1").effect("v1", key="k").effect("ghost", key="k")
    assert line.ask(latest()).status == "unknown"


def test_causes_are_asked_per_subscriber():
    line = run().publish("a").publish("b").effect("a", by="g").effect("b", by="g")
    line.effect("a", by="h")
    assert line.ask(causal(before={"b": "a"})).status == "passed"
    line.effects.clear()
    line.effect("a", by="g").effect("b", by="h").effect("a", by="h")
    assert [f.by for f in line.ask(causal(before={"b": "a"})).findings] == ["h"]


def test_a_message_named_by_several_copies_goes_by_its_first_place_in_the_log():
    line = versions("v1", "v2").publish("v1", key=b"k", value=b"v1").effect("v1").effect("v2")
    assert line.ask(latest()).status == "passed"
