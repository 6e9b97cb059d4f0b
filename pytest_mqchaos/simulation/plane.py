"""The data plane of a simulation: the same parts, in this process, on the virtual loop.

It knows when each part has its say; it must never know frames or rules. Everything happens within
one thread and one instant of virtual time, in an order that is the same in every run.

    clients ==network==> links --> dataplane's connections --> embedded cluster
    Chaos --request--> commands --> engine --asks--> Chaos
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable, Callable, Mapping
from contextvars import copy_context
from typing import Any, NoReturn

from pytest_mqchaos.dataplane import commands, failures
from pytest_mqchaos.dataplane.ends import ClusterEnd
from pytest_mqchaos.dataplane.loop import SECOND
from pytest_mqchaos.dataplane.parts import DEFAULTS, Engine, load
from pytest_mqchaos.dataplane.traffic import DIRECT, Traffic
from pytest_mqchaos.errors import UsageError, WaitTimeout
from pytest_mqchaos.simulation.instants import Instants
from pytest_mqchaos.simulation.links import WireEnd
from pytest_mqchaos.simulation.loop import VirtualLoop
from pytest_mqchaos.simulation.places import VirtualListeners, VirtualNodes
from pytest_mqchaos.simulation.reply import Reply
from pytest_mqchaos.simulation.tape import MemoryTape
from pytest_mqchaos.simulation.wire import Wire

DEEDS = frozenset({"cluster", "fault"})  # commands that reach brokers past the links
# API keys of requests that only look: Fetch, ListOffsets, Metadata, OffsetFetch, FindCoordinator,
# DescribeGroups, ListGroups, ApiVersions, ConsumerGroupDescribe.
READS = frozenset(key.to_bytes(2, "big") for key in (1, 2, 3, 9, 10, 15, 16, 18, 69))
OnAsk = Callable[[str, dict[str, Any]], object]


class _Timing:
    """Time as the data plane's parts want it."""

    def __init__(self, loop: VirtualLoop, clock: Instants, turn: Callable[[], None]) -> None:
        self._loop = loop
        self._turn = turn
        self.clock = clock

    def after(self, seconds: float, call: Callable[[], None]) -> asyncio.TimerHandle:
        def due() -> None:
            call()
            self._turn()

        return self._loop.at(self._loop.now + int(seconds * SECOND), due)


