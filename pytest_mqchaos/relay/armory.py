"""All armed rules of a run, by the frames that they wait for.

It knows rules, counters and what messages are the same; it must never know what a rule causes.
"""

from __future__ import annotations

from pytest_mqchaos.frames import Direction, Frame, Point, Record, Sighting
from pytest_mqchaos.history.identity import Identity, content
from pytest_mqchaos.history.rows import PUBLISHER
from pytest_mqchaos.plan.match import names as questions
from pytest_mqchaos.plan.rules import Rule
from pytest_mqchaos.relay.arming import Armed, Candidate
from pytest_mqchaos.relay.coverage import Coverage
from pytest_mqchaos.wire.base import Codec

# Rules on a reply of these points are triggered by the request that will be answered.
_REQUEST_POINTS = {
    Point.PUBLISH: Point.PUBLISH,
    Point.CONFIRM: Point.PUBLISH,
    Point.ACK: Point.ACK,
    Point.ACK_CONFIRM: Point.ACK,
    Point.CONTROL: Point.CONTROL,
}
_ACKS = (Point.ACK, Point.ACK_CONFIRM)


class Armory:
    """The rules of one run. `identity` None: messages are told apart by place and content."""

    __slots__ = ("_codec", "_cover", "_delivers", "_identity", "_rules", "armed")

    def __init__(self, codec: Codec, identity: Identity | None) -> None:
        self.armed: list[Armed] = []
        self._codec = codec
        self._identity = identity
        self._cover: Coverage | None = None
        self._delivers = codec.replies_of(Point.DELIVER)
        self._rules: tuple[dict[str, list[Armed]], dict[str, list[Armed]]] = ({}, {})

    def arm(self, index: int, rule: Rule) -> Armed:
        """Add one rule; its counter starts at zero now."""
        armed = Armed(index, rule)
        self.armed.append(armed)
        point = rule.where.point
        if point is Point.DELIVER:
            table, names = self._rules[Direction.TO_CLIENT], self._delivers
        else:
            table = self._rules[Direction.TO_BROKER]
            names = self._codec.requests_of(_REQUEST_POINTS[point])
            if point is Point.CONTROL and rule.where.api is not None:
                names = frozenset(rule.where.apis)
        for name in names:
            table.setdefault(name, []).append(armed)
        if point in _ACKS:
            self._cover = self._cover or Coverage()
            when = rule.where.when
            self._cover.values |= when is not None and "value_contains" in questions(when)
        return armed

    def disarm(self) -> None:
        """No frame triggers anything any more."""
        self._rules = ({}, {})

    def names(self) -> tuple[frozenset[str], frozenset[str]]:
        """Names of requests and of replies that a rule waits for."""
        return frozenset(self._rules[0]), frozenset(self._rules[1])

    def waits_for(self, frame: Frame) -> bool:
        """Whether any rule looks at frames of this name."""
        return frame.name in self._rules[frame.direction]

    def covers(self, frame: Frame) -> bool:
        """Whether this delivery must be remembered, so that acks can be counted."""
        return (
            self._cover is not None
            and frame.direction is Direction.TO_CLIENT
            and frame.name in self._delivers
        )

    def delivered(self, owner: str, sighting: Sighting) -> None:
        """Remember what was handed to an owner (of a frame that `covers` said yes to)."""
        assert self._cover is not None
        self._cover.delivered(owner, sighting.records, self.candidate)

    def candidate(self, record: Record) -> Candidate:
        """A message as it is counted. Its content is told by a digest: what a run carried may not
        stay in memory."""
        ids = self._identity.of(record) if self._identity is not None else ()
        identity = ids or (record.topic, record.partition, content(record.key, record.value))
        return Candidate(record, ids, identity)

    def lost(self, owner: str, sighting: Sighting) -> None:
        """An ack that was counted never reached the broker: it covered nothing."""
        if self._cover is not None and sighting.point is Point.ACK:
            self._cover.lost(owner, sighting)

    def hit(self, owner: str, frame: Frame, sighting: Sighting) -> tuple[Armed, list[str]] | None:
        """The first rule whose turn it is and what it calls the messages it means. Every rule
        counts the frame; one that comes second to another acts on the next frame with the same
        messages."""
        found: tuple[Armed, list[str]] | None = None
        covered: list[Candidate] | None = None
        for armed in self._rules[frame.direction][frame.name]:
            point = armed.rule.where.point
            # Frames of our own publisher count for publish and confirm only.
            if owner == PUBLISHER and point not in (Point.PUBLISH, Point.CONFIRM):
                continue
            if point in _ACKS:
                if covered is None:
                    assert self._cover is not None
                    covered = self._cover.newly(owner, sighting)
                candidates = covered
            elif point is Point.CONTROL:
                candidates = [Candidate(None, (), (frame.link, frame.correlation, frame.t))]
            else:
                candidates = [self.candidate(record) for record in sighting.records]
            wanted = armed.wanted(sighting, candidates, owner)
            if wanted and found is None:
                found = armed, [armed.label(candidate) for candidate in wanted]
            elif wanted:
                armed.postpone(wanted)
        return found
