"""The stage of a simulation: everything that stands elsewhere while one runs, and is put back.

It knows what is replaced where (clocks, dates, chance, escapes, aiosqlite's queues); what the
replacements do is theirs.

    with Stage(seed=1, real=["localhost:5432"]) as stage:
        stage.run(main())     # on stage.loop, with stage.loop.network; EscapedSimulation if it did
"""

from __future__ import annotations

import asyncio
import os
import random
import time
from collections.abc import Coroutine, Iterable
from types import FunctionType, TracebackType
from typing import Any, Self, TypeVar

from pytest_mqchaos.errors import EscapedSimulation, SimulationStuck, UsageError
from pytest_mqchaos.simulation import chance, clocks, compiled, dates, escapes, threads
from pytest_mqchaos.simulation.admitted import Admitted
from pytest_mqchaos.simulation.holders import Holders, Place
from pytest_mqchaos.simulation.loop import VirtualLoop
from pytest_mqchaos.simulation.turns import SECOND
from pytest_mqchaos.simulation.whose import in_real_time, users_module

_T = TypeVar("_T")
_ENDING = 3600 * SECOND  # ns that cancelled tasks may take to end

_FUNCTIONS: dict[int, tuple[Any, Any]] = {
    id(original): (original, new)
    for original, new in (
        *((getattr(time, name), new) for name, new in clocks.REPLACED),
        (os.urandom, chance.urandom),
        (random.seed, chance.seed),
    )
}
_DATES = {id(original): (original, new) for original, new in dates.REPLACED}
_FIXED: tuple[tuple[Place, Any], ...] = (
    *((Place(time, name), new) for name, new in clocks.REPLACED),
    (Place(os, "urandom"), chance.urandom),
    (Place(random, "seed"), chance.seed),
    (Place(random.Random, "seed"), chance.seed_of),
    *escapes.GUARDS,
)
_functions = Holders(
    [original for original, _ in _FUNCTIONS.values()],
    lambda module: module in ("time", "os", "posix") or in_real_time(module),
)
_dates = Holders(
    [original for original, _ in _DATES.values()], lambda module: not users_module(module)
)


class Stage:
    """One simulation's world. `epoch` is the wall clock's start (ns since 1970), `limit` how
    much virtual time may pass (ns).

    Raises `UsageError` inside another simulation, or inside a running event loop.
    """

    _standing: Stage | None = None

    def __init__(
        self,
        *,
        seed: int = 0,
        real: Iterable[str] = (),
        epoch: int = clocks.EPOCH,
        limit: int | None = None,
    ) -> None:
        self.admitted = Admitted.read(real)
        self.loop = VirtualLoop(limit=limit, admitted=self.admitted)
        self._seed = seed
        self._epoch = epoch
        self._put: list[tuple[Place, Any, Any]] = []
        self._counts: list[tuple[Place, int]] = []
        self._state: Any = None
        self._escaped: list[EscapedSimulation] = []

    def __enter__(self) -> Self:
        try:
            _refuse_nesting(Stage._standing)
        except UsageError:
            self.loop.close()
            raise
        Stage._standing = self
        try:
            self._state = chance.enter(self._seed)
            self._escaped = escapes.enter(self.admitted)
            clocks.enter(self.loop, self._epoch)
            self._replace()
        except BaseException:
            self._restore()
            self.loop.close()
            raise
        return self

    def _replace(self) -> None:
        for place, new in (*_FIXED, *compiled.stamped()):
            self._let(place, new)
        if "aiosqlite" in self.admitted.names:
            owner, init = threads.aiosqlite_init()
            self._let(Place(owner, "__init__"), init)
        for holders, table in ((_functions, _FUNCTIONS), (_dates, _DATES)):
            holders.look()
            for place, original in holders.places:
                if place.get() is original:
                    self._let(place, _as_held(place, original, table))

        for place in compiled.counters():
            self._counts.append((place, place.get()))
            place.put(0)

    def _let(self, place: Place, new: Any) -> None:
        self._put.append((place, place.get(), new))
        place.put(new)

    def _restore(self) -> None:
        while self._put:
            place, old, new = self._put.pop()
            if place.get() is new:
                place.put(old)
        while self._counts:
            place, old = self._counts.pop()
            place.put(old)
        clocks.leave()
        if self._state is not None:
            chance.leave(self._state)
        Stage._standing = None

    def run(self, main: Coroutine[Any, Any, _T]) -> _T:
        """Run a coroutine on the loop to its end. Raises what it raises, and `EscapedSimulation`
        where something tried to escape, even if the code under test swallowed that: what it raises
        then (a verdict) may only be what came of it."""
        try:
            result = self.loop.run_until_complete(main)
        except Exception as error:
            if self._escaped and error not in self._escaped:
                raise self._escaped[0] from error
            raise
        if self._escaped:
            raise self._escaped[0]
        return result

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        del kind, traceback
        try:
            self.loop.limit = self.loop.now + _ENDING
            self._end_tasks()
        except SimulationStuck:
            if error is None:  # else that one says why, and this is what became of it
                raise
        finally:
            self._restore()
            self.loop.close()

    def _end_tasks(self) -> None:
        """What `asyncio.run` does after its main coroutine."""
        left = asyncio.all_tasks(self.loop)
        for task in left:
            task.cancel()
        if left:
            self.loop.run_until_complete(asyncio.gather(*left, return_exceptions=True))
        for transport in self.loop.network.connections():
            transport.abort()  # as the end of a process ends its connections
        self.loop.run_until_complete(self.loop.shutdown_asyncgens())
        self.loop.run_until_complete(asyncio.sleep(0))


def _refuse_nesting(standing: Stage | None) -> None:
    if standing is not None:
        raise UsageError("a simulation cannot run inside of another one.")
    if asyncio._get_running_loop() is not None:  # noqa: SLF001 - the public one raises
        raise UsageError(
            "a simulation brings its own event loop: call simulate() from a plain function, not "
            "from a coroutine."
        )


def _as_held(place: Place, original: Any, table: dict[int, tuple[Any, Any]]) -> Any:
    """The replacement, as it is to stand there. A function of C in a class is no method; ours would
    be one, were it not static."""
    if isinstance(original, staticmethod):
        return staticmethod(table[id(original.__func__)][1])
    new = table[id(original)][1]
    in_class = isinstance(place.owner, type) and isinstance(new, FunctionType)
    return staticmethod(new) if in_class else new
