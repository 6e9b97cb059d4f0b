"""One shape of a service: how it is set up, what it is asked, what a run of it answered."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pytest_mqchaos import Plan
from pytest_mqchaos.chaos.session import Chaos
from pytest_mqchaos.checkers.verdict import Verdict
from pytest_mqchaos.plan.profiles import profile
from tests.shapes.services import processes
from tests.shapes.services.world import World

PROFILES = (
    "lost-confirm", "refused-publish", "duplicate-publish", "redelivery", "crash-before-ack",
    "crash-after-ack", "lost-ack", "lost-publish", "delayed-delivery", "slow-confirm", "rebalance",
)  # fmt: skip
NO_FAULT = "no fault"
NO_ACKS = ("redelivery", "crash-before-ack", "crash-after-ack", "lost-ack", "rebalance")
Asked = tuple[str, Mapping[str, Any]]


def order(number: int, **more: Any) -> dict[str, Any]:
    """One order as a message; orders of one customer have one key."""
    body = json.dumps({"id": f"o{number}", **more})
    return {"key": f"k{number % 2}", "value": body}


ORDERS = tuple(order(n) for n in range(1, 6))
LOSSLESS: Asked = ("lossless", {})
IDEMPOTENT: Asked = ("idempotent", {})
ORDERED: Asked = ("ordered", {"by": "key"})
EXACTLY_ONCE: Asked = ("exactly_once", {})
ACKED_AFTER: Asked = ("acked_after_effect", {})
ALL = (LOSSLESS, IDEMPOTENT, ORDERED, EXACTLY_ONCE, ACKED_AFTER)


def one_topic(chaos: Chaos, world: World) -> None:
    chaos.topic("orders", partitions=world.partitions)


def five_orders(chaos: Chaos, world: World) -> None:
    chaos.publish("orders", world.orders)


@dataclass(frozen=True, slots=True, kw_only=True)
class Caught:
    """The planted bug: `question` fails under `under` (a profile, or a plan of its own), and a
    finding says `what`, and `where` if given, of `about` (any message if not given)."""

    broken: Any
    under: str | Plan
    question: str
    what: str
    where: str = ""
    about: str = ""
    by: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """A program of its own: `argv(chaos, world)` starts it, `__name__` is how it is called here."""

    __name__: str
    argv: Callable[[Chaos, World], list[Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """`cannot` are the profiles whose rule cannot fire here; `unknown` maps (profile, question) to
    a part of the sentence that must explain why the answer cannot be known."""

    name: str
    service: Any
    caught: tuple[Caught, ...]
    asks: tuple[Asked, ...] = ALL
    prepare: Callable[[Chaos, World], None] = one_topic
    publish: Callable[[Chaos, World], None] = five_orders
    id: Any = "json:/id"
    fails: tuple[str, ...] = ()
    cannot: tuple[str, ...] = ()
    seldom: tuple[str, ...] = ()  # slow for this client: only in the full matrix
    unknown: Mapping[tuple[str, str], str] = field(default_factory=dict)
    settle: Mapping[str, Any] = field(default_factory=dict)
    workers: Mapping[str, Any] = field(default_factory=dict)
    before: bool = False  # publish before the worker starts, too
    scales: bool = False  # as correct with two workers in the group


def plan_of(name: str) -> Plan:
    """A profile's plan, or the plan without any rule."""
    return Plan() if name == NO_FAULT else profile(name, "kafka")


def run(
    host: Any, shape: Shape, service: Any, plan: Plan, *, orders: Sequence[Any] = ORDERS,
    partitions: int = 1, workers: Mapping[str, Any] | None = None,
    watch: Callable[[Chaos, dict[str, Verdict]], None] = lambda chaos, verdicts: None,
) -> dict[str, Verdict]:  # fmt: skip
    """One run, from the first topic to the verdicts, which `watch` sees before its end. `orders`
    and `partitions` are for shapes that do not say otherwise, `workers` goes before their own."""
    with host.chaos(plan, id=shape.id, own_assertions=True) as chaos:
        world = World(chaos.effects, fails=shape.fails, orders=orders, partitions=partitions)
        shape.prepare(chaos, world)
        if shape.before:
            chaos.publish("orders", world.orders[:3])
        hired = {**shape.workers, **(workers or {})}
        with chaos.worker(*_work(service, chaos, world), **hired) as world.worker:
            shape.publish(chaos, world)
            chaos.settle(**shape.settle)
        verdicts = {q: chaos.check(q, **options) for q, options in shape.asks}
        watch(chaos, verdicts)
        return verdicts


def _work(service: Any, chaos: Chaos, world: World) -> tuple[Any, ...]:
    """What is run: a function with its world, in a process with its database, or a program."""
    if isinstance(service, str):
        return ([sys.executable, processes.__file__, chaos.bootstrap_servers, service],)
    if isinstance(service, Program):
        return (service.argv(chaos, world),)
    if world.path:
        return service, chaos.bootstrap_servers, world.path
    return service, chaos.bootstrap_servers, world


def told(verdict: Verdict) -> str:
    """A verdict for the message of a failed assertion."""
    shown = "; ".join(f"{f.id} {f.what} ({f.where}) {f.text}" for f in verdict.findings)
    return f"{verdict.question} {verdict.status}: {verdict.sentence} [{shown}]"
