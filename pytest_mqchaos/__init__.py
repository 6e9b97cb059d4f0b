"""Chaos testing of messaging code inside ordinary pytest tests: the public names.

Each is loaded on first use (PEP 562), so that importing the package costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pytest_mqchaos.chaos.host import ChaosBroker
    from pytest_mqchaos.chaos.session import Chaos
    from pytest_mqchaos.chaos.side import Receipt
    from pytest_mqchaos.checkers.verdict import Checker, Finding, Verdict
    from pytest_mqchaos.errors import MqchaosError, UsageError, VerdictFailed
    from pytest_mqchaos.frames import Message, Record
    from pytest_mqchaos.history.history import History
    from pytest_mqchaos.plan.nth import every
    from pytest_mqchaos.plan.on import on
    from pytest_mqchaos.plan.rules import Plan, Rule
    from pytest_mqchaos.plan.when import where
    from pytest_mqchaos.search.batches import batches
    from pytest_mqchaos.search.simulate import simulate
    from pytest_mqchaos.search.stateful import ChaosMachine
    from pytest_mqchaos.search.strategies import plans, rules, selectors
    from pytest_mqchaos.workloads.effects_file import record_attempt, record_effect

__all__ = (
    "Chaos", "ChaosBroker", "ChaosMachine", "Checker", "Finding", "History", "Message",
    "MqchaosError", "Plan", "Receipt", "Record", "Rule", "UsageError", "Verdict", "VerdictFailed",
    "batches", "every", "on", "plans", "record_attempt", "record_effect", "rules", "selectors",
    "simulate", "where",
)  # fmt: skip

_HOMES = {
    "Chaos": "chaos.session",
    "ChaosBroker": "chaos.host",
    "ChaosMachine": "search.stateful",
    "Checker": "checkers.verdict",
    "Finding": "checkers.verdict",
    "History": "history.history",
    "Message": "frames",
    "MqchaosError": "errors",
    "Plan": "plan.rules",
    "Receipt": "chaos.side",
    "Record": "frames",
    "Rule": "plan.rules",
    "UsageError": "errors",
    "Verdict": "checkers.verdict",
    "VerdictFailed": "errors",
    "batches": "search.batches",
    "every": "plan.nth",
    "on": "plan.on",
    "plans": "search.strategies",
    "record_attempt": "workloads.effects_file",
    "record_effect": "workloads.effects_file",
    "rules": "search.strategies",
    "selectors": "search.strategies",
    "simulate": "search.simulate",
    "where": "plan.when",
}


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found: object = getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted(__all__)
