"""Everything that was seen of one message: made only for the few that a verdict has to explain."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from functools import cached_property
from typing import NamedTuple, TypeVar

from pytest_mqchaos.history.history import History
from pytest_mqchaos.history.positions import Positions
from pytest_mqchaos.history.rows import Ack, Attempt, Delivery, Effect, Handled, Place, Stored

_Row = TypeVar("_Row", Attempt, Delivery, Stored, Effect, Handled)


class Story(NamedTuple):
    """Everything seen of one id, for one subscriber (`by` None = whoever). `attempts`, `stored` and
    `deliveries` are of inputs and retries; `dead` and `dead_attempts` of dead-letter destinations.
    `acks` are the first that cover each delivery. `waiting` are the places where a broker would
    still hand it out, `passed` those whose position is behind it."""

    id: str
    attempts: tuple[Attempt, ...]
    stored: tuple[Stored, ...]
    deliveries: tuple[Delivery, ...]
    acks: tuple[Ack, ...]
    effects: tuple[Effect, ...]
    dead: tuple[Stored, ...]
    dead_attempts: tuple[Attempt, ...]
    waiting: tuple[Place, ...]
    passed: tuple[Place, ...]


class Stories:
    """The rows of one history, grouped by id on first use."""

    def __init__(self, history: History, positions: Positions, effects: list[Effect]) -> None:
        self._history = history
        self._positions = positions
        self._effects = effects

    @cached_property
    def attempts(self) -> dict[str, list[Attempt]]:
        """Publish attempts to any destination."""
        return _grouped(self._history.attempts)

    @cached_property
    def stored(self) -> dict[str, list[Stored]]:
        """Read-back records of any destination."""
        return _grouped(self._history.stored)

    @cached_property
    def deliveries(self) -> dict[str, list[Delivery]]:
        """Deliveries from any destination."""
        return _grouped(self._history.deliveries)

    @cached_property
    def effects(self) -> dict[str, list[Effect]]:
        """Effects, in the source's order."""
        return _grouped(self._effects)

    @cached_property
    def handled(self) -> dict[str, list[Handled]]:
        """Handler starts."""
        return _grouped(self._history.handled)

    def of(self, message_id: str, by: str | None = None) -> Story:
        """The story of one id, for one subscriber."""
        flow, positions = self._history.flow, self._positions
        deliveries = [d for d in self.deliveries.get(message_id, ()) if self._for(d, by)]
        rows = self.stored.get(message_id, [])
        stored = tuple(s for s in rows if s.topic in positions.handed)
        places = [(s, p) for s in stored for p in positions.standing(s, by)]
        acks = {a for d in deliveries if d.reached for a in positions.acks_for(d)}
        attempts = self.attempts.get(message_id, [])
        effects = self.effects.get(message_id, [])
        return Story(
            id=message_id,
            attempts=tuple(a for a in attempts if a.topic in positions.handed),
            stored=stored,
            deliveries=tuple(deliveries),
            acks=tuple(sorted(acks, key=lambda a: a.seq)),
            effects=tuple(e for e in effects if by is None or e.by == by),
            dead=tuple(s for s in rows if s.topic in flow.dead_letters),
            dead_attempts=tuple(a for a in attempts if a.topic in flow.dead_letters),
            waiting=tuple(p for s, p in places if s.offset >= p.committed),
            passed=tuple(p for s, p in places if s.offset < p.committed),
        )

    def _for(self, delivery: Delivery, by: str | None) -> bool:
        """A retry destination may be read under any group on behalf of `by`."""
        if delivery.topic not in self._positions.handed:
            return False
        if by is None or by not in self._positions.groups or delivery.group in (None, by):
            return True
        return delivery.topic in self._history.flow.retries


def _grouped(rows: Iterable[_Row]) -> dict[str, list[_Row]]:
    found: dict[str, list[_Row]] = defaultdict(list)
    for row in rows:
        if row.id is not None:
            found[row.id].append(row)
    return found
