"""The shape of a profile: a named plan with its story. It knows no protocol's facts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from pytest_mqchaos.faults.registry import arguments
from pytest_mqchaos.frames import Point
from pytest_mqchaos.plan import legality
from pytest_mqchaos.plan.rules import Plan, Rule
from pytest_mqchaos.plan.table import CLUSTERED, FairTo, Row


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """`rules` are a template: their `nth` is the earliest position that can serve. `consequence`
    is what must follow, `covers` the pitfalls it provokes ("R2"), `passes` and `fails` what code
    survives it and what does not. `clustered`: it is about a broker with others beside it, though
    its rules could act on one alone. Profiles of the user's own have no story."""

    name: str
    protocol: str
    rules: tuple[Rule, ...]
    seed: int = 0
    title: str = ""
    consequence: str = ""
    covers: tuple[str, ...] = ()
    passes: str = ""
    fails: str = ""
    clustered: bool = False

    @property
    def rows(self) -> tuple[Row, ...]:
        """The legality row behind each rule."""
        return tuple(
            legality.row(self.protocol, rule.where.point, rule.fault.verb) for rule in self.rules
        )

    @property
    def cause(self) -> str:
        """What does the same in the real world."""
        return " ".join(dict.fromkeys(row.cause for row in self.rows))

    @property
    def fair_to(self) -> FairTo:
        """Whose code it tests."""
        found: set[FairTo] = {row.fair_to for row in self.rows}
        return found.pop() if len(found) == 1 else "both"

    @property
    def needs(self) -> tuple[str, ...]:
        """What the broker must be able to do."""
        found = {
            need
            for row, rule in zip(self.rows, self.rules, strict=True)
            for need in row.needed(arguments(rule.fault))
        }
        return tuple(sorted(found | ({CLUSTERED} if self.clustered else set())))

    def plan(self, positions: Mapping[Point, int] | None = None) -> Plan:
        """The plan, its single positions replaced by those of `positions` (by point, 1-based)."""
        return Plan(*(_at(rule, positions or {}) for rule in self.rules), seed=self.seed)


def _at(rule: Rule, positions: Mapping[Point, int]) -> Rule:
    if rule.where.point not in positions or not isinstance(rule.where.nth, int):
        return rule
    return replace(rule, where=replace(rule.where, nth=positions[rule.where.point]))
