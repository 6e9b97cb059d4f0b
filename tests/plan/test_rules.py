"""A plan is data: equal, hashable, its own source, its own token."""

import json

import pytest
from hypothesis import given

from pytest_mqchaos.errors import UsageError
from pytest_mqchaos.faults.drop import Drop
from pytest_mqchaos.plan.nth import every
from pytest_mqchaos.plan.on import on
from pytest_mqchaos.plan.rules import Plan, Rule
from pytest_mqchaos.plan.when import where
from tests.plan.drawn import plans, rules

NAMES = {"Plan": Plan, "on": on, "every": every, "where": where}


@given(plan=plans)
def test_repr_and_source_make_the_plan_again(plan):
    for text in (repr(plan), plan.source()):
        again = eval(text, dict(NAMES))
        assert again == plan
        assert hash(again) == hash(plan)
        assert repr(again) == repr(plan)


@given(plan=plans)
def test_source_can_be_read_without_running_it(plan):
    assert Plan.from_text(repr(plan)) == plan
    assert Plan.from_text(plan.source()) == plan


@given(plan=plans)
def test_token_and_json_make_the_plan_again(plan):
    assert Plan.from_token(plan.token) == plan
    assert Plan.from_text(f" {plan.token}\n") == plan
    assert Plan.from_json(json.loads(json.dumps(plan.to_json()))) == plan
    assert repr(Plan.from_token(plan.token)) == repr(plan)


@given(first=plans, second=plans)
def test_plans_are_equal_when_their_sources_are(first, second):
    if repr(first) == repr(second):
        assert first == second
    if first == second:
        assert hash(first) == hash(second)


@given(rule=rules)
def test_a_rule_is_data_too(rule):
    assert eval(repr(rule), dict(NAMES)) == rule
    assert Rule.from_json(json.loads(json.dumps(rule.to_json()))) == rule


def test_source_puts_one_rule_on_a_line():
    plan = Plan(on.confirm(topic="orders", nth=2).drop(), on.ack(nth=1).crash_worker(), seed=7)
    assert plan.source() == (
        "Plan(\n    on.confirm(topic='orders', nth=2).drop(),\n"
        "    on.ack(nth=1).crash_worker(),\n    seed=7,\n)"
    )
    assert Plan().source() == "Plan()"
    assert repr(Plan(seed=3)) == "Plan(seed=3)"
    assert repr(Plan(on.ack().drop())) == "Plan(on.ack().drop())"


def test_seed_and_order_are_part_of_a_plan():
    one, two = on.ack(nth=1).drop(), on.ack(nth=2).drop()
    assert len({Plan(one, two), Plan(two, one), Plan(one, two, seed=1), Plan(one, two)}) == 3


def test_no_rules_is_a_plan():
    assert Plan().rules == ()
    assert Plan() == Plan(seed=0) == Plan.from_json({})


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ((on.confirm(nth=2),), r"on\.confirm\(nth=2\) has no fault yet: .*\.drop\(\)"),
        (("drop",), "'drop' is none"),
        (([on.ack().drop()],), "is none"),
    ],
)
def test_what_is_no_rule_is_refused(given, says):
    with pytest.raises(UsageError, match=says):
        Plan(*given)


def test_a_second_fault_in_one_rule_is_refused_with_the_way_to_have_both():
    with pytest.raises(
        UsageError, match=r"one fault a rule.*chaos\.arm\(on\.ack\(nth=2\)\.drop\(\), "
    ):
        on.ack(nth=2).drop().crash_worker()
    assert not hasattr(on.ack().drop(), "topic")


@pytest.mark.parametrize("seed", [-1, 1.5, "7", None, True])
def test_a_seed_is_a_whole_number(seed):
    with pytest.raises(UsageError, match="seed="):
        Plan(seed=seed)


def test_a_rule_checks_its_parts():
    place = on.ack().where
    with pytest.raises(UsageError, match=r"on\.confirm\(nth=2\)\.drop\(\)"):
        Rule(where="ack", fault=Drop())
    with pytest.raises(UsageError, match="none of this package's faults"):
        Rule(where=place, fault="drop")
    with pytest.raises(UsageError, match="optional=1"):
        Rule(where=place, fault=Drop(), optional=1)
    with pytest.raises(UsageError, match="forge=None"):
        Rule(where=place, fault=Drop(), forge=None)


def test_from_text_reads_a_file(tmp_path):
    plan = Plan(on.ack(nth=2).redeliver(), seed=5)
    for text in (plan.token, plan.source(), f"{plan!r}\n"):
        file = tmp_path / "plan"
        file.write_text(text)
        assert Plan.from_text(str(file)) == plan


@pytest.mark.parametrize("text", ["", "no-such-file", "mq1"])
def test_from_text_says_what_was_tried(text):
    with pytest.raises(UsageError, match=r"neither a plan token .* nor a file nor a plan"):
        Plan.from_text(text)
