"""One armed rule: which messages it counts, and whether a frame is the one it waits for.

It knows selectors and counting; it must never know links, bytes or recipes.

Counted are *distinct messages*: by their ids, else by place and content. A retry or redelivery of a
counted message raises its `attempt`, not the count. A hit that another rule took first is *due*:
the next frame with that message is still this rule's.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from pytest_mqchaos.frames import Record, Sighting
from pytest_mqchaos.plan.match import matches
from pytest_mqchaos.plan.nth import attempted
from pytest_mqchaos.plan.nth import hits as meant
from pytest_mqchaos.plan.rules import Rule


class Candidate(NamedTuple):
    """One message that a frame carries, confirms or covers; `record` is None for a frame that is
    itself what is counted (control)."""

    record: Record | None
    ids: tuple[str, ...]
    identity: Hashable


@dataclass(slots=True, eq=False)
class Armed:
    """A rule and its counter, shared by all links."""

    index: int
    rule: Rule
    fired: int = 0
    reasons: list[str] = field(default_factory=list)
    firing: int = 0
    _numbers: dict[Hashable, int] = field(default_factory=dict)
    _attempts: dict[Hashable, int] = field(default_factory=dict)
    _due: set[Hashable] = field(default_factory=set)

    @property
    def matched(self) -> int:
        """How many distinct messages were counted."""
        return len(self._numbers)

    def hits(self, sighting: Sighting, candidates: Iterable[Candidate], owner: str) -> list[str]:
        """Count what the frame carries; the ids (or numbers) for which the rule wants to act."""
        where = self.rule.where
        wanted: list[str] = []
        for record, ids, identity in candidates:
            if not matches(where, record=record, ids=ids, sighting=sighting, owner=owner):
                continue
            number = self._numbers.setdefault(identity, len(self._numbers) + 1)
            attempt = self._attempts[identity] = self._attempts.get(identity, 0) + 1
            due = identity in self._due
            if due or (meant(where.nth, number) and attempted(where.attempt, attempt)):
                self._due.discard(identity)
                wanted.append(", ".join(ids) or f"#{number}")
        return wanted

    def postpone(self, candidates: Iterable[Candidate]) -> None:
        """The frame was not ours after all: act on the next one with these messages."""
        self._due.update(candidate.identity for candidate in candidates)

    def spent(self) -> bool:
        """It wanted one exact message and has acted on it."""
        return isinstance(self.rule.where.nth, int) and self.fired > 0 and not self._due
