"""One way to run a scenario under a plan and to say what came of it: `run`.

    async def scenario(chaos) --> virtual time (`simulate`)
    def scenario(chaos) --------> sockets: one Chaos of a session's `ChaosBroker`

It knows how a run ends; it must never know why this plan was chosen. What is the test's own (a
Ctrl-C, the end of the session) goes through it.
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import pytest

from pytest_mqchaos.chaos.config import Config
from pytest_mqchaos.chaos.telling import Telling
from pytest_mqchaos.errors import DataPlaneDied, MqchaosError, UsageError, VerdictFailed
from pytest_mqchaos.plan.rules import Plan
from pytest_mqchaos.search import place
from pytest_mqchaos.search.fault_free import WithoutFaults
from pytest_mqchaos.search.simulate import simulated

if TYPE_CHECKING:
    from pytest_mqchaos.chaos.comparing import FaultFreeRuns
    from pytest_mqchaos.chaos.host import ChaosBroker
    from pytest_mqchaos.chaos.session import Chaos
    from pytest_mqchaos.checkers.verdict import Verdict
    from pytest_mqchaos.history.history import History

Status: TypeAlias = Literal["passed", "failed", "unknown", "skipped"]
Scenario: TypeAlias = Callable[["Chaos"], object]
_FAILS = (Exception, pytest.fail.Exception, pytest.skip.Exception)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What one run showed.

    `status`: passed, failed, unknown (no verdict failed, but one could not be given; not a pass),
    skipped (by the scenario). `fired`, `matched`: of each rule of the plan, how often it took
    effect and how many distinct messages it counted. `error`: what made the test fail, with the
    report in its text or as its note. `chaos` has ended (None: the run never began).
    """

    plan: Plan
    status: Status
    fired: tuple[int, ...] = ()
    matched: tuple[int, ...] = ()
    error: BaseException | None = None
    chaos: Chaos | None = None

    @property
    def verdicts(self) -> tuple[Verdict, ...]:
        """Every answer that was given, in the order of the questions."""
        return tuple(self.chaos.verdicts) if self.chaos is not None else ()

    @property
    def history(self) -> History | None:
        """What the last judgement was about."""
        return self.chaos.last_history if self.chaos is not None else None

    @property
    def digest(self) -> str:
        """`history.digest()`; "" without a history."""
        return self.history.digest() if self.history is not None else ""

    @property
    def sentence(self) -> str:
        """Why it did not pass, in one line; "" for a pass."""
        if self.error is None:
            return ""
        if isinstance(self.error, VerdictFailed):  # what it says first is wrapped
            return " ".join(str(self.error).partition("\n\n")[0].split())
        text = str(self.error).partition("\n")[0]
        return f"{type(self.error).__name__}: {text}"

    def settle(self) -> None:
        """Raise what the test would have raised."""
        if self.error is not None:
            raise self.error


@dataclass(slots=True, kw_only=True)
class _Seen:
    """What can only be looked at while the run lasts."""

    chaos: Chaos | None = None
    states: Mapping[int, Mapping[str, Any]] = field(default_factory=dict)

    @contextmanager
    def watching(self, chaos: Chaos) -> Iterator[None]:
        """Around the scenario: the rules' counters as it ends."""
        self.chaos = chaos
        try:
            yield
        finally:
            if chaos.host.gone is None:
                self.states = chaos.rules.states()

    def counted(self, word: str, count: int) -> tuple[int, ...]:
        """`word` of the first `count` rules: at the end of the run, or of the scenario."""
        last = self.chaos.last_history.rules if self.chaos is not None else ()
        early = {n: int(state[word]) for n, state in self.states.items()}
        late = {n: int(getattr(rule, word)) for n, rule in enumerate(last)}
        return tuple(max(early.get(n, 0), late.get(n, 0)) for n in range(count))


def run(
    scenario: Scenario, plan: Plan | None = None, *, broker: str = "kafka",
    host: ChaosBroker | None = None, telling: Telling | None = None,
    without: WithoutFaults | None = None, **words: Any,
) -> Outcome:  # fmt: skip
    """Run `scenario` once under `plan` and judge it; what fails is in the outcome, not raised.

    A coroutine function runs in virtual time, unless a `host` is given; a plain function needs one.
    `--mqchaos-plan` has no say here. `telling`: what reports say of the test (default: the test
    that runs). `without`: the runs without faults of a scenario that is run many times. `words`:
    `id`, `key`, `own_assertions`, `nodes`; in virtual time also `seed`, `settings`, `real`. Raises
    `UsageError` for what cannot be run, `DataPlaneDied` where no further run makes sense.
    """
    plan, seen, without = plan or Plan(), _Seen(), without or WithoutFaults()
    try:
        if host is not None:
            words["nodes"] = host.nodes_for(words.get("nodes"), plan)  # without faults too
            once = partial(_on_sockets, scenario, host, telling, words=words, seen=seen)
            without.beside(once, plan)
        else:
            once = partial(simulated, without=without, broker=broker, plan=plan, **words)
            _in_virtual_time(scenario, once, telling, seen)
    except DataPlaneDied:
        raise
    except _FAILS as error:
        if isinstance(error, UsageError) and seen.chaos is None:
            raise  # it is about the call, not about what was run
        return _outcome(plan, seen, error)
    return _outcome(plan, seen, None)


