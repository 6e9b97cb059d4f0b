"""Every single fault at every position: the cases of a sweep, in a fixed order, or a sample.

It knows points, legality and the shapes of faults that a sweep uses; it must never know how a case
is run.
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from math import comb
from typing import Any, Final

from pytest_mqchaos.errors import UsageError, unknown
from pytest_mqchaos.faults import registry
from pytest_mqchaos.faults.base import Fault
from pytest_mqchaos.plan import legality
from pytest_mqchaos.plan.check import check_rule
from pytest_mqchaos.plan.rules import Plan, Rule
from pytest_mqchaos.plan.where import Where
from pytest_mqchaos.search.choices import ORDER
from pytest_mqchaos.search.points import Observed, Spot

TAKING: Final = ("expire", "power_loss")
"""What may take a confirmed message from the broker: no code can keep it, so only if named."""

_UNREPLICATED = {"unreplicated": True}
_SHAPES: Final[Mapping[str, tuple[Mapping[str, Any], ...]]] = {
    "crash_worker": ({"when": "before"}, {"when": "after"}),
    "delay": ({"seconds": 1.0},),
    "hang": ({},),
    "kill_broker": ({"restart_after": 1.0}, _UNREPLICATED),
    "pause_broker": ({"for_": 1.0},),
    "power_loss": ({"restart_after": 1.0},),
    "partition": ({"for_": 1.0},),
}
_REAL: Final[Mapping[str, tuple[Mapping[str, Any], ...]]] = {
    "delay": ({"seconds": 0.2},),
    "hang": ({"for_": 0.5},),
    "kill_broker": ({"restart_after": 0.2}, _UNREPLICATED),
    "pause_broker": ({"for_": 0.5},),
    "power_loss": ({"restart_after": 0.2},),
    "partition": ({"for_": 0.5},),
}
"""Where time is real, it is short."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One plan of a sweep: a fault at a position, or a pair of them. `where`, `what`: its row in
    the table."""

    rules: tuple[Rule, ...]
    where: str
    what: str

    @property
    def plan(self) -> Plan:
        """Its rules, none of which has to fire."""
        return Plan(*(replace(rule, optional=True) for rule in self.rules))

    @property
    def name(self) -> str:
        """The source of its rules."""
        return " + ".join(map(repr, self.rules))


def verbs(given: str | Collection[str] | None) -> tuple[str, ...]:
    """The faults to sweep. Raises UsageError for a name that is none."""
    if given is None:
        return tuple(verb for verb in ORDER if verb not in TAKING)
    named = (given,) if isinstance(given, str) else tuple(given)
    if not named:
        raise UsageError(f"faults={given!r}: name at least one of {', '.join(ORDER)}")
    for verb in named:
        if verb not in ORDER:
            raise unknown("fault to sweep", verb, ORDER)
    return tuple(verb for verb in ORDER if verb in named)


def singles(
    seen: Observed, protocol: str, faults: Sequence[str], *, virtual: bool = True
) -> list[Case]:
    """Every legal fault at every position: by point, then position, then fault."""
    found: list[Case] = []
    for spot in (*seen.spots, *seen.hops):
        legal = list(_legal(spot, seen, protocol, faults, virtual=virtual))
        for nth in range(1, spot.count + 1):
            where = Where(point=spot.point, api=spot.api, destination=spot.topic, nth=nth)
            found += [
                Case(rules=(Rule(where=where, fault=fault),), where=spot.name, what=what)
                for fault, what in legal
            ]
    return found


def _legal(
    spot: Spot, seen: Observed, protocol: str, faults: Sequence[str], *, virtual: bool
) -> Iterator[tuple[Fault, str]]:
    here = {row.fault for row in legality.table(protocol).rows if row.point is spot.point}
    for verb in faults:
        if verb not in here or (verb == "crash_worker" and not spot.crashable):
            continue
        for shape in shapes(verb, virtual=virtual):
            fault = registry.build(verb, shape)
            rule = Rule(where=Where(point=spot.point, api=spot.api), fault=fault)
            if _can(rule, protocol, seen.abilities):
                yield fault, _column(fault)


def shapes(verb: str, *, virtual: bool) -> tuple[Mapping[str, Any], ...]:
    """The arguments with which a sweep uses a fault."""
    return ({} if virtual else _REAL).get(verb) or _SHAPES.get(verb, ({},))


def _can(rule: Rule, protocol: str, abilities: Collection[str]) -> bool:
    try:
        check_rule(rule, protocol, abilities)
    except UsageError:
        return False  # not at this request, or not with this broker
    return True


def _column(fault: Fault) -> str:
    return registry.source(fault)[1:].removesuffix("()")


def pairs(cases: Sequence[Case]) -> Iterator[Case]:
    """Every two of these together."""
    for n, one in enumerate(cases):
        yield from (_both(one, other) for other in cases[n + 1 :])


def _both(one: Case, other: Case) -> Case:
    return Case(
        rules=one.rules + other.rules, where=f"{one.where} + {other.where}",
        what=f"{one.what} + {other.what}",
    )  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """The cases to run, of `total` that there are; `seed` chose them, if not all."""

    cases: tuple[Case, ...]
    total: int
    seed: int

    @property
    def left_out(self) -> str:
        """What a reader must know of what is not run; "" if nothing."""
        count = self.total - len(self.cases)
        if not count:
            return ""
        return (
            f"budget: {count} of {self.total} cases were left out, the {len(self.cases)} others "
            f"drawn evenly over points and faults with seed {self.seed}"
        )


def chosen(cases: Sequence[Case], *, paired: bool, budget: int | None, seed: int) -> Chosen:
    """All cases, or as many as the budget allows: of each point and fault about the same number,
    in their order; pairs get what the single faults leave."""
    total = len(cases) + (comb(len(cases), 2) if paired else 0)
    rng = random.Random(seed)
    if budget is not None and budget < len(cases):
        return Chosen(cases=tuple(_sampled(cases, budget, rng)), total=total, seed=seed)
    if not paired:
        return Chosen(cases=tuple(cases), total=total, seed=seed)
    if budget is None or budget >= total:
        return Chosen(cases=(*cases, *pairs(cases)), total=total, seed=seed)
    some = sorted(rng.sample(range(total - len(cases)), budget - len(cases)))
    return Chosen(cases=(*cases, *_picked(cases, some)), total=total, seed=seed)


def _sampled(cases: Sequence[Case], budget: int, rng: random.Random) -> Iterator[Case]:
    kinds: dict[tuple[str, str], list[int]] = defaultdict(list)
    for index, case in enumerate(cases):
        kinds[case.where, case.what].append(index)
    ranked: list[tuple[int, float, int]] = []
    for members in kinds.values():
        rng.shuffle(members)
        # A kind's first member comes before any kind's second: no kind is left out for another.
        ranked += [(turn, rng.random(), index) for turn, index in enumerate(members)]
    taken = sorted(index for _, _, index in islice(sorted(ranked), budget))
    yield from (cases[index] for index in taken)


def _picked(cases: Sequence[Case], wanted: Sequence[int]) -> Iterator[Case]:
    """The pairs of these numbers, as `pairs` counts them from 0, without making the others."""
    first, start = 0, 0
    for number in wanted:
        while number >= start + len(cases) - 1 - first:
            start += len(cases) - 1 - first
            first += 1
        yield _both(cases[first], cases[first + 1 + number - start])
