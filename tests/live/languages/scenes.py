"""What a service of another language is put through: one scene is one run and what has to come of
it. It knows questions, rules and sentences; it must never know a language.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pytest_mqchaos import Plan, on
from pytest_mqchaos.chaos.host import ChaosBroker
from pytest_mqchaos.chaos.session import Chaos
from pytest_mqchaos.plan.profiles import profile
from tests.live.languages.services import Service

LONG = 120.0  # seconds for what is awaited without a question
REPEATED = "took effect more than once: delivered 2x"
LOST = "lost: delivered, no effect, acked"
RIGHT = {"lossless": "", "idempotent": "", "acked_after_effect": ""}


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """`mode`: how the service works; `under`: a profile, a plan or nothing. `asks`: question -> a
    part of the sentence with which it fails, "" if it passes."""

    name: str
    task: Callable[[Chaos, Service, Scene, Path], None]
    mode: str = ""
    under: str | Plan = ""
    asks: Mapping[str, str] = field(default_factory=lambda: RIGHT)
    workers: int = 1
    partitions: int = 1
    messages: int = 6
    several_nodes: bool = False  # embedded alone: the real Kafka here is one node

    @property
    def plan(self) -> Plan:
        """The rules."""
        if isinstance(self.under, Plan):
            return self.under
        return profile(self.under, "kafka") if self.under else Plan()


def consume(chaos: Chaos, service: Service, scene: Scene, place: Path) -> None:
    """The test publishes, the service does its work."""
    del place
    copies = {"replication": 3} if scene.several_nodes else {}
    chaos.topic("orders", partitions=scene.partitions, **copies)
    command = [*service.argv, "consume", "orders", "shipping", scene.mode, *service.more]
    with chaos.worker(command, count=scene.workers):
        chaos.publish("orders", [f"o{number}" for number in range(scene.messages)])
        chaos.settle()


def produce(chaos: Chaos, service: Service, scene: Scene, place: Path) -> None:
    """The service publishes; the records are its effects."""
    copies = {"replication": 3} if scene.several_nodes else {}
    chaos.topic("orders", **copies)
    chaos.flow(inputs=["orders"])
    chaos.effects.from_topic("orders")
    done = place / "done"
    command = [*service.argv, "produce", "orders", str(scene.messages), scene.mode, str(done)]
    with chaos.worker(command):
        chaos.wait_for(done.exists, timeout=LONG, what="all to be sent")
        chaos.settle()


def compressed(chaos: Chaos, service: Service, scene: Scene, place: Path) -> None:
    """The service publishes everything at once, in one compressed batch, and consumes it."""
    chaos.topic("orders")
    done = place / "done"
    sender = [*service.argv, "produce", "orders", str(scene.messages), scene.mode, str(done)]
    with chaos.worker(sender, name="sender"):
        chaos.wait_for(done.exists, timeout=LONG, what="all to be sent")
        with chaos.worker([*service.argv, "consume", "orders", "shipping", "once"]):
            chaos.settle()
    seen = {attempt.id for attempt in chaos.history.attempts}
    assert seen == {f"p{number}" for number in range(scene.messages)}, seen


def transform(chaos: Chaos, service: Service, scene: Scene, place: Path) -> None:
    """Read, write, commit, in one transaction."""
    del place
    chaos.topic("in")
    chaos.topic("out")
    chaos.effects.from_topic("out")
    with chaos.worker([*service.argv, "transform", "in", "out", "shaping"]):
        chaos.publish("in", [f"o{number}" for number in range(scene.messages)])
        chaos.settle()


_IN_A_BATCH = Plan(on.deliver(id="p7").crash_worker())
_SENT = {"lossless": "", "no_copies": ""}
CONSUMERS = (
    Scene(name="group of two, 4 partitions", task=consume, mode="late", workers=2, partitions=4,
          messages=40, asks={"lossless": "", "acked_after_effect": ""}),
    *(Scene(name=f"work once: {under}", task=consume, mode="once", under=under)
      for under in ("crash-before-ack", "crash-after-ack", "redelivery", "lost-ack", "rebalance",
                    "delayed-delivery", "broker-kill")),
    Scene(name="work once: leader-kill, 3 nodes", task=consume, mode="once", under="leader-kill",
          several_nodes=True),
    Scene(name="*work twice: crash-before-ack*", task=consume, mode="late",
          under="crash-before-ack", asks={"lossless": "", "idempotent": REPEATED}),
    Scene(name="*commit first: crash-after-ack*", task=consume, mode="early",
          under="crash-after-ack", asks={"lossless": LOST}),
)  # fmt: skip
PRODUCERS = (
    *(Scene(name=f"idempotent producer: {under}", task=produce, mode="once", under=under,
            asks=_SENT)
      for under in ("lost-confirm", "lost-publish", "refused-publish")),
    Scene(name="idempotent producer: leader-kill, 3 nodes", task=produce, mode="once",
          under="leader-kill", asks=_SENT, several_nodes=True),
)  # fmt: skip
PLAIN = Scene(
    name="*plain producer: lost-confirm*", task=produce, mode="plain", under="lost-confirm",
    asks={"lossless": "", "no_copies": "in the broker more than once"},
)  # fmt: skip
TRANSFORMERS = tuple(
    Scene(name=f"transaction: {under or 'no fault'}", task=transform, under=under,
          asks={"exactly_once": ""})
    for under in ("", "crash-before-ack", "aborted-transaction", "lost-transaction-end")
)  # fmt: skip


def scenes_of(service: Service) -> Iterator[Scene]:
    """All that this client can be asked for."""
    for scene in CONSUMERS:
        if not (service.newer and scene.under == "rebalance"):
            yield scene
    if service.newer:
        return
    for mode in service.modes:
        yield Scene(name=f"client's own commits: {mode}", task=consume, mode=mode,
                    asks={"lossless": "", "acked_after_effect": ""})  # fmt: skip
    yield from PRODUCERS if service.idempotent else ()
    yield PLAIN
    for codec in service.codecs:
        yield Scene(name=f"batch of 20 in {codec}, killed at the 8th", task=compressed, mode=codec,
                    under=_IN_A_BATCH, messages=20)  # fmt: skip
    yield from TRANSFORMERS if service.transactions else ()


def perform(host: ChaosBroker, service: Service, scene: Scene, place: Path) -> str:
    """Run it; "" if everything came as it has to, else what did not."""
    found: dict[str, Any] = {}
    try:
        nodes = 3 if scene.several_nodes else None
        with host.chaos(scene.plan, nodes=nodes, id="value", own_assertions=True) as chaos:
            scene.task(chaos, service, scene, place)
            found = {question: chaos.check(question) for question in scene.asks}
    except Exception as error:  # noqa: BLE001 - a scene that broke is a cell of the table
        return f"{type(error).__name__}: {str(error).partition(chr(10))[0]}"
    wrong = [
        f"{question} {verdict.status}: {verdict.sentence}"
        for question, verdict in found.items()
        if verdict.status != ("failed" if scene.asks[question] else "passed")
        or scene.asks[question] not in verdict.sentence
    ]
    return "; ".join(wrong)
