"""Hypothesis strategies: plans, rules, places. What is drawn is legal; what shrinks does less harm.

It knows Hypothesis's ways; it must never know how choices become rules (`drawing`), what is legal
(`choices`) or who runs it.

    choice 0 = no rule < fewer rules < simpler faults < default arguments < earlier positions
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from pytest_mqchaos.errors import UsageError, missing_extra
from pytest_mqchaos.frames import Point
from pytest_mqchaos.plan import legality
from pytest_mqchaos.plan.on import At
from pytest_mqchaos.plan.rules import Plan, Rule
from pytest_mqchaos.search import drawing
from pytest_mqchaos.search.narrowing import Wanted, Words, count, wanted
from pytest_mqchaos.search.place import here

try:
    from hypothesis import strategies as st
except ModuleNotFoundError as error:
    raise missing_extra("hypothesis", "hypothesis", "drawing plans and data") from error

if TYPE_CHECKING:
    from hypothesis.strategies import DrawFn, SearchStrategy

POSITIONS = 10  # the last that is drawn unless the test says otherwise
_CLEAN = 10  # one plan in so many is empty: the run without a fault


def plans(  # noqa: PLR0913 - the public face
    broker: str = "kafka", *, points: Words = None, faults: Words = None, topics: Words = None,
    apis: Words = None, min_faults: int = 0, max_faults: int = 3, nth: int = POSITIONS,
    longest: float = 60.0, process_faults: bool = True, nodes: int | None = None,
) -> SearchStrategy[Plan]:  # fmt: skip
    """Plans of up to `max_faults` rules, each of them optional, legal on the broker of the session.

    `points`, `faults` (verbs), `topics` and `apis` (requests at control): only these; `expire` and
    `power_loss`, which destroy what was confirmed, only where `faults` names them. `nth`: the
    last position. `longest`: seconds of the longest fault that has an end. `process_faults=False`:
    no worker and no broker dies. `nodes`: of the cluster that the test runs on (say the same
    there); from 2 on leaders move and networks part. They shrink to no fault, then to fewer,
    simpler, earlier ones. With --mqchaos-plan the one plan that is drawn is that.
    Raises UsageError for what cannot be drawn, MissingExtra without Hypothesis.
    """
    most = count("plans", "max_faults", max_faults)
    least = count("plans", "min_faults", min_faults)
    if least > most:
        raise UsageError(f"plans(min_faults={least}, max_faults={most}): least is more than most.")
    found = wanted(
        "plans", broker=broker, points=points, faults=faults, apis=apis, topics=topics, nth=nth,
        longest=longest, process_faults=process_faults, nodes=nodes,
    )  # fmt: skip
    return _plans(found, least, most)


def rules(  # noqa: PLR0913 - the public face
    broker: str = "kafka", *, points: Words = None, faults: Words = None, topics: Words = None,
    apis: Words = None, nth: int = POSITIONS, longest: float = 60.0, process_faults: bool = True,
    nodes: int | None = None,
) -> SearchStrategy[Rule]:  # fmt: skip
    """One rule, as `plans` draws them: for `chaos.arm(rule)`, or for plans of your own."""
    found = wanted(
        "rules", broker=broker, points=points, faults=faults, apis=apis, topics=topics, nth=nth,
        longest=longest, process_faults=process_faults, nodes=nodes,
    )  # fmt: skip
    return _rules(found)


def selectors(
    broker: str = "kafka", *, points: Words = None, topics: Words = None, apis: Words = None,
    nth: int = POSITIONS,
) -> SearchStrategy[At]:  # fmt: skip
    """A place that waits for its fault: `place.drop()`. Say `points` that have that fault."""
    found = wanted(
        "selectors", broker=broker, points=points, faults=None, apis=apis, topics=topics, nth=nth,
        longest=60.0, process_faults=True, nodes=None,
    )  # fmt: skip
    return _places(found)


# ------------------------------------------------------------------------------------- drawing


@st.composite
def _plans(draw: DrawFn, given: Wanted, least: int, most: int) -> Plan:
    plan = Plan()
    if most and (least or draw(_below(_CLEAN))):
        plan = Plan(*draw(st.lists(_rules(given), min_size=max(1, least), max_size=most)))
    place = here()
    # One that is replayed takes its place when all has been drawn: so the choices that Hypothesis
    # keeps for the other arguments go on to mean the same.
    return plan if place is None or place.plan is None else place.plan


# Hypothesis deletes up to five choices in one go, and "one more rule" is one of them: a rule of at
# most four can be taken out of the middle of a plan. And every rule is as long as every other, else
# a shorter one would count as simpler than a milder one.


@st.composite
def _rules(draw: DrawFn, given: Wanted) -> Rule:
    return drawing.rule(
        _choosing(draw), given.choices(), word=legality.table(given.broker).word,
        topics=given.topics, reach=lambda _point, _api: given.nth,
    )  # fmt: skip


@st.composite
def _places(draw: DrawFn, given: Wanted) -> At:
    below = _choosing(draw)
    table = legality.table(given.broker)
    point = drawing.one(below, given.points)
    apis = given.apis or table.apis[Point.CONTROL]
    api = drawing.one(below, apis) if point is Point.CONTROL else None
    return At(
        drawing.where(
            below, point, api=api, word=table.word, topics=given.topics, last=given.nth,
            endless=True,
        )
    )  # fmt: skip


def _choosing(draw: DrawFn) -> drawing.Below:
    return lambda end: draw(_below(end))


@lru_cache
def _below(end: int) -> SearchStrategy[int]:
    return st.integers(0, end - 1)
