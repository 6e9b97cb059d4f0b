"""What `plans()` draws is legal, everything legal is drawn, and what shrinks does less harm."""

import cProfile
import pstats

import pytest
from hypothesis import Phase, find, given, settings
from hypothesis import strategies as st

from pytest_mqchaos import Plan, UsageError, batches, on, plans, rules, selectors
from pytest_mqchaos.chaos.host import ABILITIES
from pytest_mqchaos.faults.registry import FAULTS
from pytest_mqchaos.frames import Point
from pytest_mqchaos.plan import legality
from pytest_mqchaos.plan.check import check
from pytest_mqchaos.plan.table import CLUSTERED
from pytest_mqchaos.search.choices import LOSSY, ORDER, Narrowed, choices
from pytest_mqchaos.search.narrowing import abilities

pytestmark = pytest.mark.usefixtures("same_examples")
NO_NOISE = settings(database=None, deadline=None, suppress_health_check=())


def drawn(strategy, count):
    """So many of them, without a health check switched off; warnings are errors here."""
    seen = []

    @settings(NO_NOISE, max_examples=count, phases=[Phase.generate], derandomize=True)
    @given(strategy)
    def draw(one):
        seen.append(one)

    draw()
    return seen


@pytest.mark.parametrize(
    "count", [150, pytest.param(10_000, marks=pytest.mark.wide)], ids=["some", "many"]
)
@pytest.mark.parametrize("nodes", [1, 3])
def test_everything_drawn_is_legal_optional_and_its_own_source(count, nodes):
    able = abilities("kafka", "embedded", nodes)
    for plan in drawn(plans(nodes=nodes, faults=ORDER, topics=["orders", "dead"]), count):
        check(plan, "kafka", able)
        assert all(rule.optional for rule in plan.rules)
        assert Plan.from_text(repr(plan)) == plan == Plan.from_token(plan.token)


def test_every_legal_row_can_be_drawn_and_no_other():
    rows = {(row.point, row.fault) for row in legality.table("kafka").rows if not row.forged}
    able = (*ABILITIES, CLUSTERED)
    every = Narrowed(protocol="kafka", abilities=able, points=tuple(Point), faults=ORDER)
    assert {(point, verb) for verb, points in choices(every).items() for point in points} == rows
    assert set(ORDER) == set(FAULTS)  # a new fault has to say how simple it is


def quick(strategy, wanted):
    return find(strategy, wanted, settings=settings(NO_NOISE, max_examples=2000, derandomize=True))


def test_zero_is_harmless():
    assert quick(plans(), lambda plan: True) == Plan()


def test_fewer_rules_come_first():
    def harmful(plan):
        return any(rule.fault.verb == "crash_worker" for rule in plan.rules)

    found = quick(plans(min_faults=1, max_faults=8), harmful)
    assert found == Plan(on.publish(nth=1).crash_worker(optional=True))


def test_simpler_faults_come_before_others():
    def harmful(plan):
        return any(rule.fault.verb not in ("drop", "refuse") for rule in plan.rules)

    found = quick(plans(points=["confirm", "ack"]), harmful)
    assert found == Plan(on.confirm(nth=1).delay(0.1, optional=True))


def test_arguments_go_to_their_defaults():
    def harmful(plan):
        return any(rule.fault.verb == "kill_broker" for rule in plan.rules)

    found = quick(plans(points="ack", nodes=3), harmful)
    assert found == Plan(on.ack(nth=1).kill_broker(restart_after=1.0, optional=True))


def test_positions_become_early_and_round():
    def harmful(plan):
        return any(rule.where.nth not in (1, 2) for rule in plan.rules)

    assert quick(plans(), harmful) == Plan(on.publish(nth=3).drop(optional=True))


def test_arguments_narrow():
    made = drawn(
        plans(points=("confirm", "ack"), faults=["drop", "crash_worker"], topics="t", nth=2), 60
    )
    found = [rule for plan in made for rule in plan.rules]
    assert {str(rule.where.point) for rule in found} == {"confirm", "ack"}
    assert {rule.fault.verb for rule in found} == {"drop", "crash_worker"}
    assert {rule.where.destination for rule in found} == {"t"}
    counts = {len(plan.rules) for plan in drawn(plans(min_faults=2, max_faults=3), 40)}
    assert counts == {2, 3}


def test_what_destroys_confirmed_messages_is_drawn_only_where_it_is_named():
    def lossy(made):
        return {rule.fault.verb for plan in made for rule in plan.rules} & LOSSY

    assert not lossy(drawn(plans(nodes=3, max_faults=8), 80))
    assert lossy(drawn(plans(faults="expire", min_faults=1), 5))


def test_without_process_faults_nobody_dies():
    made = drawn(rules(process_faults=False, nodes=3), 80)
    assert not any("broker" in rule.fault.verb or "crash" in rule.fault.verb for rule in made)


def test_places_and_batches():
    places = drawn(selectors(points="confirm", topics="orders"), 10)
    assert all(repr(place).startswith("on.confirm(topic='orders'") for place in places)
    assert quick(selectors(points="confirm"), lambda place: True).drop() == on.confirm(nth=1).drop()
    for batch in drawn(batches(keys="ab"), 30):
        assert len({message.id for message in batch}) == len(batch)
    (least,) = quick(batches(keys=["a", "b"]), lambda batch: len(batch) > 0)
    assert (least.id, least.key) == ("a-1", b"a")
    assert least.value == b'{"id": "a-1", "key": "a", "seq": 1}'


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: plans("kafak"), "Did you mean 'kafka'"),
        (lambda: plans(points="confrim"), "Did you mean 'confirm'"),
        (lambda: plans(faults=["drp"]), "Did you mean 'drop'"),
        (lambda: plans(apis="Hartbeat"), "Did you mean 'Heartbeat'"),
        (lambda: plans(points=[]), r"points=\[\]"),
        (lambda: plans(topics=[1]), r"topics=\[1\]"),
        (lambda: plans(nth=0), "1 or more"),
        (lambda: plans(max_faults=-1), "0 or more"),
        (lambda: plans(min_faults=3, max_faults=2), "least is more than most"),
        (lambda: plans(nodes=0), "from 1 to 9"),
        (lambda: plans(longest=0), "more than 0"),
        (lambda: plans(process_faults="no"), "True or False"),
        (lambda: plans(faults="kill_broker", process_faults=False), "process fault"),
        (lambda: plans(points="confirm", faults="sever"), "kafka has none of sever at confirm"),
        (lambda: drawn(plans(faults="move_leader", min_faults=1), 1), "say nodes=3"),
        (lambda: batches(keys=[]), r"keys=\[\]"),
        (lambda: batches(min_size=2, max_size=1), "least is more than most"),
    ],
)
def test_a_wrong_argument_is_named(make, words):
    with pytest.raises(UsageError, match=words):
        make()


def test_a_plan_costs_no_more_than_a_few_lists_of_integers():
    """Counted in calls, not seconds: the same on a machine that is busy."""

    def calls(strategy):
        profile = cProfile.Profile()
        profile.runcall(drawn, strategy, 60)
        return pstats.Stats(profile).total_calls

    drawn(plans(), 5)  # the tables are made once
    assert calls(plans()) < 6 * calls(st.lists(st.integers()))
