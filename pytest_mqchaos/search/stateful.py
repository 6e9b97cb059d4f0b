"""A state machine whose steps are what happens to a service: messages, faults, crashes, time.

    publish / step / strike / crash / heal / settle, in any order --> ask, whenever all is settled
    --> settle, stop the service, ask: the last word

Everything is on one loop in virtual time, which goes on only while a step is done. It knows
Hypothesis's stateful testing and a Chaos; it must never know a service or a question.
"""

from __future__ import annotations

import asyncio
import sys
from collections import Counter
from collections.abc import Coroutine, Mapping
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from pytest_mqchaos.chaos.running import WorkerHandle
from pytest_mqchaos.errors import (
    MqchaosError,
    UsageError,
    VerdictFailed,
    missing_extra,
    unknown,
)
from pytest_mqchaos.search.batches import numbered
from pytest_mqchaos.search.place import here
from pytest_mqchaos.search.simulate import arranged, begun, seldom_collected
from pytest_mqchaos.search.strategies import rules
from pytest_mqchaos.simulation.stage import Stage

try:
    from hypothesis import Phase, settings
    from hypothesis import strategies as st
    from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
except ModuleNotFoundError as error:
    raise missing_extra("hypothesis", "hypothesis", "state machines") from error

if TYPE_CHECKING:
    from pytest_mqchaos.chaos.session import Chaos
    from pytest_mqchaos.plan.rules import Rule

T = TypeVar("T")
STEPS = 10
_PHASES = [phase for phase in Phase if phase is not Phase.explain]
_SECONDS = (0.1, 1.0, 10.0, 60.0)  # the last is longer than the time-outs of every client
_SIMULATED: Mapping[str, Any] = {
    "broker": "kafka", "plan": None, "id": None, "key": None, "seed": None, "nodes": None,
    "real": (), "settings": None, "own_assertions": False,
}  # fmt: skip
_keys = st.runner().flatmap(
    lambda machine: st.lists(st.sampled_from(tuple(machine.keys)), min_size=1, max_size=4)
)
_struck = st.runner().flatmap(lambda machine: rules(**{"nth": 3, **machine.drawn}))


