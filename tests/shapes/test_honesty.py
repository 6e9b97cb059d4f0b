"""The honesty table itself sees a false alarm, a missed plant, a twin that nobody exposes."""

from __future__ import annotations

import pytest

from pytest_mqchaos import Plan
from pytest_mqchaos.plan.profiles import profile
from tests.shapes import honesty, page
from tests.shapes.cells import Case, Cell, missed, outcome, perform
from tests.shapes.every import SHAPES
from tests.shapes.services import groups
from tests.shapes.shape import PROFILES, Caught, Shape

PLAIN = SHAPES[0]
pytestmark = pytest.mark.filterwarnings(
    "ignore:unclosed:ResourceWarning", "ignore:loop is closed:ResourceWarning"
)


def cell(status="passed", *, service: str | int = "correct", under="lost-confirm", **more):
    case = Case(shape="plain", service=service, under=under, plan=Plan())
    words = {"lossless": f"lossless {status}: 1 of 5 messages still waiting: 'o1' []"}
    return Cell(case=case, status={"lossless": status}, words=words, **more)


LOST = {"lost": ("o1",), "repeated": ()}


@pytest.mark.parametrize(
    ("given", "word"),
    [
        (cell(), "passed"),
        (cell("unknown"), "unknown"),
        (cell("failed"), "failed"),
        (cell("failed", service=0, caught=True), "failed"),
        (cell("failed", service=0), "other"),
        (cell(truth=LOST), "missed"),
        (cell("failed", truth=LOST), "failed"),
        (cell(unfired=("on.ack(nth=9).drop()",), truth=LOST), "unfired"),
        (cell(error="boom", truth=LOST), "error"),
    ],
)
def test_each_outcome(given, word):
    assert outcome(given) == word


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (cell("failed"), "failed: lossless failed"),
        (cell("failed", truth=LOST), "the ledger agrees, lost: o1: mend the service"),
        (cell(truth=LOST), "lossless passed, but lost: o1"),
        (cell(truth=LOST, service=0), "lossless passed, but lost: o1"),
        (cell(error="boom"), "error: boom"),
        (cell(unfired=("on.ack().drop()",)), "cannot"),
        (cell(service=0), "no profile exposes plain_commits_first"),
    ],
)
def test_each_complaint(wrong, said):
    found = page.complaints([PLAIN], [wrong], [])
    assert [text for text in found if said in text], found


def test_what_is_right_has_no_complaint_and_a_table():
    cells = [cell(), cell("unknown", under="rebalance"), cell("failed", service=0, caught=True)]
    assert page.complaints([PLAIN], cells, [cell(unfired=("x",))]) == []
    text = page.text([PLAIN], cells, [], seed=1, kind="embedded")
    assert "| plain |  | + |" in text
    assert "1x N of N messages still waiting: N - plain under rebalance (lossless)" in text
    assert "Nothing." in text


def test_the_truth_is_told_by_the_ledger_and_not_by_the_checkers(host):
    """A service that loses one is known to have lost it, and that a pass would be wrong."""
    shape = Shape(
        name="plain", service=groups.only_large_too_strict, id="json:/id",
        caught=(Caught(broken=groups.plain, under="x", question="lossless", what="lost"),),
    )  # fmt: skip
    case = Case(shape="plain", service="correct", under="no fault", plan=Plan())
    found = perform(host, shape, case)
    assert found.truth == {"lost": ("o4",), "repeated": ()}
    assert outcome(found) == "failed"
    believed = Cell(case=case, status={"lossless": "passed"}, truth=found.truth)
    assert missed(believed) == ["lossless passed, but lost: o4"]


def test_a_rule_that_could_not_act_and_a_service_that_breaks_are_told_apart(host):
    plan = profile(
        "lost-ack",
        "kafka",
        positions={rule.where.point: 40 for rule in profile("lost-ack", "kafka").rules},
    )
    case = Case(shape="plain", service="correct", under="lost-ack", plan=plan)
    assert outcome(perform(host, PLAIN, case)) == "unfired"

    async def breaks(bootstrap, world):
        raise LookupError("no such table")

    broken = Shape(name="plain", service=breaks, caught=PLAIN.caught)
    found = perform(host, broken, Case(shape="plain", service="correct", under="-", plan=Plan()))
    assert "no such table" in found.error


def test_every_service_meets_every_profile_that_can_act_on_it():
    cases = list(honesty.cases(SHAPES))
    for shape in SHAPES:
        met = {c.under for c in cases if c.shape == shape.name and c.service == "correct"}
        assert met == {"no fault", *PROFILES} - set(shape.cannot)
    assert len([shape for shape in SHAPES if shape.service]) >= 20


def test_what_is_drawn_is_drawn_again_for_the_same_seed():
    first, second = (list(honesty.drawn(list(SHAPES), 40, seed=7)) for _ in range(2))
    assert first == second
    assert {case.orders for case in first} >= {1, 2, 5, 50}
    assert first != list(honesty.drawn(list(SHAPES), 40, seed=8))
