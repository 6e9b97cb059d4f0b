"""What a test says of itself and does not fit what its service does: words about dead letters,
roles, verdicts. A pass must not rest on a slip of the pen, a failure must name it."""

import pytest

from pytest_mqchaos.checkers.acked_after_effect import acked_after_effect
from pytest_mqchaos.checkers.dead_lettered import dead_lettered
from pytest_mqchaos.checkers.exactly_once import exactly_once
from pytest_mqchaos.checkers.idempotent import idempotent
from pytest_mqchaos.checkers.lossless import lossless
from pytest_mqchaos.errors import UsageError
from pytest_mqchaos.history.history import Flow
from tests.checkers.timeline import run

ME = "worker-1#1"


def poison(to="dead", *, flow=None):
    """Of "a" and "bad" the second is set aside to `to`, or to nowhere (None)."""
    line = run().publish("a").publish("bad").work("a").deliver("bad", owner=ME)
    if to is not None:
        line.publish("bad", topic=to, owner=ME)
    line.ack().expect(dead_lettered=["bad"])
    return line.but(flow=flow) if flow is not None else line


# ------------------------------------------------------------ declared dead letters


def test_a_declared_dead_letter_that_is_one_is_accounted_for():
    assert poison().ask(lossless()).status == "passed"
    assert poison().ask(exactly_once()).status == "passed"


def test_a_declared_dead_letter_that_was_swallowed_is_lost():
    verdict = poison(None).ask(lossless())
    assert verdict.status == "failed"
    assert [f.id for f in verdict.findings] == ["bad"]
    assert verdict.advice.startswith("it is declared a dead letter, but dead does not hold it")
    assert poison(None).ask(exactly_once()).status == "failed"


def test_it_is_not_lost_while_it_waits():
    line = run().publish("a").publish("bad").work("a").deliver("bad").place(1)
    verdict = line.expect(dead_lettered=["bad"]).ask(lossless())
    assert verdict.status == "unknown"
    assert "still waiting" in verdict.sentence


def test_one_that_was_confirmed_there_and_is_gone_is_no_matter_of_this_question():
    assert poison().lose("bad", topic="dead").ask(lossless()).status == "passed"


def test_declared_otherwise_too_it_is_accounted_for():
    line = poison(None).expect(dead_lettered=["bad"], dropped=["bad"])
    assert line.ask(lossless()).status == "passed"


def test_where_nobody_said_what_holds_dead_letters_a_pass_says_that_nobody_looked():
    verdict = poison(None, flow=Flow(inputs=frozenset({"in"}))).ask(lossless())
    assert verdict.status == "passed"
    assert any("whether bad came to the dead letters" in limit for limit in verdict.limits)
    assert not any("dead letters" in limit for limit in poison().ask(lossless()).limits)


def test_dead_letters_under_other_ids_prove_nothing():
    line = poison(None).log_add("dlq-1", topic="dead")
    verdict = line.ask(lossless())
    assert verdict.status == "unknown"
    assert "1 declared dead letter (bad) not to be found by its id" in verdict.sentence
    assert "the dead letters have dlq-1" in verdict.sentence
    assert "id={topic: ...}" in verdict.missing


def test_nor_do_dead_letters_without_an_id():
    verdict = poison(None).log_add(None, topic="dead", value=b"?").ask(lossless())
    assert verdict.status == "unknown"
    assert "let the service keep the id in its dead letters" in verdict.missing


@pytest.mark.parametrize("question", [lossless(), acked_after_effect(), dead_lettered()])
def test_a_destination_that_the_test_does_not_name_is_named(question):
    verdict = poison("elsewhere").ask(question)
    if verdict.status == "passed":  # the second asks nothing of what is set aside
        assert verdict.question == "acked_after_effect"
        return
    assert verdict.status == "failed"
    assert "worker-1#1 published it to elsewhere, of which the test says nothing" in verdict.advice
    assert "chaos.flow(dead_letters=['elsewhere'])" in verdict.advice
    assert "chaos.effects.from_topic('elsewhere')" in verdict.advice


def test_an_ack_without_an_effect_names_it_too():
    verdict = poison("elsewhere").expect().ask(acked_after_effect())
    assert verdict.status == "failed"
    assert "published it to elsewhere" in verdict.advice


