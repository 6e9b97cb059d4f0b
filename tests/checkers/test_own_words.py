"""What a test says of itself and does not fit what its service does: words about dead letters,
roles, verdicts. A pass must not rest on a slip of the pen, a failure must name it."""

import pytest

from pytest_mqchaos.checkers.acked_after_effect import acked_after_effect
from pytest_mqchaos.checkers.causal import causal
from pytest_mqchaos.checkers.confirmed_before_success import confirmed_before_success
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
    line = run(rules=()).but(links={1: "publisher"})
    verdict = line.ask(lossless())
    assert verdict.status == "unknown"
    assert "calls every message that the test published somebody else's" in verdict.sentence
    assert verdict.missing == "let the function of id= return the id"
    assert line.but(links={1: "worker-1#1"}).ask(lossless()).status == "passed"


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


# ------------------------------------------------------------ sources that are not there

NO_TABLE = "effects.from_sql: no such table: leger in l.db, which has ledger"


@pytest.mark.parametrize("question", [lossless(), exactly_once(), acked_after_effect()])
def test_what_a_source_that_is_not_there_does_not_show_is_not_lost(question):
    line = run().publish("a").deliver("a").ack()
    assert line.ask(question).status == "failed"
    verdict = line.but(absent=(NO_TABLE,)).ask(question)
    assert verdict.status == "unknown"
    assert f"a source of effects is not there: {NO_TABLE}" in verdict.sentence
    assert "check its name" in verdict.missing


def test_nor_are_the_parts_that_it_would_show():
    line = run().publish("a").deliver("a").effect("a", part="row").ack()
    assert line.ask(lossless(parts=["row", "event"])).status == "failed"
    line.but(absent=(NO_TABLE,))
    assert line.ask(lossless(parts=["row", "event"])).status == "unknown"
    assert line.ask(lossless()).status == "passed"  # nothing is missing: it may be made later


def test_what_never_came_to_the_log_is_lost_wherever_it_would_show():
    line = run().publish("a").work("a").publish("b").lose("b").but(absent=(NO_TABLE,))
    verdict = line.ask(lossless())
    assert verdict.status == "failed"
    assert [finding.id for finding in verdict.findings] == ["b"]


def test_an_effect_topic_that_nobody_publishes_to_beside_one_that_nobody_named():
    def asked(topic):
        line = run().publish("a").deliver("a").publish("r", topic=topic, owner=ME).ack()
        return line.but(effect_topics=frozenset({"out"}))

    assert asked("in").ask(lossless()).status == "failed"  # nothing was published elsewhere
    assert asked("out").ask(lossless()).status == "failed"  # nor is the topic empty
    for question in (lossless(), acked_after_effect()):
        verdict = asked("receipts").ask(question)
        assert verdict.status == "unknown"
        assert "nothing was published to out, whose records are the effects, but to receipts" in (
            verdict.sentence
        )
        assert "check the name: chaos.effects.from_topic('receipts')" in verdict.missing


def test_an_ack_is_not_early_where_effects_have_other_ids():
    line = run().publish("a").deliver("a").effect("other").ack()
    verdict = line.ask(acked_after_effect())
    assert verdict.status == "unknown"
    assert verdict.sentence.startswith("no effect has the id of a message")


# ------------------------------------------------------------ values that are not there


def amount(_):
    return 5


def test_a_value_that_no_effect_has_was_not_compared():
    line = run().publish("a").work("a")
    verdict = line.ask(idempotent(expected=amount))
    assert verdict.status == "unknown"
    assert "1 effect without a value, where one is expected" in verdict.sentence
    assert "`as value`" in verdict.missing
    assert line.ask(idempotent(expected=lambda _: None)).status == "passed"
    assert line.ask(idempotent(state={"a": None})).status == "passed"
    done = run().publish("a").effect("a", value=5)
    assert done.ask(idempotent(expected=amount)).status == "passed"
    assert done.effect("b").publish("b").ask(idempotent(expected=amount)).status == "unknown"


