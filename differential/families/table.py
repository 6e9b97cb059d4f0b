"""Every family by its name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis.strategies import SearchStrategy

from differential.conversation import Conversation, Step
from differential.families import (
    configs,
    consumer_groups,
    groups,
    idempotence,
    log,
    topics,
    transactions,
)

FAMILIES: Mapping[str, Callable[[], SearchStrategy[Conversation]]] = {
    "log": log.conversations,
    "idempotence": idempotence.conversations,
    "offsets": groups.offsets,
    "groups": groups.conversations,
    "static": groups.static,
    "consumer-groups": consumer_groups.conversations,
    "configs": configs.conversations,
    "topics": topics.conversations,
    "transactions": transactions.conversations,
}


def generated(family: str, count: int, chance: int, nodes: int = 1) -> list[Conversation]:
    """So many conversations of a family; the same for the same `chance`."""
    found = _drawn(family, count, chance)
    return found if nodes == 1 else [_spread(conversation, nodes) for conversation in found]


def _spread(conversation: Conversation, nodes: int) -> Conversation:
    """The same on several nodes, every partition on all of them. What one node confirms alone is
    readable some time later: everything waits for all."""
    return replace(
        conversation,
        nodes=nodes,
        topics=[replace(topic, replication=nodes) for topic in conversation.topics],
        steps=[
            replace(step, values={**step.values, "acks": -1})
            if step.api == "Produce" and step.values["acks"] in (0, 1)
            else step
            for step in conversation.steps
            if not _by_chance(step)
        ],
    )


def _by_chance(step: Step) -> bool:
    """Whether two names have one coordinator: their hash differs from play to play."""
    if step.api in ("ListGroups", "ListTransactions"):
        return True
    return step.at == groups.AT and step.values.get("group_id", groups.G) != groups.G


def _drawn(family: str, count: int, chance: int) -> list[Conversation]:
    found: list[Conversation] = []

    @seed(chance)
    @settings(
        max_examples=count, database=None, phases=[Phase.generate], deadline=None,
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(FAMILIES[family]())
    def take(conversation: Conversation) -> None:
        found.append(conversation)

    take()
    return found[:count]
