"""What the data plane asks the controller while a frame is held: crash this, kill that.

It runs on the controller's thread: no user code, no event loop, and an answer whatever happens
(`{"done": true}` or `{"refused": why}`), because a frame waits for it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from pytest_mqchaos.brokers.base import Broker, Healable, Killable, Pausable, Restartable
from pytest_mqchaos.errors import MqchaosError

if TYPE_CHECKING:
    from pytest_mqchaos.chaos.running import Crew

Answer = dict[str, object]
DONE: Answer = {"done": True}


class Questions:
    """Answers for one Chaos. `trouble` is told what went wrong beyond a refusal."""

    def __init__(self, *, crew: Crew, broker: Broker, trouble: Callable[[str], None]) -> None:
        self._crew = crew
        self._broker = broker
        self._trouble = trouble
        self._timers: list[threading.Timer] = []
        self.broken = False
        self.refusals: list[str] = []

    def __call__(self, what: str, arguments: Mapping[str, Any]) -> Answer:
        """The controller's callback."""
        handlers: dict[str, Callable[[Mapping[str, Any]], str | None]] = {
            "may_crash": lambda a: self._crew.may_crash(a["owner"]),
            "crash_worker": self._crash,
            "kill_broker": self._kill,
            "pause_broker": self._pause,
            "restart_broker": self._restart,
        }
        handler = handlers.get(what)
        try:
            refused = handler(arguments) if handler else f"{what!r} is not known here"
        except MqchaosError as error:
            self._trouble(f"{what}: {error}")
            refused = str(error)
        if refused is not None:
            self.refusals.append(refused)
            return {"refused": refused}
        return DONE

    def _crash(self, arguments: Mapping[str, Any]) -> str | None:
        child = arguments["port"] if arguments.get("scope") == "child" else None
        return self._crew.crash(arguments["owner"], "crashed by a rule", child_at=child)

    def _nodes(self, arguments: Mapping[str, Any]) -> list[int]:
        """Which nodes a target means. With one node every name means it."""
        target, node = arguments.get("target", "leader"), int(arguments["node"])
        known = sorted(self._broker.addresses())
        if target == "all" or len(known) == 1:
            return known
        return [target] if isinstance(target, int) else [node]

    def _later(self, seconds: float | None, act: Callable[[], None], what: str) -> None:
        if seconds is None:
            return

        def run() -> None:
            try:
                act()
            except MqchaosError as error:
                self._trouble(f"{what}: {error}")

        timer = threading.Timer(seconds, run)
        timer.daemon = True
        self._timers.append(timer)
        timer.start()

    def _kill(self, arguments: Mapping[str, Any]) -> str | None:
        broker = self._broker
        if not isinstance(broker, Killable):
            return f"the {broker.kind} broker cannot be killed: use --mqchaos-broker=process"
        self.broken = True
        for node in self._nodes(arguments):
            broker.kill(node)
        if isinstance(broker, Healable):
            self._later(arguments.get("restart_after"), broker.heal, "restart after kill")
        return None

    def _pause(self, arguments: Mapping[str, Any]) -> str | None:
        broker = self._broker
        if not isinstance(broker, Pausable):
            return f"the {broker.kind} broker cannot be paused: use --mqchaos-broker=process"
        self.broken = True
        nodes = self._nodes(arguments)
        for node in nodes:
            broker.pause(node)

        def resume() -> None:
            for node in nodes:
                broker.resume(node)

        self._later(arguments.get("for_"), resume, "resume after pause")
        return None

    def _restart(self, arguments: Mapping[str, Any]) -> str | None:
        broker = self._broker
        if not isinstance(broker, Restartable):
            return f"the {broker.kind} broker cannot be restarted: use --mqchaos-broker=process"
        self.broken = True
        for node in self._nodes(arguments):
            broker.restart(node)
        return None

    def heal(self) -> None:
        """Mend every broker that a rule broke."""
        for timer in self._timers:
            timer.cancel()
        self._timers.clear()
        if self.broken and isinstance(self._broker, Healable):
            self._broker.heal()
            self.broken = False
