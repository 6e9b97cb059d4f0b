"""Which rules do less harm than a given one: the steps of shrinking outside of Hypothesis.

A step changes one thing: the fault to one that stands before it in `choices`, the position to an
earlier or a single one, a selector to none. It must never know who asks, nor what still fails.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from pytest_mqchaos.plan.nth import Every, Nth
from pytest_mqchaos.plan.rules import Rule
from pytest_mqchaos.plan.where import Where
from pytest_mqchaos.search.choices import Choices, Variant


def simpler(rule: Rule, possible: Choices) -> Iterator[Rule]:
    """Every single step, positions first: of an early rule less has happened before it. `possible`
    are the legal faults. No chain of steps is endless."""
    for where in _places(rule.where):
        yield replace(rule, where=where)
    for variant in _before(rule, possible):
        yield replace(rule, fault=variant.fault)


def _places(where: Where) -> Iterator[Where]:
    if where.destination is not None:
        yield replace(where, destination=None, word=None)
    if where.attempt != 1:
        yield replace(where, attempt=1)
    for nth in _earlier(where.nth):
        yield replace(where, nth=nth)


def _earlier(nth: Nth) -> list[int]:
    if nth is None:
        return [1]
    if isinstance(nth, Every):
        return [nth.step, 2 * nth.step]
    if isinstance(nth, range):
        return list(nth[:3])
    return sorted({n for n in (1, nth // 2, nth - 1) if 1 <= n < nth})


def _before(rule: Rule, possible: Choices) -> Iterator[Variant]:
    """Of the verbs before its own the mildest variant, of its own those before its."""
    for verb, points in possible.items():
        here = [v for v in points.get(rule.where.point, ()) if v.api == rule.where.api]
        if verb != rule.fault.verb:
            yield from here[:1]
            continue
        faults = [variant.fault for variant in here]
        yield from here[: faults.index(rule.fault)] if rule.fault in faults else here[:1]
        return
