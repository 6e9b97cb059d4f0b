"""How users say where and what: `on.confirm(topic="orders", nth=2).drop()`.

It turns words into a `Where` and a `Rule` and knows no protocol: whether the fault is legal at that
point is asked when the plan is armed.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any, Literal, TypedDict, Unpack

from pytest_mqchaos.errors import UnknownName, unknown
from pytest_mqchaos.faults import registry
from pytest_mqchaos.faults.base import Fault
from pytest_mqchaos.faults.crash_worker import CrashWorker
from pytest_mqchaos.faults.delay import Delay
from pytest_mqchaos.faults.drop import Drop
from pytest_mqchaos.faults.duplicate import Duplicate
from pytest_mqchaos.faults.expire import Expire
from pytest_mqchaos.faults.hang import Hang
from pytest_mqchaos.faults.kill_broker import KillBroker
from pytest_mqchaos.faults.move_leader import MoveLeader
from pytest_mqchaos.faults.partition import Partition
from pytest_mqchaos.faults.pause_broker import PauseBroker
from pytest_mqchaos.faults.power_loss import PowerLoss
from pytest_mqchaos.faults.rebalance import Rebalance
from pytest_mqchaos.faults.redeliver import Redeliver
from pytest_mqchaos.faults.refuse import Refuse
from pytest_mqchaos.faults.reorder import Reorder
from pytest_mqchaos.faults.restart_broker import RestartBroker
from pytest_mqchaos.faults.sever import Sever
from pytest_mqchaos.faults.target import Target
from pytest_mqchaos.frames import Point
from pytest_mqchaos.plan.jsonform import place_from
from pytest_mqchaos.plan.nth import Attempt, Nth
from pytest_mqchaos.plan.rules import Rule
from pytest_mqchaos.plan.when import Predicate
from pytest_mqchaos.plan.where import Where, source


class Flags(TypedDict, total=False):
    """What every fault takes. `optional`: it need not fire. `forge`: wanted though not legal."""

    optional: bool
    forge: bool


class Selectors(TypedDict, total=False):
    """What narrows a point; see `Where`. One of topic, queue, stream, subject."""

    topic: str | None
    queue: str | None
    stream: str | None
    subject: str | None
    key: str | bytes | None
    id: str | None
    partition: int | None
    client: str | None
    group: str | None
    api: str | None
    attempt: Attempt
    nth: Nth
    when: Predicate | None


@dataclass(frozen=True, slots=True, repr=False)
class At:
    """A place that waits for its fault: each method makes one `Rule`. Wrong arguments raise
    UsageError here; a fault that the protocol cannot do is refused when the rule is armed."""

    where: Where

    def _rule(self, fault: Fault, flags: Flags) -> Rule:
        for name in flags:
            if name not in Flags.__annotations__:
                allowed = [*(item.name for item in fields(fault)), *Flags.__annotations__]
                raise unknown(f"argument of .{fault.verb}()", name, allowed)
        return Rule(where=self.where, fault=fault, **flags)

    def drop(self, **flags: Unpack[Flags]) -> Rule:
        """The frame is lost."""
        return self._rule(Drop(), flags)

    def duplicate(self, **flags: Unpack[Flags]) -> Rule:
        """The frame arrives twice."""
        return self._rule(Duplicate(), flags)

    def delay(self, seconds: float, **flags: Unpack[Flags]) -> Rule:
        """The frame arrives `seconds` late."""
        return self._rule(Delay(seconds=seconds), flags)

    def reorder(self, window: int = 1, **flags: Unpack[Flags]) -> Rule:
        """The frame lands behind at least `window` later ones."""
        return self._rule(Reorder(window=window), flags)

    def refuse(self, error: str | int | None = None, **flags: Unpack[Flags]) -> Rule:
        """The request is answered with `error` (name, number, or None for the usual one)."""
        return self._rule(Refuse(error=error), flags)

    def sever(self, *, reset: bool = False, **flags: Unpack[Flags]) -> Rule:
        """The connection is cut, with a TCP reset if `reset`."""
        return self._rule(Sever(reset=reset), flags)

    def hang(self, for_: float | None = None, **flags: Unpack[Flags]) -> Rule:
        """The connection goes dark for `for_` seconds, or until the client gives up."""
        return self._rule(Hang(for_=for_), flags)

    def crash_worker(
        self,
        when: Literal["before", "after"] = "before",
        scope: Literal["child"] | None = None,
        **flags: Unpack[Flags],
    ) -> Rule:
        """The worker dies before the frame arrives, or after the broker answered it."""
        return self._rule(CrashWorker(when=when, scope=scope), flags)

    def redeliver(self, **flags: Unpack[Flags]) -> Rule:
        """The broker is made to hand the message out again."""
        return self._rule(Redeliver(), flags)

    def rebalance(self, **flags: Unpack[Flags]) -> Rule:
        """The group is made to divide its partitions again."""
        return self._rule(Rebalance(), flags)

    def expire(self, **flags: Unpack[Flags]) -> Rule:
        """The broker throws away all that it stores there, before the frame has been taken."""
        return self._rule(Expire(), flags)

    def kill_broker(
        self,
        target: Target = "leader",
        restart_after: float | None = None,
        *,
        unreplicated: bool = False,
        **flags: Unpack[Flags],
    ) -> Rule:
        """A broker dies at this frame; back after `restart_after` seconds or at the test's end.
        `unreplicated`: it dies with a message that it has taken and no follower has."""
        fault = KillBroker(target=target, restart_after=restart_after, unreplicated=unreplicated)
        return self._rule(fault, flags)

    def power_loss(
        self,
        target: Target = "leader",
        restart_after: float | None = None,
        **flags: Unpack[Flags],
    ) -> Rule:
        """A broker dies at this frame and loses what it had not flushed to its disk."""
        return self._rule(PowerLoss(target=target, restart_after=restart_after), flags)

    def move_leader(self, to: int | None = None, **flags: Unpack[Flags]) -> Rule:
        """Another broker, node `to` or the next in sync, takes the lead before the frame goes
        on."""
        return self._rule(MoveLeader(to=to), flags)

    def partition(
        self, target: Target = "leader", for_: float | None = None, **flags: Unpack[Flags]
    ) -> Rule:
        """A broker and all others do not hear each other, for `for_` seconds or until healed."""
        return self._rule(Partition(target=target, for_=for_), flags)

    def pause_broker(
        self, target: Target = "leader", for_: float | None = None, **flags: Unpack[Flags]
    ) -> Rule:
        """A broker stands still at this frame, for `for_` seconds or until it is healed."""
        return self._rule(PauseBroker(target=target, for_=for_), flags)

    def restart_broker(self, target: Target = "leader", **flags: Unpack[Flags]) -> Rule:
        """A broker is stopped at this frame, and started again before the frame goes on."""
        return self._rule(RestartBroker(target=target), flags)

    def __getattr__(self, name: str) -> object:
        if name.startswith("_"):
            raise AttributeError(name)
        raise UnknownName(str(unknown("fault", name, registry.FAULTS)))

    def __repr__(self) -> str:
        return source(self.where)

    def _repr_pretty_(self, printer: Any, _cycle: object) -> None:
        """For IPython and Hypothesis, which would spell out the fields."""
        printer.text(repr(self))


class _On:
    """Where rules come from: one method a point. Unknown selectors raise UsageError."""

    __slots__ = ()

    def publish(self, **selectors: Unpack[Selectors]) -> At:
        """A message on its way from a producer to the broker."""
        return At(place_from(selectors, Point.PUBLISH))

    def confirm(self, **selectors: Unpack[Selectors]) -> At:
        """The broker's answer to a publish."""
        return At(place_from(selectors, Point.CONFIRM))

    def deliver(self, **selectors: Unpack[Selectors]) -> At:
        """A message on its way from the broker to a consumer."""
        return At(place_from(selectors, Point.DELIVER))

    def ack(self, **selectors: Unpack[Selectors]) -> At:
        """A consumer's word that a message is done (a commit counts all it newly covers)."""
        return At(place_from(selectors, Point.ACK))

    def ack_confirm(self, **selectors: Unpack[Selectors]) -> At:
        """The broker's answer to an ack."""
        return At(place_from(selectors, Point.ACK_CONFIRM))

    def control(self, **selectors: Unpack[Selectors]) -> At:
        """Any other request, by its name: `on.control(api="Heartbeat")`."""
        return At(place_from(selectors, Point.CONTROL))

    def __getattr__(self, name: str) -> object:
        if name.startswith("_"):
            raise AttributeError(name)
        raise UnknownName(str(unknown("point", name, map(str, Point))))

    def __repr__(self) -> str:
        return "on"


on = _On()
