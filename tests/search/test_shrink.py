"""Shrinking against an oracle: made-up plans, made-up causes, no run at all."""

import random
from itertools import combinations

import pytest

from pytest_mqchaos import Plan, every, on
from pytest_mqchaos.plan import legality
from pytest_mqchaos.plan.check import check_rule
from pytest_mqchaos.search import drawing
from pytest_mqchaos.search.choices import ORDER, Narrowed, choices
from pytest_mqchaos.search.narrowing import abilities
from pytest_mqchaos.search.shrink import Spent, shrink
from pytest_mqchaos.search.simpler import simpler

ABLE = abilities("kafka", "embedded", 3)
POSSIBLE = choices(
    Narrowed(
        protocol="kafka", abilities=ABLE, faults=ORDER,
        points=tuple(legality.table("kafka").apis),
    )
)  # fmt: skip
ONES = [range(n, n + 1) for n in range(8)]
BLOCKS = [pytest.param(range(n, n + 124), marks=pytest.mark.wide) for n in range(8, 1000, 124)]


def with_seeds(test):
    """`test(seed)` for a few seeds, in the wide run for a thousand: in blocks, because each worker
    of each run collects all that there are."""

    def block(seeds):
        for seed in seeds:
            try:
                test(seed)
            except BaseException as error:
                error.add_note(f"with seed {seed}")
                raise

    block.__name__ = test.__name__
    block.__doc__ = test.__doc__
    return pytest.mark.parametrize(
        "seeds", ONES + BLOCKS, ids=lambda seeds: f"{seeds.start}-{seeds.stop - 1}"
    )(block)


def milder(rule):
    return simpler(rule, POSSIBLE)


def drawn(dice, count):
    """Different rules, in any order."""
    found = {}
    while len(found) < count:
        found[
            drawing.rule(
                dice.randrange, POSSIBLE, word="topic", topics=("a", "b"), reach=lambda *_: 12
            )
        ] = None
    return tuple(found)


class Asked:
    """A question that counts, never hears the same twice, and gives the answer of `holds`."""

    def __init__(self, holds):
        self.holds = holds
        self.plans = []

    def __call__(self, plan):
        assert plan not in self.plans, "asked again"
        self.plans.append(plan)
        return self.holds(plan.rules)


@with_seeds
def test_exactly_the_cause_is_left_of_a_plan(seed):
    dice = random.Random(seed)
    rules = drawn(dice, dice.randint(1, 30))
    cause = set(dice.sample(rules, dice.randint(0, min(4, len(rules)))))
    fails = Asked(lambda left: cause <= set(left))
    found = shrink(Plan(*rules, seed=7), fails)
    assert found.finished
    assert found.plan == Plan(*(rule for rule in rules if rule in cause), seed=7)
    assert found.asked == len(fails.plans)


