"""The process that moves the bytes: everything wired together, and its turn.

It knows when each part has its say; it must never know frames or rules.

    controller ==channel==> commands --> engine, upstreams, listeners
    clients <==connections==> brokers    engine --> asks, sides, history
"""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Mapping
from typing import Any

from pytest_mqchaos.dataplane import commands
from pytest_mqchaos.dataplane.channel import Channel
from pytest_mqchaos.dataplane.listeners import Listeners
from pytest_mqchaos.dataplane.loop import SECOND, Loop
from pytest_mqchaos.dataplane.parts import DEFAULTS, Engine, load
from pytest_mqchaos.dataplane.recorder import Recorder
from pytest_mqchaos.dataplane.traffic import Traffic
from pytest_mqchaos.dataplane.upstreams import Upstreams

IDLE = 0.02  # seconds without any event after which waiting history is written
LOOK = 1.0  # seconds between two looks whether the test process still lives
TOLD = 1000  # different troubles that are remembered (each is told once)


class Shell:
    """`control` is the channel to the test process; `parts` may name other parts than `DEFAULTS`,
    `host` is where listeners bind."""

    def __init__(
        self,
        control: socket.socket,
        *,
        parts: Mapping[str, str] | None = None,
        host: str = "127.0.0.1",
    ) -> None:
        self.parts: Mapping[str, str] = {**DEFAULTS, **(parts or {})}
        self.loop = Loop()
        self.clock = self.loop.clock
        self.recorder = Recorder(self.trouble)
        self.upstreams = Upstreams(self.loop)
        self.traffic = Traffic(self.loop, self.upstreams, self.engine, self.trouble)
        self.listeners = Listeners(self.loop, host, self.traffic.accepted, self.trouble)
        self._engine: Engine | None = None
        self._stopped = False
        self.told: set[str] = set()  # troubles of this run
        self._parent = os.getppid()
        self._channel = Channel(control, self.loop, line=self._line, lost=self._lost)

    # ------------------------------------------------------------ parts

    def engine(self) -> Engine:
        """The engine; made, and its codec loaded, on first use."""
        if self._engine is None:
            self._engine = load(self.parts["engine"])(
                codec=load(self.parts["codec"])(),
                sink=self.recorder.append,
                address=self._address,
            )
        return self._engine

    def _address(self, owner: str, node: int, host: str, port: int) -> tuple[str, int]:
        """The owner's own listener for a broker that named itself in an answer."""
        self.upstreams.learn(node, host, port)
        return self.listeners.address(owner, node)

    # ------------------------------------------------------------ the controller

    def trouble(self, text: str) -> None:
        """Tell the controller what went wrong; each text once a run."""
        if text not in self.told and len(self.told) < TOLD:
            self.told.add(text)
            self._channel.write({"trouble": text})

    def _line(self, body: Any) -> None:
        if not isinstance(body, dict):
            self.trouble(f"a control line is no object: {str(body)[:80]}")
        elif "answer" in body:
            self.engine().answer(body["answer"], body.get("value"), self.clock())
        else:
            self._channel.write(commands.run(self, body))

    def _lost(self, why: str) -> None:
        """Nobody is left to work for."""
        print(f"data plane ends: {why}", file=sys.stderr, flush=True)  # noqa: T201 - its last words
        self.stop()

    # ------------------------------------------------------------ the turn

    def run(self) -> None:
        """Work until `stop`, then close everything."""
        self._channel.write({"ready": os.getpid()})
        try:
            while not self._stopped:
                self.turn()
        finally:
            self._close()

    def stop(self) -> None:
        """End after this turn."""
        self._stopped = True

    def turn(self) -> None:
        """Wait for something, let everybody have their say."""
        events = self.loop.wait(self._timeout())
        for ready, mask in events:
            try:
                ready(mask)
            except Exception as error:  # noqa: BLE001 - one failure may not stop all links
                self.trouble(f"the data plane failed: {type(error).__name__}: {error}")
        try:
            self._say()
        except Exception as error:  # noqa: BLE001 - as above
            self.trouble(f"the data plane failed: {type(error).__name__}: {error}")
        self.recorder.relieve()
        if not events:
            self.recorder.flush()
            if os.getppid() != self._parent:
                self._lost("the test process is gone")

    def _say(self) -> None:
        now = self.clock()
        if self.loop.timers:
            self.loop.due(now)
        engine = self._engine
        self.traffic.turn(engine, now)
        if engine is not None and engine.asks:
            history = self.recorder.flush()
            asks, engine.asks[:] = list(engine.asks), []
            for ask in asks:
                self._channel.write({**ask, "history": history})

    def _timeout(self) -> float:
        limit = IDLE if self.recorder.waiting else LOOK
        first = self.loop.next_timer() if self.loop.timers else None
        for part in (self._engine, self.upstreams.cluster):
            wake = part.next_wake() if part is not None else None
            if wake is not None and (first is None or wake < first):
                first = wake
        if first is None:
            return limit
        return max(0.0, min(limit, (first - self.clock()) / SECOND))

    def _close(self) -> None:
        self.listeners.close()
        self.traffic.close()
        self.recorder.close()
        self._channel.drain(1.0)
        self.loop.close()
