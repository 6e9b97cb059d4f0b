"""`simulate`: an async scenario with its clients, links and brokers on one loop in virtual time.

scenario(chaos) -- clients --> links (the same engine, plan, history) --> embedded cluster
time is the loop's: it stands still while anything can happen, and jumps where nothing can
"""

from __future__ import annotations

import asyncio
import gc
import inspect
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from pytest_mqchaos.chaos.comparing import FaultFreeRuns
from pytest_mqchaos.chaos.config import SEVERAL, Config, size
from pytest_mqchaos.chaos.session import Chaos
from pytest_mqchaos.chaos.telling import Telling
from pytest_mqchaos.errors import MqchaosError, UsageError, unknown
from pytest_mqchaos.plan.check import needed
from pytest_mqchaos.plan.profile import Profile
from pytest_mqchaos.plan.profiles import expand, own_profiles
from pytest_mqchaos.plan.rules import Plan
from pytest_mqchaos.plan.table import CLUSTERED
from pytest_mqchaos.search.fault_free import WithoutFaults
from pytest_mqchaos.search.host import VirtualHost
from pytest_mqchaos.search.place import Place, here
from pytest_mqchaos.simulation.loop import VirtualLoop
from pytest_mqchaos.simulation.stage import Stage

T = TypeVar("T")
Scenario = Callable[[Chaos], Awaitable[T]]
BROKERS = ("kafka",)
COLLECT_AFTER = 200_000  # objects more than before
LATER = 3661.1  # seconds: another hour, minute, second and fraction of it


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """Everything about a simulation but its scenario."""

    broker: str
    plan: Plan
    nodes: int
    seed: int
    settings: Mapping[str, object]
    config: Config
    words: Mapping[str, Any] = field(default_factory=dict)


def simulate(  # noqa: PLR0913 - the public face
    scenario: Scenario[T], *, broker: str = "kafka", plan: Plan | str | None = None, id: Any = None,
    key: Any = None, seed: int | None = None, nodes: int | None = None, real: Iterable[str] = (),
    settings: Mapping[str, object] | None = None, own_assertions: bool = False,
) -> T:  # fmt: skip
    """Run `await scenario(chaos)` in virtual time and judge it as a test is judged; gives what it
    returned.

    `plan`: rules that are armed from the start, or the name of a profile (`--mqchaos-plan`
    replaces it). `id`, `key`, `own_assertions`: as in the mark. `seed`: of `random` and of the
    cluster; default: the plan's, else the test's own. `nodes`: brokers of the cluster, default 1,
    and 3 for a plan or profile that needs several. `settings`: the cluster's, by Kafka's names.
    `real`: I/O that is let out, such as "localhost:5432", "aiosqlite", "to_thread"; time stands
    still while it is pending.

    Same scenario, plan and seed: same `chaos.history.digest()`. Raises `VerdictFailed` as a test
    would fail, `SimulationStuck` where nothing can ever happen any more, `EscapedSimulation` for
    real I/O that was not let out, `UsageError` for what cannot be; what the scenario raises comes
    through with the report as a note.
    """
    return simulated(
        scenario, WithoutFaults(), broker=broker, plan=plan, id=id, key=key, seed=seed,
        nodes=nodes, real=real, settings=settings, own_assertions=own_assertions,
    )  # fmt: skip


def simulated(
    scenario: Scenario[T], without: WithoutFaults, *, broker: str, plan: object = None,
    nodes: int | None = None, seed: int | None = None, real: Iterable[str] = (),
    settings: Mapping[str, object] | None = None, **words: Any,
) -> T:  # fmt: skip
    """The same, where the runs without faults are those of a scenario that is run many times."""
    _refuse(scenario, broker)
    place = here()
    setting = arranged(
        plan, place, broker=broker, nodes=nodes, seed=seed, settings=settings, **words
    )

    def go(plan: Plan, asked: FaultFreeRuns, /, *, other: bool = False) -> T:
        this = replace(setting, plan=plan, seed=setting.seed + other)
        return _staged(scenario, this, place, real, asked, begin=LATER if other else 0.0)

    with seldom_collected():
        return without.beside(go, setting.plan)


def _staged(
    scenario: Scenario[T], setting: Setting, place: Place | None, real: Iterable[str],
    asked: FaultFreeRuns, *, begin: float,
) -> T:  # fmt: skip
    """In a frame of its own: when it returns nothing holds the run's objects any more, and the
    collection that is due then frees them; later, and older, they are several times as dear.
    `begin`: seconds after midnight."""
    with Stage(seed=setting.seed, real=real) as stage:
        if begin:
            stage.run(asyncio.sleep(begin))
        return stage.run(_run(scenario, stage.loop, setting, place, asked))


