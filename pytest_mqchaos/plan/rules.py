"""A rule is where + fault, a plan is rules + seed: pure data with a source, a JSON form, a token.

It knows no protocol: whether a plan is legal somewhere is `plan.legality`'s question.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pytest_mqchaos.errors import UnknownName, UsageError
from pytest_mqchaos.faults import registry
from pytest_mqchaos.faults.base import Fault
from pytest_mqchaos.plan import jsonform, notation, token, where
from pytest_mqchaos.plan.where import Where


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Rule:
    """One fault at one place. `optional`: it need not fire. `forge`: a fault that no real execution
    shows is wanted all the same. Users write `on.confirm(nth=2).drop()`."""

    where: Where
    fault: Fault
    optional: bool = False
    forge: bool = False

    def __post_init__(self) -> None:
        if not isinstance(self.where, Where):
            raise UsageError(f"Rule(where={self.where!r}): write it as on.confirm(nth=2).drop().")
        if type(self.fault) not in registry.FAULTS.values():
            raise UsageError(f"Rule(fault={self.fault!r}): it is none of this package's faults.")
        for name in ("optional", "forge"):
            if not isinstance(getattr(self, name), bool):
                raise UsageError(f"{name}={getattr(self, name)!r}: must be True or False.")

    def __repr__(self) -> str:
        flags = {name: True for name in ("optional", "forge") if getattr(self, name)}
        return where.source(self.where) + registry.source(self.fault, **flags)

    def _repr_pretty_(self, printer: Any, _cycle: object) -> None:
        """For IPython and Hypothesis, which would spell out the fields."""
        printer.text(repr(self))

    if not TYPE_CHECKING:  # a type checker shall go on finding names that do not exist

        def __getattr__(self, name: str) -> object:
            if name not in registry.FAULTS:
                raise AttributeError(f"'Rule' object has no attribute {name!r}")
            place = where.source(self.where)
            raise UnknownName(
                f"{self!r} has its fault already, so .{name}() cannot follow: one fault a rule. "
                f"Arm two: chaos.arm({self!r}, {place}.{name}(...))."
            )

    def to_json(self) -> dict[str, Any]:
        """Plain data for `json.dumps`; what is at its default is left out."""
        flags = {name: True for name in ("optional", "forge") if getattr(self, name)}
        return jsonform.rule_to_data(self.where, self.fault) | flags

    @staticmethod
    def from_json(data: Mapping[str, Any]) -> Rule:
        """The inverse of `to_json`. Raises UsageError for what no version of ours wrote."""
        return Rule(**jsonform.rule_from_data(data))


@dataclass(frozen=True, slots=True, init=False, repr=False)
class Plan:
    """`Plan(on.confirm(nth=2).drop(), on.ack(nth=1).crash_worker(), seed=0)`. No rules: no harm.

    `seed` (0 or more) feeds whatever choice a recipe has to make. Its `repr` makes it again, and so
    does `Plan.from_token(plan.token)`.
    """

    rules: tuple[Rule, ...]
    seed: int

    def __init__(self, *rules: Rule, seed: int = 0) -> None:
        for rule in rules:
            if not isinstance(rule, Rule):
                raise UsageError(_no_rule(rule))
        if not isinstance(seed, int) or isinstance(seed, bool) or seed < 0:
            raise UsageError(f"seed={seed!r}: must be a whole number of 0 or more.")
        object.__setattr__(self, "rules", rules)
        object.__setattr__(self, "seed", seed)

    def __repr__(self) -> str:
        parts = [repr(rule) for rule in self.rules]
        return f"Plan({', '.join(parts + ([f'seed={self.seed}'] if self.seed else []))})"

    def _repr_pretty_(self, printer: Any, _cycle: object) -> None:
        """For IPython and Hypothesis, which would spell out the fields."""
        printer.text(repr(self))

    def source(self) -> str:
        """The same as `repr`, one rule a line."""
        parts = [repr(rule) for rule in self.rules]
        parts += [f"seed={self.seed}"] if self.seed else []
        return "Plan(\n" + "".join(f"    {part},\n" for part in parts) + ")" if parts else "Plan()"

    def to_json(self) -> dict[str, Any]:
        """Plain data for `json.dumps`."""
        return {"rules": [rule.to_json() for rule in self.rules], "seed": self.seed}

    @staticmethod
    def from_json(data: Mapping[str, Any]) -> Plan:
        """The inverse of `to_json`. Raises UsageError for what no version of ours wrote."""
        jsonform.only(data, "plan", {"rules", "seed"})
        rules = data.get("rules", [])
        if not isinstance(rules, list):
            raise UsageError(f"a plan's rules must be a list, not {rules!r}.")
        return Plan(*(Rule.from_json(rule) for rule in rules), seed=data.get("seed", 0))

    @property
    def token(self) -> str:
        """One word for a command line; starts with the version of its form."""
        return token.encode(self.to_json())

    @staticmethod
    def from_token(text: str) -> Plan:
        """The inverse of `token`. Raises UsageError for a broken token or another version's."""
        return Plan.from_json(token.decode(text))

    @staticmethod
    def from_text(text: str) -> Plan:
        """A plan from a token, from its own source, or from a file that holds one of these.
        Raises UsageError that says what was tried."""
        text = text.strip()
        if not token.looks_like(text) and "(" not in text:
            text = _read(text)
        if token.looks_like(text):
            return Plan.from_token(text)
        rules, seed = notation.parse(text)
        return Plan(*(Rule(**rule) for rule in rules), seed=seed)


def _read(name: str) -> str:
    path = Path(name)
    try:
        found = bool(name) and path.is_file()
    except (OSError, ValueError):  # too long for a name, or with a zero in it
        found = False
    if not found:
        raise UsageError(
            f"{name!r} is neither a plan token (they start with {token.PREFIX!r}) nor a file nor a "
            "plan such as Plan(on.confirm(nth=2).drop())."
        )
    return path.read_text(encoding="utf-8").strip()


def _no_rule(given: object) -> str:
    if isinstance(getattr(given, "where", None), Where):
        return f"{given!r} has no fault yet: add what goes wrong there, such as .drop()."
    return (
        f"a plan is made of rules such as on.confirm(nth=2).drop(); {given!r} is none. "
        f"Fields of a rule: {', '.join(item.name for item in fields(Rule))}."
    )
