"""Every family by its name."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis.strategies import SearchStrategy

from differential.conversation import Conversation
from differential.families import groups, idempotence, log, topics, transactions

FAMILIES: Mapping[str, Callable[[], SearchStrategy[Conversation]]] = {
    "log": log.conversations,
    "idempotence": idempotence.conversations,
    "offsets": groups.offsets,
    "groups": groups.conversations,
    "static": groups.static,
    "topics": topics.conversations,
    "transactions": transactions.conversations,
}


def generated(family: str, count: int, chance: int) -> list[Conversation]:
    """So many conversations of a family; the same for the same `chance`."""
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
