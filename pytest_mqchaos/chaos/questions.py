"""What the data plane asks the controller while a frame is held: crash this, kill that.

It runs on the controller's thread: no user code, no event loop, and an answer whatever happens
(`{"done": true, "note": what}` or `{"refused": why}`), because a frame waits for it.
"""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any

from pytest_mqchaos.brokers.base import Broker
from pytest_mqchaos.chaos.broker_faults import BrokerFaults, Note
from pytest_mqchaos.chaos.pace import REAL, Maybe, Pace
from pytest_mqchaos.errors import Impossible, MqchaosError

if TYPE_CHECKING:
    from pytest_mqchaos.chaos.running import Crew

Answer = dict[str, object]
DONE: Answer = {"done": True}


class Questions:
    """Answers for one Chaos. `trouble` is told what went wrong beyond a refusal; `note(body=...)`
    puts what befell a broker on record."""

    def __init__(
        self, *, crew: Crew, broker: Broker, trouble: Callable[[str], None], pace: Pace = REAL,
        note: Note | None = None,
    ) -> None:  # fmt: skip
        self._crew = crew
        self._trouble = trouble
        self.brokers = BrokerFaults(broker, trouble, pace, note)
        self.refusals: list[str] = []

    def __call__(self, what: str, arguments: Mapping[str, Any]) -> Maybe[Answer]:
        """The controller's callback."""
        try:
            found = self._act(what, arguments)
        except Impossible as told:
            return self._refused(str(told))
        except MqchaosError as error:
            self._trouble(f"{what}: {error}")
            return self._refused(str(error))
        return found

    def _refused(self, why: str) -> Answer:
        self.refusals.append(why)
        return {"refused": why}

    def _act(self, what: str, arguments: Mapping[str, Any]) -> Maybe[Answer]:
        if what == "may_crash":
            return self._told(self._crew.may_crash(arguments["owner"], child_at=_child(arguments)))
        if what == "crash_worker":
            child = _child(arguments)
            death = self._crew.crash(arguments["owner"], "crashed by a rule", child_at=child)
            return self._dies(death) if inspect.isawaitable(death) else self._told(death)
        if what in self.brokers.handlers:
            return {**DONE, "note": self.brokers.handlers[what](arguments)}
        raise Impossible(f"{what!r} is not known here")

    async def _dies(self, death: Awaitable[str | None]) -> Answer:
        return self._told(await death)

    def _told(self, refused: str | None) -> Answer:
        return DONE if refused is None else self._refused(refused)

    def heal(self) -> None:
        """Mend every broker that a rule broke."""
        self.brokers.heal()


def _child(arguments: Mapping[str, Any]) -> int | None:
    """The port of the connection whose process alone is meant, None for a whole worker."""
    return arguments["port"] if arguments.get("scope") == "child" else None