class ChaosMachine(RuleBasedStateMachine):
    """Base of a state machine for one service in virtual time: say what the service is and what
    must hold, `TestOrders = Orders.TestCase` is the test.

    `topic`: where `publish` goes, with `partitions`; `keys`: of its messages, which are JSON with
    `id`, `key` and `seq`, as `batches()` makes them. `drawn`: arguments of `rules()` for what
    `strike` arms (`nth` is 3 unless it says otherwise). `settle_timeout`: seconds without progress
    that a settle waits: more than lies between two turns of what the service does now and then
    (an outbox's relay), for a machine stops it after that.
    `simulated`: arguments of `simulate`, such as `nodes`.
    """

    topic: ClassVar[str] = "orders"
    partitions: ClassVar[int] = 1
    keys: ClassVar[tuple[str, ...]] = ("a", "b")
    drawn: ClassVar[Mapping[str, Any]] = {}
    settle_timeout: ClassVar[float] = 60.0
    simulated: ClassVar[Mapping[str, Any]] = {}
    chaos: Chaos

    def __init_subclass__(cls, **words: Any) -> None:
        """Stories of ten steps, unless the class says otherwise: of fifty, as is Hypothesis's
        default, most are noise, and shrinking one takes minutes; as explaining one does."""
        super().__init_subclass__(**words)
        test: Any = cls.TestCase
        test.settings = settings(test.settings, stateful_step_count=STEPS, phases=_PHASES)

    def service(self, chaos: Chaos) -> WorkerHandle:
        """Yours: declare what the service needs and give `chaos.worker(...)`."""
        del chaos
        raise UsageError(
            f"{type(self).__name__} needs `def service(self, chaos)` that gives "
            "chaos.worker(your_function, chaos.bootstrap_servers, ...)"
        )

    def ask(self, chaos: Chaos) -> None:
        """Yours: the assertions. They are asked whenever everything is settled, and at the end,
        when the service has stopped."""
        del chaos
        raise UsageError(
            f"{type(self).__name__} needs `def ask(self, chaos)` with your assertions, such as "
            "chaos.assert_lossless()"
        )

    def __init__(self) -> None:
        super().__init__()
        self._outside = sys.exc_info()[1]
        self._settled = False
        self._numbers: Counter[str] = Counter()
        self._open = ExitStack()
        try:
            self._begin()
        except BaseException:
            self._open.close()
            raise

    def _begin(self) -> None:
        for word in self.simulated.keys() - _SIMULATED.keys():
            raise unknown(f"argument in {type(self).__name__}.simulated", word, _SIMULATED)
        words = {**_SIMULATED, **self.simulated}
        plan, real, place = words.pop("plan"), words.pop("real"), here()
        setting = arranged(plan, place, **words)
        self._open.enter_context(seldom_collected())
        self._stage = self._open.enter_context(Stage(seed=setting.seed, real=real))
        self.chaos = chaos = begun(self._stage.loop, setting)
        self._open.callback(self._close)
        if place is not None:
            self._open.callback(place.ended, chaos)
        chaos.topic(self.topic, partitions=self.partitions)
        self._worker = self.service(chaos)
        if not isinstance(self._worker, WorkerHandle):
            raise UsageError(f"service() must give chaos.worker(...), not {self._worker!r}")
        self.run(self._worker.__aenter__())

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Do `work` on the loop of the simulation: for rules of your own, with the `_async` methods
        of `self.chaos`."""
        return self._stage.run(work)

    # ------------------------------------------------------------ what can happen

    @rule(keys=_keys)
    def publish(self, keys: list[str]) -> None:
        """Messages with these keys, one after the other."""
        self._settled = False
        batch = numbered(keys, self._numbers)
        self.run(self.chaos.publish_async(self.topic, batch))

    @rule(seconds=st.sampled_from(_SECONDS))
    def step(self, seconds: float) -> None:
        """Time passes."""
        self._settled = False
        self.run(asyncio.sleep(seconds))

    @rule(fault=_struck)
    def strike(self, fault: Rule) -> None:
        """A rule is armed; it counts from now."""
        self._settled = False
        self.chaos.arm(fault)

    @rule()
    def crash(self) -> None:
        """Every incarnation that runs dies where it is."""
        self._settled = False
        self.run(self._worker.crash_async())

    @rule()
    def heal(self) -> None:
        """What rules have broken is whole again; those that are armed stay so."""
        self._settled = False
        self.chaos.heal()

    @precondition(lambda self: not self._settled)
    @rule()
    def settle(self) -> None:
        """Wait until nothing can still happen."""
        self.run(self.chaos.settle_async(self.settle_timeout))
        self._settled = True

    # ------------------------------------------------------------ what must hold

    @invariant()
    def holds(self) -> None:
        """A worker that failed without a fault fails the test; what is settled is asked about."""
        self._unbroken()
        if self._settled:
            self._ask_meanwhile()

    def _unbroken(self) -> None:
        failure = self.chaos.crew.failure
        if failure is not None:
            raise failure

    def _ask_meanwhile(self) -> None:
        """What a service that runs may still be at work on is neither done nor lost: what cannot be
        known yet is asked again at the end, and only there is it a failure."""
        try:
            self.ask(self.chaos)
        except VerdictFailed:
            if not self.chaos.verdicts or self.chaos.verdicts[-1].status != "unknown":
                raise

    def teardown(self) -> None:
        """Settle, stop the service, ask, and judge as a test is judged; after a failure only clean
        up."""
        error = sys.exc_info()[1]
        with self._open:
            if error is not None and error is not self._outside:
                self.run(self._give_up(error))
            else:
                self._end()

    def _end(self) -> None:
        if not self._settled:
            self.settle()
        self.run(self._stopped())
        self._unbroken()
        self.ask(self.chaos)
        self.run(self.chaos.finishing(body_failed=False))

    async def _stopped(self) -> None:
        await self._worker.__aexit__(None, None, None)
        await self.chaos.crew.stop_all()  # what a step of yours has started, too

    async def _give_up(self, error: BaseException) -> None:
        """The failure that came first is the one to tell."""
        try:
            await self.chaos.finishing(body_failed=True)
        except MqchaosError as trouble:
            error.add_note(f"mqchaos, cleaning up after it: {type(trouble).__name__}: {trouble}")

    def _close(self) -> None:
        self.run(self.chaos.closing())
