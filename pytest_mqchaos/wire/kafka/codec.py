"""Kafka's codec: the cheap half is a scanner a link, the dear half says what a frame means.

Importing it loads the standard library alone; kio, aiokafka and cramjam come with the first frame
that somebody wants decoded. Addresses and versions are edited without them.

    scanner.py   bytes -> frames            addresses.py  replies that name brokers
    entities.py  frames <-> kio objects     deliveries.py, control.py  objects -> Sighting
    records.py   records fields <-> records topics.py     topic ids -> names
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from pytest_mqchaos.errors import MissingExtra
from pytest_mqchaos.frames import Direction, Frame, Point, Sighting
from pytest_mqchaos.wire.kafka import addresses
from pytest_mqchaos.wire.kafka.apis import APIS, FETCH, PRODUCE, name_of
from pytest_mqchaos.wire.kafka.bodies import schema_of
from pytest_mqchaos.wire.kafka.compression import Unreadable
from pytest_mqchaos.wire.kafka.control import ack_confirmed, acked, controlled
from pytest_mqchaos.wire.kafka.cursor import Ended
from pytest_mqchaos.wire.kafka.deliveries import confirmed, fetched, published
from pytest_mqchaos.wire.kafka.entities import read
from pytest_mqchaos.wire.kafka.fetch_offsets import FetchOffsets
from pytest_mqchaos.wire.kafka.headers import body_of_reply, client_of
from pytest_mqchaos.wire.kafka.scanner import KafkaScanner
from pytest_mqchaos.wire.kafka.shapes import walk
from pytest_mqchaos.wire.kafka.topics import NO_ID, names_in

_ALL = frozenset(api.name for api in APIS.values())
_COMMITS = frozenset(("OffsetCommit", "TxnOffsetCommit"))
_REQUESTS = {Point.PUBLISH: frozenset(("Produce",)), Point.ACK: _COMMITS}
_REPLIES = {
    Point.CONFIRM: frozenset(("Produce",)),
    Point.DELIVER: frozenset(("Fetch",)),
    Point.ACK_CONFIRM: _COMMITS,
}


@dataclass(frozen=True, slots=True)
class _Bodies:
    """The bodies of a frame and of the request that it answers (None when not kept)."""

    body: Any
    request: Any
    client: str | None


class KafkaCodec:
    """Implements `wire.base.Codec`. `topic_names` (16-byte id -> name) grows with every reply that
    `rewrite_addresses` or `decode` is given; it may be read and added to."""

    name = "kafka"

    def __init__(self) -> None:
        self.topic_names: dict[bytes, str] = {}
        self._offsets = FetchOffsets()

    def scanner(self) -> KafkaScanner:
        """A scanner for one link, with nothing asked of it yet."""
        return KafkaScanner()

    def requests_of(self, point: Point) -> frozenset[str]:
        """API names whose requests are this point."""
        if point is Point.CONTROL:
            return _ALL - _REQUESTS[Point.PUBLISH] - _COMMITS
        return _REQUESTS.get(point, frozenset())

    def replies_of(self, point: Point) -> frozenset[str]:
        """API names whose replies are this point."""
        if point is Point.CONTROL:
            return _ALL - frozenset(("Produce", "Fetch")) - _COMMITS
        return _REPLIES.get(point, frozenset())

    def rewrite_addresses(
        self, frame: Frame, mapping: Callable[[int, str, int], tuple[str, int]]
    ) -> bytes | None:
        """The reply with every broker address mapped, or an ApiVersions reply with its versions
        lowered to those that can be decoded here; None = leave it as it is."""
        if frame.direction is Direction.TO_BROKER:
            return None
        self.topic_names.update(names_in(frame.kind, frame.version, frame.raw))
        return addresses.amend(
            frame.kind, frame.version, frame.raw, mapping, partial(_outermost, frame)
        )

    def name_of(self, kind: int) -> str:
        """The name of an API, "Api(93)" for one that is not in the table."""
        return name_of(kind)

    def decode(self, frame: Frame) -> Sighting:
        """Say what a frame means; what cannot be read gives `Sighting.undecoded`.

        A reply needs its `request` for its group, its client and (Fetch) the offsets asked for.
        Fetch replies of one link are to be decoded in their order: fetch sessions build on it.
        Raises `MissingExtra` when kio is not installed.
        """
        if frame.direction is Direction.TO_CLIENT:
            self.topic_names.update(names_in(frame.kind, frame.version, frame.raw))
        client = _client(frame)
        try:
            return self._sighting(frame, self._bodies(frame, client))
        except Unreadable as why:
            return Sighting(point=_point(frame), name=frame.name, client=client, undecoded=str(why))

    def _bodies(self, frame: Frame, client: str | None) -> _Bodies:
        request = None
        if frame.request is not None and frame.kind != PRODUCE:  # whose replies tell everything
            if frame.request.kind != frame.kind:  # in a damaged history
                raise Unreadable(f"{frame.name}: no answer to {frame.request.name}")
            request = read(frame.request)
        return _Bodies(read(frame), request, client)

    def _sighting(self, frame: Frame, it: _Bodies) -> Sighting:
        reply = frame.direction is Direction.TO_CLIENT
        if frame.kind == PRODUCE:
            return (confirmed if reply else published)(frame, it.body, self._topic, it.client)
        if frame.kind == FETCH and reply:
            offsets = self._offsets.note(frame.link, it.request) if it.request else {}
            return fetched(frame, it.body, it.request, offsets, self._topic, it.client)
        if frame.name in _COMMITS:
            if reply:
                return ack_confirmed(frame, it.body, it.request, self._topic, it.client)
            return acked(frame, it.body, self._topic, it.client)
        return controlled(frame, it.body, it.request, it.client)

    def _topic(self, topic: Any) -> str:
        """The name of a topic entry, by its id where the version has only that."""
        for field in ("topic", "name"):
            name = getattr(topic, field, None)
            if name is not None:
                return str(name)
        identity = getattr(topic, "topic_id", None)
        known = self.topic_names.get(identity.bytes if identity else NO_ID)
        if known is None:
            raise Unreadable(f"topic id {identity} has not been named by any reply yet")
        return known


def _outermost(reply: Frame, start: int) -> bool:
    """Whether its own tags begin there: then it is a whole reply without what follows."""
    try:
        schema = schema_of(reply.kind, reply.version, reply=True)
    except MissingExtra:
        return True  # as its form says
    without = reply.raw[:start] + b"\0"
    try:
        at = body_of_reply(without, 0, len(without), reply.kind, reply.version).at
        return schema is None or walk(schema, without, at) == len(without)
    except (Ended, Unreadable):
        return False


def _client(frame: Frame) -> str | None:
    request = frame.request if frame.direction is Direction.TO_CLIENT else frame
    if request is None:
        return None
    try:
        return client_of(request.raw, 0, len(request.raw))
    except Ended:
        return None


def _point(frame: Frame) -> Point:
    table = _REPLIES if frame.direction is Direction.TO_CLIENT else _REQUESTS
    return next((point for point, names in table.items() if frame.name in names), Point.CONTROL)