def arranged(
    plan: object, place: Place | None, *, broker: str, nodes: int | None, seed: int | None,
    settings: Mapping[str, object] | None, **words: Any,
) -> Setting:  # fmt: skip
    """The arguments of a simulation, checked and filled in from where it is started. `words`: of
    its Chaos. Raises UsageError."""
    config = place.config if place else Config()
    profile = _profile(plan, broker, config) if isinstance(plan, str) else None
    chosen = _plan(profile.plan() if profile else plan, place)
    number = seed if seed is not None else chosen.seed or (place.seed if place else 0)
    return Setting(
        broker=broker, plan=Plan(*chosen.rules, seed=number) if chosen.rules else chosen,
        nodes=_nodes(nodes, chosen, broker, config, profile), seed=number, settings=settings or {},
        config=config, words={**words, "telling": place.telling if place else Telling()},
    )  # fmt: skip


@contextmanager
def seldom_collected() -> Iterator[None]:
    """A run makes little garbage and is over in milliseconds; a full collection would take longer,
    and would call finalizers at another moment in each process."""
    before = gc.get_threshold()
    gc.set_threshold(COLLECT_AFTER, *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)


def _refuse(scenario: object, broker: str) -> None:
    if broker not in BROKERS:
        raise unknown("broker that can be simulated", broker, BROKERS)
    called = scenario if inspect.isroutine(scenario) else getattr(scenario, "__call__", None)  # noqa: B004
    if not (inspect.iscoroutinefunction(scenario) or inspect.iscoroutinefunction(called)):
        if inspect.iscoroutine(scenario):
            scenario.close()
        raise UsageError(
            f"simulate() runs `async def scenario(chaos)`, a coroutine function that is not called "
            f"yet; given was {scenario!r}"
        )


def _plan(given: object, place: Place | None) -> Plan:
    if not isinstance(given, Plan | None):
        raise UsageError(
            f"simulate(plan={given!r}): must be a Plan, such as Plan(on.confirm(nth=2).drop()), or "
            'the name of a profile, such as "lost-confirm"'
        )
    return place.plan if place and place.plan is not None else given or Plan()


def _profile(name: str, broker: str, config: Config) -> Profile:
    found = expand(name, broker, own_profiles(config.profiles, broker))
    if len(found) > 1 or found[0].name != name:
        names = ", ".join(each.name for each in found)
        raise UsageError(
            f"simulate(plan={name!r}) is a bundle of profiles, and a simulation has one plan: "
            f'@pytest.mark.parametrize("plan", [...]) with {names}'
        )
    return found[0]


def _nodes(
    given: int | None, plan: Plan, broker: str, config: Config, profile: Profile | None
) -> int:
    wanted = size(config.nodes if given is None else given, f"simulate(nodes={given!r})")
    needs = (*needed(plan, broker), *(profile.needs if profile else ()))
    several = given is None and wanted == 1 and CLUSTERED in needs
    return SEVERAL if several else wanted


def begun(loop: VirtualLoop, setting: Setting) -> Chaos:
    """A Chaos with its broker and its links, all of them on this loop."""
    host = VirtualHost(
        loop, setting.broker, nodes=setting.nodes, settings=setting.settings, seed=setting.seed,
        config=setting.config,
    )  # fmt: skip
    return Chaos(host, setting.plan, **setting.words).start()


async def _run(
    scenario: Scenario[T], loop: VirtualLoop, setting: Setting, place: Place | None,
    asked: FaultFreeRuns,
) -> T:  # fmt: skip
    chaos = begun(loop, setting)
    chaos.fault_free = asked
    try:
        return await _judged(scenario, chaos)
    except BaseException as error:
        if not asked.wants:
            chaos.telling.blame(chaos, error)
        raise
    finally:
        try:
            await chaos.closing()
        finally:
            if place is not None:
                place.ended(chaos)


async def _judged(scenario: Scenario[T], chaos: Chaos) -> T:
    try:
        result = await scenario(chaos)
    except BaseException as error:
        await _clean_up(chaos, error)
        raise
    await chaos.finishing(body_failed=False)
    return result


async def _clean_up(chaos: Chaos, error: BaseException) -> None:
    """The scenario's own failure is the one to tell."""
    try:
        await chaos.finishing(body_failed=True)
    except MqchaosError as trouble:
        error.add_note(f"mqchaos, cleaning up after it: {type(trouble).__name__}: {trouble}")
