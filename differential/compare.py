"""Where two brokers said something different in the same conversation."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from differential.conversation import Conversation
from differential.players import Answer


class Difference(NamedTuple):
    """`path` leads to what differs in the answer to one step; "" is the whole answer."""

    number: int
    api: str
    version: int
    path: str
    embedded: Any
    kafka: Any

    def kind(self) -> str:
        """What tells one cause from another: not the version, not the place in a list."""
        return f"{self.api} {self.path}: {_short(self.embedded)} / {_short(self.kafka)}"

    def __str__(self) -> str:
        return (
            f"step {self.number}, {self.api} v{self.version} {self.path}: embedded "
            f"{_short(self.embedded)}, Kafka {_short(self.kafka)}"
        )


def first(
    conversation: Conversation, embedded: Sequence[Answer], kafka: Sequence[Answer]
) -> Difference | None:
    """The first difference: later ones may follow from it."""
    return next(differences(conversation, embedded, kafka), None)


def differences(
    conversation: Conversation, embedded: Sequence[Answer], kafka: Sequence[Answer]
) -> Iterator[Difference]:
    """All of them, in the order of the steps."""
    for number, (step, ours, theirs) in enumerate(
        zip(conversation.steps, embedded, kafka, strict=True)
    ):
        for path, mine, other in _unlike(ours.what, theirs.what, ""):
            yield Difference(number, step.api, step.version, path, mine, other)


def _unlike(mine: Any, other: Any, path: str) -> Iterator[tuple[str, Any, Any]]:
    if isinstance(mine, dict) and isinstance(other, dict) and mine.keys() == other.keys():
        for name in mine:
            yield from _unlike(mine[name], other[name], f"{path}.{name}")
    elif isinstance(mine, list) and isinstance(other, list) and len(mine) == len(other):
        for one, two in zip(mine, other, strict=True):
            yield from _unlike(one, two, f"{path}[]")
    elif mine != other:
        yield path, mine, other


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 90 else text[:87] + "..."
