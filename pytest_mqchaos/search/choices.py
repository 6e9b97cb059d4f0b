"""What can be drawn: every legal rule as a short row of choices, each with its harmless one first.

It knows the legality tables and an order of faults, from a lost frame to a lost machine; it must
never know who draws (Hypothesis, the sweep) or what a fault does.

    verb -> point -> variant (arguments, request) -> destination -> form of position -> position
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from pytest_mqchaos.errors import UsageError
from pytest_mqchaos.faults.base import Fault
from pytest_mqchaos.faults.registry import build
from pytest_mqchaos.frames import Point
from pytest_mqchaos.plan import legality
from pytest_mqchaos.plan.check import check_rule
from pytest_mqchaos.plan.rules import Rule
from pytest_mqchaos.plan.table import CLUSTERED, Row, Table
from pytest_mqchaos.plan.where import Where

ORDER: Final[tuple[str, ...]] = (
    "drop", "delay", "refuse", "duplicate", "sever", "reorder", "redeliver", "rebalance", "hang",
    "expire", "crash_worker", "restart_broker", "pause_broker", "move_leader", "kill_broker",
    "partition", "power_loss",
)  # fmt: skip
"""Faults, the simplest first: shrinking walks to the left."""

PROCESS: Final = frozenset(ORDER[ORDER.index("crash_worker") :])
"""What befalls a process or a machine, not a frame."""

LOSSY: Final = frozenset({"expire", "power_loss"})
"""After these the broker itself has thrown away what it had confirmed. A service cannot be blamed
for that, so they are drawn only where a test names them."""

OFTEN: Final[Mapping[str, int]] = {"crash_worker": 4, "drop": 2, "redeliver": 2}
"""How many times as often as the others: most bugs of services are a death in the wrong place."""

_SECONDS = (0.1, 1.0, 10.0, 60.0)  # the last is longer than the time-outs of every client
_ROLES = ("leader", "follower", "coordinator", "all")


@dataclass(frozen=True, slots=True, kw_only=True)
class Narrowed:
    """What may be drawn. `abilities` are the broker's, "Clustered" among them if it has several
    nodes; `longest`: seconds of the longest fault that has an end."""

    protocol: str
    abilities: tuple[str, ...]
    points: tuple[Point, ...]
    faults: tuple[str, ...]
    apis: tuple[str, ...] = ()
    longest: float = _SECONDS[-1]


@dataclass(frozen=True, slots=True, kw_only=True)
class Variant:
    """A fault with its arguments; `api` is the request at `control`."""

    fault: Fault
    api: str | None = None


Choices = dict[str, dict[Point, tuple[Variant, ...]]]


@lru_cache(maxsize=64)
def choices(narrowed: Narrowed) -> Choices:
    """Verb -> point -> variants, all of them legal, each in its order of shrinking."""
    table = legality.table(narrowed.protocol)
    found: Choices = {}
    for verb in ORDER:
        if verb not in narrowed.faults:
            continue
        for point in (point for point in Point if point in narrowed.points):
            row = next((r for r in table.rows if (r.point, r.fault) == (point, verb)), None)
            if row is None or row.forged:
                continue
            variants = tuple(v for v in _variants(row, table, narrowed) if _legal(v, row, narrowed))
            if variants:
                found.setdefault(verb, {})[point] = variants
    return found


def _legal(variant: Variant, row: Row, narrowed: Narrowed) -> bool:
    try:
        rule = Rule(where=Where(point=row.point, api=variant.api), fault=variant.fault)
        check_rule(rule, narrowed.protocol, narrowed.abilities)
    except UsageError:
        return False  # an argument that this broker cannot do, an error that this request never has
    return True


def _variants(row: Row, table: Table, narrowed: Narrowed) -> Iterator[Variant]:
    apis: tuple[str | None, ...] = (None,)
    if row.point is Point.CONTROL:
        apis = tuple(a for a in requests(row, table) if not narrowed.apis or a in narrowed.apis)
    for arguments in _arguments(
        row, table, narrowed
    ):  # arguments first: the default of every request before all others
        for api in apis:
            yield Variant(fault=build(row.fault, arguments), api=api)


def requests(row: Row, table: Table) -> tuple[str, ...]:
    """The requests that a rule of this row is drawn for: its own, else those that other rows of
    the point name, which are what clients in a service send."""
    if row.apis:
        return row.apis
    named = (api for other in table.rows if other.point == row.point for api in other.apis)
    return tuple(dict.fromkeys(named)) or table.apis[row.point]


def _arguments(row: Row, table: Table, narrowed: Narrowed) -> list[dict[str, Any]]:
    """The arguments of one fault, the defaults first."""
    seconds = [s for s in _SECONDS if s <= narrowed.longest] or [narrowed.longest]
    targets = _ROLES if CLUSTERED in narrowed.abilities else _ROLES[:1]
    given: Mapping[str, list[dict[str, Any]]] = {
        "delay": [{"seconds": s} for s in seconds],
        "refuse": [{"error": name} for name in (None, *_errors(row, table))],
        "crash_worker": [{"when": when} for when in ("before", "after")],
        "sever": [{"reset": reset} for reset in (False, True)],
        "reorder": [{"window": window} for window in (1, 2)],
        "hang": [{"for_": s} for s in (None, *seconds)],
        "restart_broker": [{"target": t} for t in targets],
        # Brokers come back by themselves: while one is gone for good nothing is ever confirmed, and
        # a run without a confirmed message has nothing to judge.
        "pause_broker": [{"target": t, "for_": s} for t in targets for s in seconds],
        "partition": [{"target": t, "for_": s} for t in targets for s in seconds],
        "kill_broker": [*_deaths(targets), {"unreplicated": True, "restart_after": 1.0}],
        "power_loss": _deaths(targets),
    }
    return given.get(row.fault, [{}])


def _errors(row: Row, table: Table) -> list[str]:
    return list(dict.fromkeys(r.name for r in table.refusals if r.point == row.point))


def _deaths(targets: tuple[str, ...]) -> list[dict[str, Any]]:
    return [{"target": t, "restart_after": s} for t in targets for s in (1.0, 0)]
