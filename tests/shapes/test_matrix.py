"""Every shape under every profile: a correct service is never `failed`, a planted bug always is.

Without `MQCHAOS_MATRIX=full` a choice of the combinations runs: two profiles per shape, so that
every profile meets several shapes, and every planted bug; of the shapes beyond the core one each
of the families. `make honesty` runs all of it and more, with a table.
"""

from __future__ import annotations

import os

import pytest

from pytest_mqchaos import Plan
from tests.shapes.every import CORE, SHAPES
from tests.shapes.shape import PROFILES, plan_of, run, told

# Crashed clients close nothing.
pytestmark = pytest.mark.filterwarnings(
    "ignore:unclosed:ResourceWarning", "ignore:loop is closed:ResourceWarning"
)
FULL = os.environ.get("MQCHAOS_MATRIX") == "full"
QUICK = tuple(name for name in PROFILES if name not in ("delayed-delivery", "slow-confirm"))
CORRECT = [(shape, name) for shape in SHAPES for name in PROFILES if name not in shape.cannot]
FAMILIES = ("commit-every-third", "faststream-manual-ack")
CHOSEN = SHAPES if FULL else (*CORE, *(shape for shape in SHAPES if shape.name in FAMILIES))
BROKEN = [(shape, caught) for shape in CHOSEN for caught in shape.caught]


def chosen():
    """One quick profile per shape, wandering through all of them; the slow ones once each. A second
    one per shape is for the wide run."""
    if FULL:
        return CORRECT
    found = []
    for number, shape in enumerate(CHOSEN):
        names = [n for n in QUICK if n not in shape.cannot and n not in shape.seldom]
        name, another = (names[(number + step) % len(names)] for step in (0, len(names) // 2))
        found += [(shape, name), pytest.param(shape, another, marks=pytest.mark.wide)]
    return [*found, (CORE[0], "delayed-delivery"), (CORE[1], "slow-confirm")]


def name_of(value):
    return getattr(value, "name", value) if isinstance(value, str) else value.name


@pytest.mark.parametrize(("shape", "name"), chosen(), ids=name_of)
def test_a_correct_service_is_never_failed(host, shape, name):
    for question, verdict in run(host, shape, shape.service, plan_of(name)).items():
        reason = shape.unknown.get((name, question))
        if reason is None:
            # A handler in process may outlive its crash by a moment: then nobody can know.
            posthumous = verdict.status == "unknown" and "posthumous" in verdict.sentence
            assert posthumous or verdict.status == "passed", told(verdict)
        else:
            assert verdict.status == "unknown", told(verdict)
            assert reason in verdict.sentence, told(verdict)
            assert verdict.missing, f"{told(verdict)} does not say what to add"


@pytest.mark.parametrize(
    ("shape", "caught"), BROKEN,
    ids=[f"{s.name}-{getattr(c.broken, '__name__', c.broken)}-{n}"
         for n, (s, c) in enumerate(BROKEN)],
)  # fmt: skip
def test_a_planted_bug_is_failed_where_it_is(host, shape, caught):
    plan = caught.under if isinstance(caught.under, Plan) else plan_of(caught.under)
    verdict = run(host, shape, caught.broken, plan)[caught.question]
    assert verdict.status == "failed", told(verdict)
    found = [(f.id, f.what, f.where, f.by) for f in verdict.findings]
    assert any(
        what == caught.what
        and where == (caught.where or where)
        and id_ == (caught.about or id_)
        and by == caught.by
        for id_, what, where, by in found
    ), told(verdict)


def test_every_profile_is_met_by_default():
    cases = [case for case in chosen() if type(case) is tuple]  # the others are pytest.param: wide
    assert {name for _, name in cases} == set(PROFILES)


def test_every_shape_has_a_planted_bug():
    assert [shape.name for shape in SHAPES if not shape.caught] == []


def test_no_two_shapes_have_one_name():
    names = [shape.name for shape in SHAPES]
    assert sorted(set(names)) == sorted(names)
