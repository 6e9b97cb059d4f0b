"""No fault without a test: what the tests show is compared with the table and with the recipes."""

from __future__ import annotations

import importlib
from pathlib import Path

from pytest_mqchaos.plan.legality import table
from pytest_mqchaos.recipes.kafka.table import RECIPES

HERE = Path(__file__).parent
LIVE = HERE.parent / "live"


def shown():
    """Every (point, fault) that a test says it shows."""
    names = [f"tests.conformance.{path.stem}" for path in sorted(HERE.glob("test_*.py"))]
    names += [f"tests.live.{path.stem}" for path in sorted(LIVE.glob("test_conformance*.py"))]
    found = set()
    for name in names:
        for test in vars(importlib.import_module(name)).values():
            found |= getattr(test, "shows", frozenset())
    return found


def test_every_row_of_the_legality_table_is_shown():
    assert {(str(row.point), row.fault) for row in table("kafka").rows} == shown()


def test_every_recipe_is_shown():
    assert {(str(point), verb) for point, verb in RECIPES} <= shown()
