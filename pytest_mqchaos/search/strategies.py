"""Hypothesis strategies: plans, rules, places. What is drawn is legal; what shrinks does less harm.

It knows how choices become rules; it must never know what is legal (`choices`) or who runs it.

    choice 0 = no rule < fewer rules < simpler faults < default arguments < earlier positions
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from functools import lru_cache, partial
from typing import TYPE_CHECKING, TypeVar

from pytest_mqchaos.errors import UsageError, missing_extra
from pytest_mqchaos.frames import Point
from pytest_mqchaos.plan import legality
from pytest_mqchaos.plan.nth import Nth, every
from pytest_mqchaos.plan.on import At
from pytest_mqchaos.plan.rules import Plan, Rule
from pytest_mqchaos.plan.where import Where
from pytest_mqchaos.search.choices import OFTEN, PROCESS
from pytest_mqchaos.search.narrowing import Wanted, Words, count, wanted
from pytest_mqchaos.search.place import here

try:
    from hypothesis import strategies as st
except ModuleNotFoundError as error:
    raise missing_extra("hypothesis", "hypothesis", "drawing plans and data") from error

if TYPE_CHECKING:
    from hypothesis.strategies import DrawFn, SearchStrategy

T = TypeVar("T")
POSITIONS = 10  # the last that is drawn unless the test says otherwise
_CLEAN = 10  # one plan in so many is empty: the run without a fault
_EVEN = 6  # the share of a verb, to be divided among its points
_ONE, _RETRY, _RANGE, _EVERY = range(4)
_FORMS = (*(_ONE,) * 7, _RETRY, _RANGE, _EVERY)


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
    possible = given.choices()
    verb, point = _one(draw, _rows(tuple((v, p) for v, points in possible.items() for p in points)))
    variant = _one(draw, possible[verb][point])
    where = _where(draw, given, point, api=variant.api, process=verb in PROCESS)
    return Rule(where=where, fault=variant.fault, optional=True)


@st.composite
def _places(draw: DrawFn, given: Wanted) -> At:
    point = _one(draw, given.points)
    apis = given.apis or legality.table(given.broker).apis[Point.CONTROL]
    api = _one(draw, apis) if point is Point.CONTROL else None
    return At(_where(draw, given, point, api=api, process=False))


def _where(draw: DrawFn, given: Wanted, point: Point, *, api: str | None, process: bool) -> Where:
    """The position, and the topic where there is a choice."""
    place = partial(Where, point=point, api=api)
    form, number = divmod(draw(_below(len(_FORMS) * given.nth)), given.nth)
    topic = _one(draw, given.topics) if len(given.topics) > 1 else next(iter(given.topics), None)
    if topic is not None and point is not Point.CONTROL:
        word = legality.table(given.broker).word
        place = partial(place, destination=topic, word=word)
    nth = number + 1
    if _FORMS[form] == _RETRY and point is not Point.CONTROL:
        return place(nth=nth, attempt=2)
    return place(nth=_position(_FORMS[form], nth, endless=not process))


def _position(form: int, nth: int, *, endless: bool) -> Nth:
    if form == _RANGE:
        return range(nth, nth + 3)
    return every(nth + 1) if form == _EVERY and endless else nth


@lru_cache
def _below(end: int) -> SearchStrategy[int]:
    return st.integers(0, end - 1)


def _one(draw: DrawFn, options: Sequence[T]) -> T:
    """One of them, the first for choice 0. Cheaper than a strategy that knows them; a choice even
    where there is none, for the length of a rule."""
    return options[draw(_below(max(2, len(options)))) % len(options)]


@lru_cache
def _rows(rows: tuple[tuple[str, Point], ...]) -> tuple[tuple[str, Point], ...]:
    """Each once in the order of shrinking; then again those that are drawn more often. A verb that
    can be at many points is no likelier than one of few."""
    points = Counter(verb for verb, _ in rows)
    times = {verb: OFTEN.get(verb, 1) * _EVEN // count for verb, count in points.items()}
    return (*rows, *(row for row in rows for _ in range(times[row[0]] - 1)))