def test_what_somebody_else_published_there_is_no_explanation():
    line = run().publish("a").publish("bad").work("a").publish("bad", topic="elsewhere")
    verdict = line.deliver("bad").ack().ask(lossless())
    assert verdict.status == "failed"
    assert "elsewhere" not in verdict.advice


# ------------------------------------------------------------ nothing to judge


def test_a_role_for_a_topic_that_nobody_uses_is_no_pass():
    line = run(inputs=("order",), rules=()).publish("a", owner="publisher").work("a")
    line.but(links={1: "publisher"})
    for question in (lossless(), acked_after_effect(), dead_lettered(ids=["x"])):
        verdict = line.ask(question)
        assert verdict.status != "passed"
    verdict = line.ask(lossless())
    assert verdict.status == "unknown"
    assert verdict.sentence.startswith("nothing to judge: the test published to in, which is no")
    assert verdict.missing == "chaos.flow(inputs=['in']); now: ['order']"


def test_a_function_that_gives_no_id_is_no_pass():
    line = run(rules=()).but(links={1: "publisher"}, disowned=True)
    verdict = line.ask(lossless())
    assert verdict.status == "unknown"
    assert "calls every message that the test published somebody else's" in verdict.sentence
    assert verdict.missing == "let the function of id= return the id"
    assert line.but(disowned=False).ask(lossless()).status == "passed"


def test_what_a_service_publishes_elsewhere_is_its_own_matter():
    assert run(rules=()).publish("m", topic="metrics").ask(lossless()).status == "passed"


def test_a_pass_that_looked_at_nothing_says_so():
    verdict = run(rules=()).ask(idempotent())
    assert verdict.status == "passed"
    assert "idempotent had nothing to judge (no effect was recorded)" in verdict.limits
    assert not any(
        "nothing" in one for one in run().publish("a").work("a").ask(idempotent()).limits
    )


# ------------------------------------------------------------ a verdict is no truth value


def test_a_verdict_has_no_truth_value():
    failed = run().publish("a").deliver("a").ack().ask(lossless())
    with pytest.raises(UsageError, match=r"this one is 'failed'.*status == 'passed'"):
        assert failed


# ------------------------------------------------------------ declared to have no effect


def test_a_loss_beside_a_declared_id_of_no_message_tells_of_it():
    line = run().publish("a").publish("b").work("a").deliver("b").ack().expect(ignored=["bb"])
    verdict = line.ask(lossless())
    assert verdict.status == "failed"
    assert verdict.advice.endswith(". But chaos.expect names ids of no message (bb)")
    assert line.expect(ignored=["b", "bb"]).ask(lossless()).status == "passed"


def test_what_is_declared_and_done_all_the_same_is_told_beside_a_pass():
    line = run().publish("a").publish("b").work("a", "b").expect(ignored=["b"], dropped=["a"])
    verdict = line.ask(exactly_once())
    assert verdict.status == "passed"
    assert "a, b took effect, though chaos.expect names what may have none" in verdict.limits
    assert not run().publish("a").work("a").expect(ignored=["b"]).ask(lossless()).limits


# ------------------------------------------------------------ outputs that are taken for inputs


def test_an_output_that_is_judged_as_an_input_is_told_as_that():
    line = run(inputs=("in", "receipts")).publish("a").work("a")
    line.publish("receipt-a", topic="receipts", owner=ME)
    verdict = line.ask(lossless())
    assert verdict.status == "unknown"
    assert verdict.missing.startswith("a worker published them to receipts, which nobody reads")
    assert "chaos.flow(inputs=['in'], outputs=['receipts'])" in verdict.missing
    told = line.publish("b", topic="receipts").ask(lossless())
    assert told.missing.startswith("start whoever reads it")  # the test itself publishes there
    alone = run(inputs=("receipts",)).publish("r", topic="receipts", owner=ME).effect("x")
    assert "chaos.flow" not in alone.but(effects=()).ask(lossless()).missing


def test_who_reads_another_topic_is_told_to_compare_the_names():
    line = run(inputs=("order",)).publish("a", topic="order").but(effects=())
    verdict = line.but(readers=frozenset({ME})).ask(lossless())
    assert verdict.status == "unknown"
    assert "worker-1#1 asked for messages, perhaps of another topic (is its name right" in (
        verdict.sentence
    )