@with_seeds
def test_without_any_order_in_the_answers_no_single_rule_can_go(seed):
    """Some rules hide the failure, some sets fail for reasons of their own."""
    dice = random.Random(seed)
    rules = drawn(dice, dice.randint(1, 16))
    causes = [set(dice.sample(rules, dice.randint(1, min(3, len(rules))))) for _ in range(3)]
    hiding = {rule: dice.choice(rules) for rule in dice.sample(rules, len(rules) // 3)}

    def holds(left):
        shown = {rule for rule in left if hiding.get(rule) not in left}
        return len(left) == len(rules) or any(cause <= shown for cause in causes)

    found = shrink(Plan(*rules), Asked(holds))
    left = found.plan.rules
    assert holds(left)
    assert not any(holds(fewer) for fewer in combinations(left, len(left) - 1) if fewer)
    assert not holds(()) or not left


@with_seeds
def test_nothing_simpler_than_the_result_fails(seed):
    """What fails is a verb or anything behind it, at a point, from a position on."""
    dice = random.Random(seed)
    rules = drawn(dice, dice.randint(1, 10))
    culprit = dice.choice(rules)
    rank = dice.randint(0, ORDER.index(culprit.fault.verb))

    def fatal(rule):
        return (
            rule.where.point == culprit.where.point
            and rule.where.api == culprit.where.api
            and ORDER.index(rule.fault.verb) >= rank
        )

    fails = Asked(lambda left: any(map(fatal, left)))
    found = shrink(Plan(*rules), fails, milder)
    (left,) = found.plan.rules
    assert found.finished
    assert fatal(left)
    assert not any(map(fatal, milder(left)))
    assert (left.where.nth, left.where.attempt, left.where.destination) == (1, 1, None)
    point, api = left.where.point, left.where.api
    mildest = [
        verb for verb in ORDER[rank:] for v in POSSIBLE.get(verb, {}).get(point, ()) if v.api == api
    ]  # fmt: skip
    assert left.fault.verb == mildest[0]


@with_seeds
def test_a_budget_is_kept_and_what_it_leaves_has_failed(seed):
    dice = random.Random(seed)
    rules = drawn(dice, 20)
    cause = set(dice.sample(rules, 2))
    budget = dice.randint(1, 30)
    fails = Asked(lambda left: cause <= set(left))
    found = shrink(Plan(*rules), fails, milder, budget=budget)
    assert found.asked == len(fails.plans) <= budget
    assert fails.holds(found.plan.rules)
    if not found.finished:
        assert found.asked == budget


def test_a_question_may_end_it_and_the_best_so_far_remains():
    rules = drawn(random.Random(1), 16)
    asked = []

    def fails(plan):
        asked.append(plan)
        if len(asked) > 4:
            raise Spent
        return rules[3] in plan.rules

    found = shrink(Plan(*rules), fails)
    assert not found.finished
    assert rules[3] in found.plan.rules
    assert 1 < len(found.plan.rules) < 16


def test_what_took_effect_is_asked_for_before_all_else():
    rules = drawn(random.Random(2), 30)
    fails = Asked(lambda left: rules[11] in left)
    found = shrink(Plan(*rules), fails, likely=(4, 11))
    assert fails.plans[:2] == [Plan(), Plan(rules[4], rules[11])]
    assert found.plan == Plan(rules[11])
    assert found.asked <= 4


def test_a_wrong_hint_costs_one_question():
    rules = drawn(random.Random(3), 10)
    found = shrink(Plan(*rules), lambda plan: rules[9] in plan.rules, likely=(0,))
    assert found.plan == Plan(rules[9])


def test_what_fails_without_any_fault_is_shrunk_to_none_at_once():
    found = shrink(Plan(*drawn(random.Random(4), 30)), lambda _: True, milder)
    assert (found.plan, found.asked, found.finished) == (Plan(), 1, True)


@pytest.mark.parametrize(
    ("rule", "steps"),
    [
        (on.ack(nth=1).drop(), []),
        (on.ack(nth=6).drop(), [on.ack(nth=n).drop() for n in (1, 3, 5)]),
        (on.ack(nth=range(4, 7)).drop(), [on.ack(nth=n).drop() for n in (4, 5, 6)]),
        (on.ack(nth=every(2)).drop(), [on.ack(nth=n).drop() for n in (2, 4)]),
        (on.ack().drop(), [on.ack(nth=1).drop()]),
        (
            on.ack(topic="orders", nth=1, attempt=2).drop(),
            [on.ack(nth=1, attempt=2).drop(), on.ack(topic="orders", nth=1).drop()],
        ),
        (on.confirm(nth=1).delay(10.0), [
            on.confirm(nth=1).drop(), on.confirm(nth=1).delay(0.1), on.confirm(nth=1).delay(1.0),
        ]),
        (on.confirm(nth=1).delay(0.7), [on.confirm(nth=1).drop(), on.confirm(nth=1).delay(0.1)]),
        (on.control(api="Heartbeat", nth=1).sever(), [
            on.control(api="Heartbeat", nth=1).refuse(),
        ]),
    ],
    ids=repr,
)  # fmt: skip
def test_steps_go_one_thing_at_a_time_to_what_is_simpler(rule, steps):
    assert list(milder(rule)) == steps


@with_seeds
def test_steps_are_legal_and_come_to_an_end(seed):
    (rule,) = drawn(random.Random(seed), 1)
    for _ in range(100):
        steps = list(milder(rule))
        for step in steps:
            check_rule(step, "kafka", ABLE)
            assert step.optional
        if not steps:
            return
        rule = random.Random(seed).choice(steps)
    pytest.fail(f"still {rule!r}")
