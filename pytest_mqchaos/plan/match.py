"""Whether a message or frame is where a rule means. It knows selectors, never a protocol.

The *point* is not compared: who asks has chosen the rules of that point (a rule on `confirm` is
asked about the publish request whose answer it means). Positions and attempts are the caller's
counters: `nth.hits`, `nth.attempted`.
"""

from __future__ import annotations

from pytest_mqchaos.frames import Record, Sighting
from pytest_mqchaos.plan.when import DESTINATIONS, All, Either, Not, Predicate, Scalar, Test
from pytest_mqchaos.plan.where import Where

_OF_RECORD = frozenset({"key", "id", "header", "value_contains"})


def matches(
    where: Where, *, record: Record | None, ids: tuple[str, ...], sighting: Sighting, owner: str
) -> bool:
    """Everything that `where` asks holds. `record` is None for a frame without messages, `ids` are
    the record's, `owner` is the link's ("worker-1#2"). What cannot be seen does not match."""
    if where.api is not None and sighting.name not in where.apis:
        return False
    asked: list[tuple[str, Scalar]] = [("client", where.client), ("group", where.group)]
    if record is None:
        if needs_record(where):
            return False
        asked += [("topic", where.destination), ("partition", where.partition)]
    elif not _means(where, record, ids):
        return False
    seen = _Seen(record, ids, sighting, owner)
    tests = [Test(name=name, args=(given,)) for name, given in asked if given is not None]
    if not all(map(seen.holds, tests)):
        return False
    return where.when is None or seen.holds(where.when)


def _means(where: Where, record: Record, ids: tuple[str, ...]) -> bool:
    """What is asked of a message itself; asked of every message that passes, hence in one go."""
    return not (
        (where.id is not None and where.id not in ids)
        or (where.destination is not None and where.destination != record.topic)
        or (where.partition is not None and where.partition != record.partition)
        or (where.key is not None and _bytes(where.key) != record.key)
    )


def needs_record(where: Where) -> bool:
    """Whether the content of messages must be decoded to answer."""
    given = where.key is not None or where.id is not None
    return given or (where.when is not None and bool(names(where.when) & _OF_RECORD))


def names(predicate: Predicate) -> frozenset[str]:
    """The names of all questions in it."""
    return frozenset(test.name for test in questions(predicate))


def questions(predicate: Predicate) -> tuple[Test, ...]:
    """All questions in it, from left to right, whatever joins them."""
    if isinstance(predicate, Test):
        return (predicate,)
    parts = (predicate.part,) if isinstance(predicate, Not) else predicate.parts
    return tuple(test for part in parts for test in questions(part))


class _Seen:
    """One look at one message; answers questions about it."""

    __slots__ = ("ids", "owner", "record", "sighting")

    def __init__(
        self, record: Record | None, ids: tuple[str, ...], sighting: Sighting, owner: str
    ) -> None:
        self.record, self.ids, self.sighting, self.owner = record, ids, sighting, owner

    def holds(self, predicate: Predicate) -> bool:
        match predicate:
            case All():
                return all(map(self.holds, predicate.parts))
            case Either():
                return any(map(self.holds, predicate.parts))
            case Not():
                return not self.holds(predicate.part)
        first, *rest = predicate.args
        if predicate.name in DESTINATIONS:
            return any(topic == first for topic, _ in self._places())
        if predicate.name == "partition":
            return any(partition == first for _, partition in self._places())
        if predicate.name == "client":
            return first in (self.sighting.client, self.owner, self.owner.partition("#")[0])
        if predicate.name == "group":
            return self.sighting.group == first
        return self._content(predicate.name, first, rest)

    def _places(self) -> list[tuple[str, int]]:
        if self.record is not None:
            return [(self.record.topic, self.record.partition)]
        positions = [(spot.topic, spot.partition) for spot in self.sighting.positions]
        return positions + [(spot.topic, spot.partition) for spot in self.sighting.outcomes]

    def _content(self, name: str, first: Scalar, rest: list[Scalar]) -> bool:
        assert self.record is not None  # `matches` has asked `needs_record` before
        if name == "id":
            return first in self.ids
        if name == "key":
            return self.record.key == _bytes(first)
        if name == "value_contains":
            return (_bytes(first) or b"") in (self.record.value or b"")
        return any(
            header == first and (rest[0] is None or value == _bytes(rest[0]))
            for header, value in self.record.headers
        )


def _bytes(given: Scalar) -> bytes | None:
    return given if isinstance(given, bytes) or given is None else str(given).encode()