def _outcome(plan: Plan, seen: _Seen, error: BaseException | None) -> Outcome:
    count = len(plan.rules)
    return Outcome(
        plan=plan, status=_status(seen.chaos, error), error=error, chaos=seen.chaos,
        fired=seen.counted("fired", count), matched=seen.counted("matched", count),
    )  # fmt: skip


def _status(chaos: Chaos | None, error: BaseException | None) -> Status:
    if error is None:
        return "passed"
    if isinstance(error, pytest.skip.Exception):
        return "skipped"
    found = {verdict.status for verdict in chaos.verdicts} if chaos is not None else set()
    undecided = isinstance(error, VerdictFailed) and "unknown" in found and "failed" not in found
    return "unknown" if undecided else "failed"


# ---------------------------------------------------------------------------------- virtual time


def _in_virtual_time(
    scenario: Scenario, once: Callable[[Scenario], object], telling: Telling | None, seen: _Seen
) -> None:  # fmt: skip
    if not asynchronous(scenario):
        raise UsageError(
            f"{scenario!r} is a plain function: it runs over sockets and needs a broker of the "
            "session; virtual time is for `async def scenario(chaos)`"
        )

    async def watched(chaos: Chaos) -> None:
        with seen.watching(chaos):
            await scenario(chaos)  # type: ignore[misc]

    def ended(chaos: Chaos) -> None:
        seen.chaos = chaos

    at = place.here() or place.Place(telling=Telling(), config=Config(), ended=ended)
    at = replace(at, plan=None, ended=ended, telling=telling or at.telling)
    with place.standing(lambda: at):
        once(watched)


def asynchronous(scenario: object) -> bool:
    """Whether calling it gives a coroutine."""
    called = scenario if inspect.isroutine(scenario) else getattr(scenario, "__call__", None)  # noqa: B004
    return inspect.iscoroutinefunction(scenario) or inspect.iscoroutinefunction(called)


# ---------------------------------------------------------------------------------- sockets


def _on_sockets(
    scenario: Scenario, host: ChaosBroker, telling: Telling | None, plan: Plan,
    asked: FaultFreeRuns, /, *, words: Mapping[str, Any], seen: _Seen, other: bool = False,
) -> None:  # fmt: skip
    del other  # no two runs in real time have the same
    at = place.here()
    seeded = Plan(*plan.rules, seed=plan.seed or (at.seed if at is not None else 0))
    chaos = host.chaos(
        seeded if plan.rules else plan, telling=telling or (at.telling if at else Telling()),
        **words,
    )  # fmt: skip
    chaos.fault_free = asked
    try:
        chaos.start()
        _judged(scenario, chaos, seen)
    finally:
        chaos.close()


def _judged(scenario: Scenario, chaos: Chaos, seen: _Seen) -> None:
    try:
        with seen.watching(chaos):
            _called(scenario, chaos)
    except BaseException as error:
        _clean_up(chaos, error)
        raise
    chaos.finish(body_failed=False)


def _called(scenario: Scenario, chaos: Chaos) -> None:
    if not asynchronous(scenario):
        scenario(chaos)
        return

    async def on_a_loop() -> None:
        await scenario(chaos)  # type: ignore[misc]

    asyncio.run(on_a_loop())


def _clean_up(chaos: Chaos, error: BaseException) -> None:
    """The scenario's own failure is the one to tell, unless the ground under it was gone."""
    try:
        chaos.finish(body_failed=True)
        given_up = chaos.fault_free is not None and chaos.fault_free.wants
        if not given_up and not isinstance(error, VerdictFailed | MqchaosError):
            error.add_note(f"mqchaos\n{chaos.telling.summary(chaos)}")
    except DataPlaneDied as died:
        raise died from error
    except MqchaosError as trouble:
        error.add_note(f"mqchaos, cleaning up after it: {type(trouble).__name__}: {trouble}")
