"""What a client alone costs: a run's broker answers are recorded once, then played back to it.

    with taped() as tape:          the real thing, in virtual time
        simulate(scenario)
    alone(tape, scenario)          the same client code, the same answers at the same instants, from
                                   nobody: no cluster, link, history, question or verdict

It knows bytes, connections and instants; it must never know what was said. What is left is the
client, asyncio and the bare loop and network: the floor that no work of ours gets below.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from typing import Any

from pytest_mqchaos.simulation import network
from pytest_mqchaos.simulation.stage import Stage
from pytest_mqchaos.simulation.wire import Peer, Wire

AT_ONCE = 100_000  # ns between a request and its answer that are turns of the loop, not a wait


@dataclass(slots=True)
class Said:
    """One answer: how many bytes had come before it, how long after the last of them (ns)."""

    after: int
    delay: int
    data: bytes


@dataclass(slots=True)
class Tape:
    """Connections in the order of their making, by the port that was asked for."""

    ports: list[int] = field(default_factory=list)
    said: list[list[Said]] = field(default_factory=list)


@contextmanager
def taped() -> Iterator[Tape]:
    """Everything that served sides say to clients while this lasts."""
    tape = Tape()

    class Recorded(Wire):
        """A wire that notes what is sent."""

        __slots__ = ("_came", "_last", "_said", "_turns")

        def __init__(self, *channels: Any, **words: Any) -> None:
            super().__init__(*channels, **words)
            self._came, self._said = 0, []
            self._turns: Any = words["call_soon"].__self__
            self._last = self._turns.now
            tape.ports.append(self.server[1])
            tape.said.append(self._said)

        def send(self, data: bytes) -> None:
            self._said.append(Said(self._came, self._turns.now - self._last, data))
            super().send(data)

        def taken(self, data: bytes) -> None:
            self._came, self._last = self._came + len(data), self._turns.now
            super().taken(data)

    network.Wire = Recorded  # type: ignore[misc]
    try:
        yield tape
    finally:
        network.Wire = Wire  # type: ignore[misc]


class _Echo(Peer):
    """Says what was said, when it was said."""

    def __init__(self, wire: Wire, said: list[Said], loop: Any) -> None:
        self._wire, self._left, self._loop = wire, iter(said), loop
        self._came = 0
        self._next = next(self._left, None)

    def received(self, data: bytes) -> None:
        self._came += len(data)
        self._play()

    def _play(self) -> None:
        while (said := self._next) is not None and said.after <= self._came:
            self._next = next(self._left, None)
            if said.delay <= AT_ONCE:
                self._wire.send(said.data)
            else:
                self._loop.at(self._loop.now + said.delay, self._wire.send, said.data)

    def ended(self) -> None:
        self._wire.close()

    def lost(self) -> None:
        self._wire.close()


class Nobody:
    """What a scenario does with its Chaos, without one: effects are counted, nothing is judged."""

    def __init__(self, ports: list[int], wanted: int) -> None:
        """`ports`: the test's own, then that of its worker if it has one."""
        self.bootstrap_servers, *rest = [f"127.0.0.1:{port}" for port in ports]
        self._workers = dict.fromkeys([self.bootstrap_servers], *rest)
        self.effects = self
        self._wanted = wanted
        self._all = asyncio.Event()

    def topic(self, name: str) -> None: ...

    def assert_no_copies(self) -> None: ...

    def assert_lossless(self) -> None: ...

    def record(self, _value: str) -> None:
        """An effect."""
        self._wanted -= 1
        if not self._wanted:
            self._all.set()

    async def settle_async(self) -> None:
        """All effects are there."""
        await self._all.wait()
        await asyncio.sleep(0.25)  # what is on its way arrives, as where it is waited for

    @asynccontextmanager
    async def worker(
        self, work: Callable[..., Awaitable[None]], *given: Any
    ) -> AsyncIterator[None]:
        """A task, on a link of its own."""
        task = asyncio.ensure_future(
            work(*(self._workers[one] if isinstance(one, str) else one for one in given))
        )
        yield
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def alone(tape: Tape, scenario: Callable[[Any], Awaitable[None]], *, effects: int) -> None:
    """One run of the client code with nobody behind it."""

    async def main(loop: Any) -> None:
        left = {port: [s for p, s in zip(tape.ports, tape.said, strict=True) if p == port]
                for port in tape.ports}  # fmt: skip
        for port, said in left.items():
            loop.network.listen(lambda wire, said=said: _Echo(wire, said.pop(0), loop), port=port)
        await scenario(Nobody(sorted(left), effects))

    with Stage(seed=0) as stage:
        stage.run(main(stage.loop))
