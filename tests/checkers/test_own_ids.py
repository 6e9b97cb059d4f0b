"""Sources, values and ids of a test that do not fit those of its service: no loss, no early ack and
no pass rests on them."""

import pytest

from pytest_mqchaos.checkers.acked_after_effect import acked_after_effect
from pytest_mqchaos.checkers.causal import causal
from pytest_mqchaos.checkers.confirmed_before_success import confirmed_before_success
from pytest_mqchaos.checkers.dead_lettered import dead_lettered
from pytest_mqchaos.checkers.exactly_once import exactly_once
from pytest_mqchaos.checkers.idempotent import idempotent
from pytest_mqchaos.checkers.lossless import lossless
from pytest_mqchaos.errors import UsageError
from pytest_mqchaos.history.rows import PUBLISHER
from tests.checkers.timeline import run

ME = "worker-1#1"


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


def test_nor_is_what_has_other_ids_done_twice_or_once():
    """An account comes as often as it has payments; a fresh id never comes again."""
    line = run().publish("a").deliver("a").effect("account").effect("account").ack()
    for each in (line, run().publish("a").deliver("a").effect("fresh").effect("fresh2").ack()):
        verdict = each.ask(idempotent())
        assert verdict.status == "unknown"
        assert verdict.sentence.startswith("no effect has the id of a message")
    assert line.publish("account").ask(idempotent()).status == "failed"


def test_one_id_in_two_topics_of_the_test_is_nobodys():
    """An order and its cancellation: that one of them is lost hides behind the other."""

    def both(owner):
        line = run().publish("o1", owner=owner).publish("o1", topic="cancelled", owner=owner)
        line.flow = type(line.flow)(inputs=frozenset({"in", "cancelled"}))
        return line.deliver("o1").effect("o1")

    for question in (lossless(), idempotent(), acked_after_effect()):
        verdict = both(PUBLISHER).ack().ask(question)
        assert verdict.status == "unknown"
        assert "1 id that the test published to several topics: 'o1' to cancelled and in" in (
            verdict.sentence
        )
        assert "ids of their own" in verdict.missing
    assert both(PUBLISHER).effect("o1").ask(idempotent()).status == "unknown"
    assert both("outbox").ask(lossless()).status == "passed"  # a service may well pass it on


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
    assert f"no value was compared: effects have a, state= has {'b' if state else 'no id'}" in (
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
    with pytest.raises(UsageError, match=r"never came that far: a line `chaos.effects`"):
        line.deliver("a").ask(lossless())
    with pytest.raises(UsageError, match=r"in the handler\.$"):
        run().but(effects=None).ask(lossless())


def test_parts_may_be_numbers():
    line = run().publish("a").deliver("a").effect("a", part="0").effect("a", part="1").ack()
    assert line.ask(lossless(parts=[0, 1])).status == "passed"
    assert line.ask(exactly_once(parts=[0, 1, 2])).status == "failed"