@pytest.mark.parametrize("state", [{}, {"b": 5}])
def test_a_state_of_other_ids_compares_nothing(state):
    verdict = run().publish("a").effect("a", value=6).ask(idempotent(state=state))
    assert verdict.status == "unknown"
    assert f"no value was compared: effects have a, state= has {'b' if state else ''}" in (
        verdict.sentence
    )
    assert run().publish("a").ask(idempotent(state=state)).sentence.startswith("nothing to judge")


def test_values_expected_of_messages_that_nobody_knows():
    line = run().publish("a").effect("x", value=6)
    verdict = line.ask(idempotent(expected=amount))
    assert verdict.status == "unknown"
    assert "no value was compared: effects have x, messages have other ids" in verdict.sentence


def test_a_part_of_the_state_is_enough():
    line = run().publish("a").publish("b").effect("a", value=5).effect("b", value=6)
    assert line.ask(idempotent(state={"a": 5})).status == "passed"
    assert line.ask(idempotent(state={"a": 6})).status == "failed"


# ------------------------------------------------------------ ids and names as they are at hand


def test_ids_in_options_are_text_whatever_they_are():
    line = run().publish("1").publish("2").effect("2", value=5).effect("1", value=5)
    assert line.ask(idempotent(state={1: 6, b"2": 5})).status == "failed"
    assert line.ask(idempotent(state={1: 5, b"2": 5})).status == "passed"
    assert line.ask(causal(before={2: 1})).status == "failed"
    assert line.ask(causal(before={b"2": 1}, after=[2])).status == "failed"
    assert line.ask(causal(before={1: 2}, after=[1])).status == "passed"
    dead = run().publish("7").deliver("7").publish("7", topic="dead").ack()
    assert dead.ask(dead_lettered(ids=[7])).status == "passed"


@pytest.mark.parametrize(
    ("question", "words"),
    [(lossless, {"parts": "debit"}), (lossless, {"by": "g"}), (exactly_once, {"parts": "debit"}),
     (exactly_once, {"by": "g"}), (causal, {"before": {}, "after": "a"})],
)  # fmt: skip
def test_one_name_is_no_list_of_its_letters(question, words):
    with pytest.raises(UsageError, match=r"give a (list of names|collection of ids)"):
        question(**words)


def test_acceptances_under_other_ids_prove_nothing():
    line = run().publish("order-1").publish("order-2").work("order-1", "order-2")
    line.accept("1").accept("2")
    for question in (lossless(), confirmed_before_success()):
        verdict = line.ask(question)
        assert verdict.status == "unknown"
        assert "no accepted id is that of a message: chaos.accepted was told 1 and 1 more" in (
            verdict.sentence
        )
        assert "messages have order-1 and 1 more" in verdict.sentence
        assert "id= in the mark" in verdict.missing


def test_who_accepts_and_sends_nothing_has_lost_it_all_the_same():
    line = run().accept("1").accept("2").effect("x")
    assert line.but(effects=()).ask(lossless()).status == "failed"
    assert line.ask(confirmed_before_success()).status == "failed"
    one = run().publish("a").work("a").accept("b")
    assert one.ask(lossless()).status == "failed"
    both = run().publish("a").work("a").accept("a").accept("b")
    assert both.ask(lossless()).status == "failed"
    assert both.ask(confirmed_before_success()).status == "failed"


def test_a_loss_beside_effects_of_other_ids_tells_of_them():
    line = run().publish("1").publish("003").work("1").deliver("003").effect("3").ack()
    verdict = line.ask(lossless())
    assert verdict.status == "failed"
    assert "1 id of effects is of no message (3): one spelling of ids" in verdict.advice
    plain = run().publish("1").publish("2").work("1").deliver("2").ack().ask(lossless())
    assert plain.advice == "ack only after the work"


def test_without_a_source_of_effects_it_is_said_that_nobody_was_handed_anything():
    line = run().publish("a").but(effects=None)
    with pytest.raises(UsageError, match=r"nobody was handed a message of in\. Is that the topic"):
        line.ask(lossless())
    with pytest.raises(UsageError, match=r"in the handler\.$"):
        line.deliver("a").ask(lossless())
    with pytest.raises(UsageError, match=r"in the handler\.$"):
        run().but(effects=None).ask(lossless())
