"""What rules do to brokers: the deed, and what undoes it.

It runs on the controller's thread while a frame waits. It knows abilities of brokers (`targets`
knows which node is meant, `due` what comes later); it must never know a protocol or a rule.

    ask (target, places, group) --> node(s) --> Broker.kill / pause / ... --> note or refusal
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any, TypeVar

from pytest_mqchaos.brokers.base import (
    Broker,
    Healable,
    Killable,
    LeaderMovable,
    Partitionable,
    Pausable,
    PowerLosable,
    ReplicationHoldable,
    Restartable,
)
from pytest_mqchaos.chaos import targets
from pytest_mqchaos.chaos.due import Due
from pytest_mqchaos.chaos.pace import REAL, Pace
from pytest_mqchaos.errors import Impossible

Arguments = Mapping[str, Any]
Act = Callable[[int], None]
Note = Callable[..., object]
_Whom = TypeVar("_Whom")
_Said = TypeVar("_Said")


class BrokerFaults:
    """What was done to one broker in one run. `trouble` is told what fails later, on a timer,
    `note(body=...)` puts what befell whom on record."""

    def __init__(
        self, broker: Broker, trouble: Callable[[str], None], pace: Pace = REAL,
        note: Note | None = None,
    ) -> None:  # fmt: skip
        self._broker = broker
        self._put = note
        self.due = Due(trouble, pace)
        self.broken = False
        self.handlers: Mapping[str, Callable[[Arguments], str]] = {
            "kill_broker": self._kill,
            "pause_broker": self._pause,
            "restart_broker": self._restart,
            "power_loss": self._power_loss,
            "move_leader": self._move_leader,
            "partition": self._partition,
            "hold_replication": self._hold,
            "release_replication": self._release,
        }

    def heal(self) -> None:
        """Mend whatever was broken."""
        self.due.cancel()
        if self.broken and isinstance(self._broker, Healable):
            self._broker.heal()
            self._note("brokers", "healed")
            self.broken = False

    def _note(self, who: str, what: str) -> None:
        if self._put is not None:
            self._put(body={"note": "broker", "who": who, "what": what})

    # ------------------------------------------------------------ the deeds

    def _kill(self, given: Arguments) -> str:
        broker = self._broker
        if not isinstance(broker, Killable):
            raise Impossible(self._unable("killed"))
        return self._end(given, broker.kill, "killed")

    def _power_loss(self, given: Arguments) -> str:
        broker = self._broker
        if not isinstance(broker, PowerLosable):
            raise Impossible(self._unable("made to lose its power"))
        return self._end(given, broker.power_loss, "lost its power")

    def _end(self, given: Arguments, end: Act, done: str) -> str:
        nodes, who = targets.meant(self._broker, given)
        self.broken = True
        self._each(nodes, end, done)
        self.due.later(given.get("restart_after"), lambda: self._start(nodes), "restart")
        return f"{who} {done}"

    def _start(self, nodes: list[int]) -> None:
        broker = self._broker
        if isinstance(broker, Restartable):
            self._each(nodes, broker.restart, "started again")

    def _pause(self, given: Arguments) -> str:
        broker = self._broker
        if not isinstance(broker, Pausable):
            raise Impossible(self._unable("paused"))
        nodes, who = targets.meant(broker, given)
        self.broken = True
        self._each(nodes, broker.pause, "paused")
        resume = partial(self._each, nodes, broker.resume, "goes on")
        self.due.later(given.get("for_"), resume, "resume after pause")
        return f"{who} paused"

    def _restart(self, given: Arguments) -> str:
        broker = self._broker
        if not isinstance(broker, Restartable):
            raise Impossible(self._unable("restarted"))
        nodes, who = targets.meant(broker, given)
        self.broken = True
        self._each(nodes, broker.restart, "stopped and started again")
        return f"{who} restarted"

    def _move_leader(self, given: Arguments) -> str:
        broker = self._broker
        if not isinstance(broker, LeaderMovable):
            raise Impossible(self._unable("told who leads"))
        to = given.get("to")

        def move(place: tuple[str, int]) -> str:
            before = targets.leader(broker, *place)
            name = f"{place[0]}-{place[1]}"
            if before == to:
                raise Impossible(f"node {to} led {name} already")
            return f"leader of {name}: node {before} -> node {broker.move_leader(*place, to)}"

        told = _wherever(targets.places(given, "leader"), move)
        self.broken = True
        return ", ".join(told)

    def _partition(self, given: Arguments) -> str:
        broker = self._broker
        if not isinstance(broker, Partitionable):
            raise Impossible(self._unable("cut off from each other"))
        nodes, who = targets.meant(broker, given)
        known = sorted(broker.addresses())
        if len(known) == 1:
            raise Impossible("there is one broker, and nobody that it could not hear")
        rest = [node for node in known if node not in nodes]
        self.broken = True
        broker.isolate([*([node] for node in nodes), *([rest] if rest else [])])
        for node in nodes:
            self._note(
                f"node {node}", f"cut off from {targets.named(rest) if rest else 'all others'}"
            )

        def reunite() -> None:
            broker.reunite()
            self._note("brokers", "hear each other again")

        self.due.later(given.get("for_"), reunite, "reunion after a partition")
        return f"{who} cut off from {targets.named(rest) if rest else 'each other'}"

    def _hold(self, given: Arguments) -> str:
        broker = self._broker
        if not isinstance(broker, ReplicationHoldable):
            raise Impossible(self._unable("kept from replicating"))
        places = targets.places(given, "leader")
        for topic, partition in places:
            targets.followers(broker, topic, partition)
        self.broken = True
        for topic, partition in places:
            broker.hold_replication(topic, partition)
            self._note(f"{topic}-{partition}", "no follower copies it any more")
        return "replication held"

    def _release(self, given: Arguments) -> str:
        del given
        if isinstance(self._broker, ReplicationHoldable):
            self._broker.release_replication()
        return "replication goes on"

    def _each(self, nodes: list[int], act: Act, what: str) -> None:
        """Do it to whom it can be done to: nobody can pause what is paused."""

        def one(node: int) -> None:
            act(node)
            self._note(f"node {node}", what)

        _wherever(nodes, one)

    def _unable(self, what: str) -> str:
        return f"the {self._broker.kind} broker cannot be {what}: --mqchaos-broker=embedded can"


def _wherever(whom: Iterable[_Whom], act: Callable[[_Whom], _Said]) -> list[_Said]:
    """What `act` gives for those with whom it is possible. `Impossible` if it is with none."""
    said, refused = [], []
    for one in whom:
        try:
            said.append(act(one))
        except Impossible as error:
            refused.append(str(error))
    if not said:
        raise Impossible("; ".join(refused))
    return said
