"""Recipes for the toy protocol are written in the tests that need them."""

from __future__ import annotations

import pytest

from pytest_mqchaos.recipes import registry
from pytest_mqchaos.recipes.base import Scripted


@pytest.fixture
def recipe(monkeypatch):
    """`recipe("publish", "drop", script)`: what a fault does at a point of the toy protocol."""
    known = {}
    monkeypatch.setattr(registry, "table", lambda protocol: known)

    def add(point, verb, script):
        known[point, verb] = lambda fault: Scripted(lambda seen: script(fault, seen))

    return add
