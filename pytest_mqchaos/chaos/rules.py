"""The rules of one Chaos: armed at any time, counted by the data plane, read back by the test."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from pytest_mqchaos.chaos.pace import REAL, Pace, done
from pytest_mqchaos.chaos.waiting import off_loop, until
from pytest_mqchaos.history.rows import RuleState
from pytest_mqchaos.plan.check import check_rule, resolved
from pytest_mqchaos.plan.rules import Rule
from pytest_mqchaos.plan.table import Row

if TYPE_CHECKING:
    from pytest_mqchaos.chaos.ground import Plane


class ArmedRule:
    """One rule at work: `fired` counts how often it took effect, `matched` the distinct messages
    that it has counted."""

    def __init__(self, book: RuleBook, index: int, rule: Rule, row: Row) -> None:
        self._book = book
        self.index = index
        self.rule = rule
        self.row = row

    def _state(self) -> dict[str, Any]:
        return self._book.states()[self.index]

    @property
    def fired(self) -> int:
        """How often the fault took effect."""
        return int(self._state()["fired"])

    @property
    def matched(self) -> int:
        """How many distinct messages it counted."""
        return int(self._state()["matched"])

    def wait(self, timeout: float = 15.0) -> None:
        """Return when it has taken effect; `WaitTimeout` after `timeout` seconds."""
        off_loop("rule.wait()", "await rule.wait_async()")
        done(self._book.wait_for(self, timeout))

    async def wait_async(self, timeout: float = 15.0) -> None:
        """`wait` on a running loop."""
        await self._book.pace.apart(self._book.wait_for(self, timeout))

    def __repr__(self) -> str:
        return f"<{self.rule!r} fired {self.fired}>"


class RuleBook:
    """All rules of a Chaos in the order they were armed."""

    def __init__(
        self, plane: Plane, protocol: str, abilities: Sequence[str], *,
        failed: Callable[[], BaseException | None] = lambda: None, pace: Pace = REAL,
    ) -> None:  # fmt: skip
        self.pace = pace
        self.rules: list[ArmedRule] = []
        self._failed = failed
        self._plane = plane
        self._protocol = protocol
        self._abilities = tuple(abilities)

    def check(self, rules: Sequence[Rule]) -> list[Row]:
        """Raise `UsageError` for the first rule that cannot be here."""
        return [check_rule(rule, self._protocol, self._abilities) for rule in rules]

    def arm(self, rules: Sequence[Rule]) -> list[ArmedRule]:
        """Check and arm; counters start now."""
        rows = self.check(rules)
        start = len(self.rules)
        made = [
            ArmedRule(self, start + n, rule, row)
            for n, (rule, row) in enumerate(zip(rules, rows, strict=True))
        ]
        body = [
            {"index": a.index, "rule": resolved(a.rule, self._protocol).to_json()} for a in made
        ]
        if body:
            self._plane.request("arm", rules=body)
        self.rules += made
        return made

    def states(self) -> dict[int, dict[str, Any]]:
        """What the data plane counts, by index."""
        return {state["index"]: state for state in self._plane.request("rules")["rules"]}

    def harmed(self) -> bool:
        """Whether a fault has taken effect or is at work: a client may give up on what is held
        before the rule lets it go, or of links that are cut before its worker is killed."""
        status = self._plane.request("status")  # one look: what is asked may fire at any moment
        if any(state["fired"] for state in status["rules"]):
            return True
        return bool(status["held"] or status["dark"] or status["asked"])

    async def wait_for(self, armed: ArmedRule, timeout: float) -> None:
        """Return when this rule has taken effect."""
        what = f"{armed.rule!r} to take effect"
        await until(
            lambda: armed.fired, timeout=timeout, what=what, failed=self._failed, pace=self.pace
        )

    def told(self) -> tuple[RuleState, ...]:
        """For the history."""
        if not self.rules:
            return ()
        states = self.states()
        return tuple(
            RuleState(
                source=repr(a.rule), cause=a.row.cause, fired=states[a.index]["fired"],
                matched=states[a.index]["matched"], optional=a.rule.optional,
                reasons=tuple(states[a.index]["reasons"]),
            )
            for a in self.rules
        )  # fmt: skip
