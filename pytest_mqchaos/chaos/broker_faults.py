"""What rules do to brokers: which node is meant, the deed, and what undoes it.

It runs on the controller's thread while a frame waits. It knows abilities and roles of nodes; it
must never know a protocol or a rule.

    ask (target, places, group) --> node(s) --> Broker.kill / pause / ... --> note or refusal
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from pytest_mqchaos.brokers.base import (
    Broker,
    Healable,
    Killable,
    LeaderMovable,
    Partitionable,
    Pausable,
    Placed,
    PowerLosable,
    ReplicationHoldable,
    Restartable,
)
from pytest_mqchaos.chaos.pace import REAL, Cancelable, Pace
from pytest_mqchaos.chaos.waiting import until
from pytest_mqchaos.errors import MqchaosError, UsageError

Arguments = Mapping[str, Any]
Act = Callable[[int], None]
Note = Callable[..., object]
ENDING = 60.0  # seconds that the restart of a real broker may take
MEANWHILE = 10  # faults, each begun before the last one ended; more than these are cut short


class Cannot(Exception):
    """Why a process or a broker was left alone."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


class BrokerFaults:
    """What was done to one broker in one run. `trouble` is told what fails later, on a timer,
    `note(body=...)` puts what befell whom on record."""

    def __init__(
        self, broker: Broker, trouble: Callable[[str], None], pace: Pace = REAL,
        note: Note | None = None,
    ) -> None:  # fmt: skip
        self._broker = broker
        self._put = note
        self._trouble = trouble
        self._pace = pace
        self._timers: dict[int, Cancelable] = {}
        self._numbers = 0
        self.broken = False
        self._longest = 0.0  # seconds that the longest of what has an end of its own takes
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

    async def run_out(self) -> None:
        """Let what was to last for a time last that long, and what begins meanwhile, as many times
        as `MEANWHILE` says. WaitTimeout if an end does not come."""
        for _ in range(MEANWHILE):
            known = frozenset(self._timers)
            if not known:
                return
            await until(
                partial(known.isdisjoint, self._timers), timeout=self._longest + ENDING,
                what="the end of a broker fault", pace=self._pace,
            )  # fmt: skip

    def heal(self) -> None:
        """Mend whatever was broken."""
        for timer in self._timers.values():
            timer.cancel()
        self._timers.clear()
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
            raise Cannot(self._unable("killed"))
        return self._end(given, broker.kill, "killed")

    def _power_loss(self, given: Arguments) -> str:
        broker = self._broker
        if not isinstance(broker, PowerLosable):
            raise Cannot(self._unable("made to lose its power"))
        return self._end(given, broker.power_loss, "lost its power")

    def _end(self, given: Arguments, end: Act, done: str) -> str:
        nodes, who = self._nodes(given)
        self.broken = True
        self._each(nodes, end, done)
        self._later(given.get("restart_after"), lambda: self._start(nodes), "restart")
        return f"{who} {done}"

    def _start(self, nodes: list[int]) -> None:
        broker = self._broker
        if isinstance(broker, Restartable):
            self._each(nodes, broker.restart, "started again")

    def _pause(self, given: Arguments) -> str:
        broker = self._broker
        if not isinstance(broker, Pausable):
            raise Cannot(self._unable("paused"))
        nodes, who = self._nodes(given)
        self.broken = True
        self._each(nodes, broker.pause, "paused")
        resume = partial(self._each, nodes, broker.resume, "goes on")
        self._later(given.get("for_"), resume, "resume after pause")
        return f"{who} paused"

    def _restart(self, given: Arguments) -> str:
        broker = self._broker
        if not isinstance(broker, Restartable):
            raise Cannot(self._unable("restarted"))
        nodes, who = self._nodes(given)
        self.broken = True
        self._each(nodes, broker.restart, "stopped and started again")
        return f"{who} restarted"

    def _move_leader(self, given: Arguments) -> str:
        broker = self._broker
        if not isinstance(broker, LeaderMovable):
            raise Cannot(self._unable("told who leads"))
        to, told = given.get("to"), []
        for topic, partition in self._places(given, "leader"):
            before = self._leader(topic, partition)
            if before == to:
                raise Cannot(f"node {to} led {topic}-{partition} already")
            after = broker.move_leader(topic, partition, to)
            told.append(f"leader of {topic}-{partition}: node {before} -> node {after}")
        self.broken = True
        return ", ".join(told)

    def _partition(self, given: Arguments) -> str:
        broker = self._broker
        if not isinstance(broker, Partitionable):
            raise Cannot(self._unable("cut off from each other"))
        nodes, who = self._nodes(given)
        known = sorted(broker.addresses())
        if len(known) == 1:
            raise Cannot("there is one broker, and nobody that it could not hear")
        rest = [node for node in known if node not in nodes]
        self.broken = True
        broker.isolate([*([node] for node in nodes), *([rest] if rest else [])])
        for node in nodes:
            self._note(f"node {node}", f"cut off from {_named(rest) if rest else 'all others'}")

        def reunite() -> None:
            broker.reunite()
            self._note("brokers", "hear each other again")

        self._later(given.get("for_"), reunite, "reunion after a partition")
        return f"{who} cut off from {_named(rest) if rest else 'each other'}"

    def _hold(self, given: Arguments) -> str:
        broker = self._broker
        if not isinstance(broker, ReplicationHoldable):
            raise Cannot(self._unable("kept from replicating"))
        places = self._places(given, "leader")
        for topic, partition in places:
            self._followers(topic, partition)
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
        """Do it to whom it can be done to: nobody can pause what is paused. `Cannot` if to none."""
        refused = []
        for node in nodes:
            try:
                act(node)
            except UsageError as error:
                refused.append(str(error))
            else:
                self._note(f"node {node}", what)
        if len(refused) == len(nodes):
            raise Cannot("; ".join(refused))

    # ------------------------------------------------------------ which node

    def _nodes(self, given: Arguments) -> tuple[list[int], str]:
        """Which nodes a target means, and what to call them. With one node every name means it."""
        target, node = given.get("target", "leader"), int(given["node"])
        known = sorted(self._broker.addresses())
        if target == "all":
            return known, f"all brokers ({_named(known)})" if len(known) > 1 else f"node {known[0]}"
        if len(known) == 1 and not isinstance(target, int):
            return known, f"node {known[0]}"
        if isinstance(target, int):
            if target not in known:
                raise Cannot(f"there is no node {target}: there are {_named(known)}")
            return [target], f"node {target}"
        found, role = self._role(str(target), node, given)
        return [found], f"node {found}{role}"

    def _role(self, target: str, node: int, given: Arguments) -> tuple[int, str]:
        if target == "coordinator":
            return self._coordinator(node, given)
        if not given.get("places") and target == "leader":
            return node, ""  # a request without messages: whoever it goes to
        topic, partition = self._places(given, target)[0]
        if target == "leader":
            leader = self._leader(topic, partition)
            return (node if leader is None else leader), f", leader of {topic}-{partition},"
        return self._followers(topic, partition)[0], f", follower of {topic}-{partition},"

    def _coordinator(self, node: int, given: Arguments) -> tuple[int, str]:
        names = {"transaction": given.get("transactional_id"), "group": given.get("group")}
        kind, key = next(((kind, key) for kind, key in names.items() if key), ("", ""))
        if not kind:
            raise Cannot(
                "this frame names no group and no transaction, so nobody coordinates it: use it at "
                "on.ack(...) or at a request of a group such as on.control(api='Heartbeat')"
            )
        broker = self._broker
        found = broker.coordinator(kind, str(key)) if isinstance(broker, Placed) else node
        if found is None:
            raise Cannot(f"nobody coordinates the {kind} {key!r} just now")
        return found, f", coordinator of {kind} {key},"

    def _places(self, given: Arguments, role: str) -> list[tuple[str, int]]:
        places = [(str(topic), int(partition)) for topic, partition in given.get("places") or ()]
        if not places:
            raise Cannot(f"this frame names no partition that could have a {role}")
        return places

    def _leader(self, topic: str, partition: int) -> int | None:
        broker = self._broker
        return broker.leader(topic, partition) if isinstance(broker, Placed) else None

    def _followers(self, topic: str, partition: int) -> tuple[int, ...]:
        broker = self._broker
        found = broker.followers(topic, partition) if isinstance(broker, Placed) else ()
        if not found:
            raise Cannot(
                f"{topic}-{partition} has one replica, so there is no follower: create it with "
                "replication=2 or more"
            )
        return tuple(found)

    # ------------------------------------------------------------ later

    def _unable(self, what: str) -> str:
        return f"the {self._broker.kind} broker cannot be {what}: --mqchaos-broker=embedded can"

    def _later(self, seconds: float | None, act: Callable[[], None], what: str) -> None:
        if seconds is None:
            return
        self._numbers += 1
        number = self._numbers

        def run() -> None:
            try:
                act()
            except Cannot:
                pass  # it is up, or another fault has it now, which has an end of its own
            except MqchaosError as error:
                self._trouble(f"{what}: {error}")
            finally:
                self._timers.pop(number, None)

        self._longest = max(self._longest, seconds)
        self._timers[number] = self._pace.later(seconds, run)


def _named(nodes: list[int]) -> str:
    return f"node{'s' if len(nodes) > 1 else ''} {', '.join(map(str, nodes))}"
