"""Which recipe serves a fault at a point of a protocol. A new protocol is one more line here."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import TypeAlias

from pytest_mqchaos.errors import UsageError, unknown
from pytest_mqchaos.faults.base import Fault
from pytest_mqchaos.frames import Point
from pytest_mqchaos.recipes.base import Recipe

Maker: TypeAlias = Callable[[Fault], Recipe]
Table: TypeAlias = Mapping[tuple[Point, str], Maker]

_TABLES = {"kafka": "pytest_mqchaos.recipes.kafka.table"}


def table(protocol: str) -> Table:
    """Every recipe of a protocol, by (point, verb)."""
    if protocol not in _TABLES:
        raise unknown("protocol", protocol, _TABLES)
    found: Table = import_module(_TABLES[protocol]).RECIPES
    return found


def recipe_for(protocol: str, point: Point, fault: Fault) -> Recipe:
    """A fresh recipe for one firing. Raises `UsageError` where there is none."""
    try:
        return table(protocol)[point, fault.verb](fault)
    except KeyError:
        raise UsageError(f"{protocol} has no recipe for .{fault.verb}() at {point}") from None
