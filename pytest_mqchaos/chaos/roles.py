"""What the parts of a Chaos know of it and of its broker, so that arrows between them point one
way.

    host --> session --> view, telling, ending --> (Run) --> running, rules --> (Ground)
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from pytest_mqchaos.chaos.asked import Asked
    from pytest_mqchaos.chaos.effects import Effects
    from pytest_mqchaos.chaos.ground import Ground
    from pytest_mqchaos.chaos.rules import ArmedRule, RuleBook
    from pytest_mqchaos.chaos.running import Crew
    from pytest_mqchaos.chaos.scope import Scope
    from pytest_mqchaos.checkers.verdict import Checker, Verdict
    from pytest_mqchaos.history.history import History
    from pytest_mqchaos.history.identity import Identity
    from pytest_mqchaos.plan.rules import Plan
    from pytest_mqchaos.report.context import Context


class Clients(Protocol):
    """Whoever knows what the clients call themselves."""

    def clients(self) -> tuple[str, ...]: ...


class Tells(Protocol):
    """Who says in reports what test this was and how to see it again."""

    profile: str

    def context(self, chaos: Run) -> Context: ...

    def replay(self, chaos: Run) -> str: ...

    def arguments(self, chaos: Run) -> list[str]: ...


class Run(Protocol):
    """A Chaos, as what looks at it and tells of it sees it."""

    plan: Plan
    identity: Identity
    own_assertions: bool
    drawn: bool
    asked: Asked
    verdicts: list[Verdict]
    last_history: History
    rules: RuleBook
    scope: Scope
    ledger: Effects

    @property
    def telling(self) -> Tells: ...

    @property
    def view(self) -> Clients: ...

    @property
    def host(self) -> Ground: ...

    @property
    def crew(self) -> Crew: ...

    @property
    def armed(self) -> Sequence[ArmedRule]: ...

    @property
    def history(self) -> History: ...

    def judged(self, question: Checker) -> Verdict: ...

    def failure_text(self, verdict: Verdict) -> str: ...

    @property
    def bootstrap_servers(self) -> str: ...

    @property
    def nodes(self) -> int: ...
