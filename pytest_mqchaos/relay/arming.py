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

    def wanted(
        self, sighting: Sighting, candidates: Iterable[Candidate], owner: str
    ) -> list[Candidate]:
        """Count what the frame carries; the messages for which the rule wants to act now."""
        where = self.rule.where
        found: list[Candidate] = []
        for candidate in candidates:
            record, ids, identity = candidate
            if not matches(where, record=record, ids=ids, sighting=sighting, owner=owner):
                continue
            number = self._numbers.setdefault(identity, len(self._numbers) + 1)
            due = _due_as(candidate)
            if due not in self._due:
                if not meant(where.nth, number):
                    continue
                attempt = self._attempts[identity] = self._attempts.get(identity, 0) + 1
                if not attempted(where.attempt, attempt):
                    continue
            self._due.discard(due)
            found.append(candidate)
        return found

    def label(self, candidate: Candidate) -> str:
        """How a counted message is called in the report: its ids, else its number."""
        return ", ".join(candidate.ids) or f"#{self._numbers[candidate.identity]}"

    def postpone(self, wanted: Iterable[Candidate]) -> None:
        """Another rule was first: act on the next frame with these messages (control: the next
        frame that matches)."""
        self._due.update(map(_due_as, wanted))


def _due_as(candidate: Candidate) -> Hashable:
    """A control frame never comes again; the next one stands for it."""
    return None if candidate.record is None else candidate.identity