class VirtualPlane:
    """The face of `dataplane.controller.DataPlane`, and the shell behind it. Use it on its loop."""

    died: str | None = None

    def __init__(self, loop: VirtualLoop, *, parts: Mapping[str, str] | None = None) -> None:
        self.parts: Mapping[str, str] = {**DEFAULTS, **(parts or {})}
        self.troubles: list[str] = []
        self.told: set[str] = set()
        self.clock = Instants(loop)
        self.recorder = MemoryTape()
        timing = _Timing(loop, self.clock, self.turn)
        self.upstreams = VirtualNodes(timing)
        self.traffic = Traffic(timing, self.upstreams, self.engine, self.trouble)
        self.listeners = VirtualListeners(loop.network, self._arrived)
        self._loop = loop
        self._context = copy_context()  # of nobody's task: what we start is nobody's but ours
        self._engine: Engine | None = None
        self._on_ask: OnAsk | None = None
        self._on_trouble: Callable[[str], None] | None = None
        self._answering: set[asyncio.Task[None]] = set()
        self._turning = self._again = False
        self._deeds = 0
        self._unseen = False
        self._alarm: asyncio.TimerHandle | None = None
        self._alarm_at = -1

    @property
    def history(self) -> int:
        """The length of the history."""
        return self.recorder.written

    # ------------------------------------------------------------ talk

    def request(self, do: str, *, timeout: float = 10.0, **args: Any) -> Any:
        """Have a command carried out and give what it answers, at once. Raises as `DataPlane`'s."""
        del timeout
        self._deeds += do in DEEDS
        said = commands.run(self, {"id": 0, "do": do, **args})
        self.turn()
        if "error" in said:
            raise failures.raised(said)
        return said["ok"]

    def address(self, owner: str, node: int, port: int = 0) -> tuple[str, int]:
        """The listener of `owner` for broker `node`."""
        host, number = self.request("listen", owner=owner, node=node, port=port)["address"]
        return host, number

    def flush(self) -> int:
        """The length of the history."""
        return self.recorder.written

    def on_ask(self, callback: OnAsk) -> None:
        """Call `callback(what, arguments)` for each question, as soon as it is asked; it may give
        its answer, or an awaitable of it."""
        self._on_ask = callback

    def on_trouble(self, callback: Callable[[str], None]) -> None:
        """Call `callback(text)` for everything that goes wrong."""
        self._on_trouble = callback

    # ------------------------------------------------------------ a shell, for commands and parts

    def engine(self) -> Engine:
        """The engine; made, and its codec loaded, on first use."""
        if self._engine is None:
            self._engine = load(self.parts["engine"])(
                codec=load(self.parts["codec"])(),
                sink=self.recorder.append,
                address=self._address_of,
            )
        return self._engine

    def _address_of(self, owner: str, node: int, host: str, port: int) -> tuple[str, int]:
        self.upstreams.learn(node, host, port)
        return self.listeners.address(owner, node)

    def trouble(self, text: str) -> None:
        """Tell what went wrong; each text once a run."""
        if text not in self.told:
            self.told.add(text)
            self.troubles.append(text)
            if self._on_trouble is not None:
                self._on_trouble(text)

    def stop(self) -> NoReturn:
        """A command of the process that there is none of here."""
        raise UsageError("a simulation's data plane ends with its loop")

    def _arrived(self, wire: Wire, owner: str, node: int) -> WireEnd:
        self._unseen = self._unseen or owner == DIRECT
        end = WireEnd(wire, self._loop.call_soon, self.turn)
        self.traffic.accepted(end, owner, node)
        self.turn()
        return end

    # ------------------------------------------------------------ the turn

    def turn(self) -> None:
        """Let everybody have their say, until nobody has anything more to say at this instant."""
        self._again = True
        if self._turning:
            return
        self._turning = True
        try:
            while self._again:
                self._again = False
                self._say()
        except Exception as error:  # noqa: BLE001 - told; the run counts for nothing then
            self.trouble(f"the data plane failed: {type(error).__name__}: {error}")
        finally:
            self._turning = False
        self._wake_in_time()

    def _say(self) -> None:
        cluster, now = self.upstreams.cluster, self.clock()
        wake = cluster.next_wake() if cluster is not None else None
        self._deeds += wake is not None and wake <= now
        self.traffic.turn(self._engine, now)
        engine = self._engine
        if engine is None or not engine.asks:
            return
        asks, engine.asks[:] = list(engine.asks), []
        for ask in asks:
            self._asked(ask["ask"], ask["what"], ask.get("arguments", {}))

    def _wake_in_time(self) -> None:
        wake = None
        for part in (self._engine, self.upstreams.cluster):
            instant = part.next_wake() if part is not None else None
            if instant is not None and (wake is None or instant < wake):
                wake = instant
        if wake is None or wake == self._alarm_at:
            return
        if self._alarm is not None:
            self._alarm.cancel()
        self._alarm_at = wake
        self._alarm = self._loop.at(max(wake, self._loop.now), self._woken)

    def _woken(self) -> None:
        self._alarm, self._alarm_at = None, -1
        self.turn()

    # ------------------------------------------------------------ questions

    def _asked(self, number: int, what: str, arguments: dict[str, Any]) -> None:
        value: object = None
        try:
            if self._on_ask is None:
                self.trouble(f"nobody answers the data plane's {what!r}")
            else:
                value = self._context.run(self._on_ask, what, arguments)
        except Exception as error:  # noqa: BLE001 - told; the frame that waits may not hang
            self.trouble(f"{what} failed: {type(error).__name__}: {error}")
        if inspect.isawaitable(value):
            task = self._loop.create_task(
                self._answer_later(number, what, value), context=self._context
            )
            self._answering.add(task)
            task.add_done_callback(self._answering.discard)
        else:
            self._answer(number, value)

    async def _answer_later(self, number: int, what: str, value: Awaitable[object]) -> None:
        answer: object = None
        try:
            answer = await value
        except Exception as error:  # noqa: BLE001 - as above
            self.trouble(f"{what} failed: {type(error).__name__}: {error}")
        self._answer(number, answer)

    def _answer(self, number: int, value: object) -> None:
        self.engine().answer(number, value, self.clock())
        self.turn()

    # ------------------------------------------------------------ reading back

    def state(self) -> tuple[int, int]:
        """Another one whenever the brokers may have changed: something was said on a link, a timer
        of theirs was due, something was done to them. What is said to them past every link is not
        on record."""
        self._deeds += self._unseen
        return self.recorder.written, self._deeds

    def ask(self, port: int, frame: bytes) -> bytes:
        """One frame to the broker behind a direct listener, one reply, while time stands still.
        Raises `ConnectionRefusedError` where none is, `WaitTimeout` where none answers now."""
        node = self.listeners.nodes_at(port)
        if node is None:
            raise ConnectionRefusedError(f"no broker is at port {port}")
        self._deeds += frame[4:6] not in READS
        end, reply = self.upstreams.end(node, _unheard), Reply()
        assert isinstance(end, ClusterEnd)
        self.traffic.seat(end, reply)
        end.send(frame)
        self.traffic.serve(self.clock())
        self.traffic.unseat(end)
        end.close()
        self.turn()
        if not reply.whole():
            raise WaitTimeout(
                f"node {node} does not answer at once, and virtual time stands still meanwhile"
            )
        return bytes(reply.data)


def _unheard(mask: int) -> None:
    """Nothing is ever ready at a broker in this process: it hands over."""
