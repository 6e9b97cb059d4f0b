"""One pass over the frames, in order of receipt: what each said, filed by what it will become.

It knows sightings and fates; it makes no rows (an end may come much later than its beginning) and
knows no protocol.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

from pytest_mqchaos.frames import Direction, Frame, Point, Sighting
from pytest_mqchaos.history.spool import CLOSING, HELD, FrameEntry
from pytest_mqchaos.relay.transcript_gaps import Gaps
from pytest_mqchaos.relay.transcript_notes import Remarks
from pytest_mqchaos.relay.transcript_rows import Reply, Seen

_ENDS = frozenset({Point.CONFIRM, Point.ACK_CONFIRM})
_DIRECTIONS = (Direction.TO_BROKER, Direction.TO_CLIENT)
_ALTERED = ("replaced", False)  # what became of a frame, and whether nobody's rule did it


class Decoder(Protocol):
    """The part of a `Codec` that a transcript needs."""

    topic_names: dict[bytes, str]

    def name_of(self, kind: int) -> str:
        """The protocol's word for a frame kind."""

    def decode(self, frame: Frame) -> Sighting:
        """Say what a frame means."""


@dataclass(slots=True, kw_only=True)
class Reading:
    """What has been filed so far. `replies` and `errors` are by the seq of their request, `groups`
    by owner and client. `asked`: the lowest offset that each ever asked for, by owner, client and
    place, in the order in which they last asked."""

    remarks: Remarks
    codec: Decoder
    requests: dict[int, Frame] = field(default_factory=dict)
    replies: dict[int, list[Reply]] = field(default_factory=dict)
    errors: dict[int, list[tuple[int, int, int]]] = field(default_factory=dict)
    published: list[Seen] = field(default_factory=list)
    delivered: list[Seen] = field(default_factory=list)
    acked: list[Seen] = field(default_factory=list)
    ended: list[Seen] = field(default_factory=list)
    clients: dict[int, str] = field(default_factory=dict)
    groups: dict[tuple[str, str | None], set[str]] = field(default_factory=dict)
    members: dict[str, set[tuple[str, str]]] = field(default_factory=dict)
    subscribed: dict[str, set[str]] = field(default_factory=dict)
    acking: set[tuple[str, str]] = field(default_factory=set)
    consumers: set[str] = field(default_factory=set)
    listening: set[str] = field(default_factory=set)
    asked: dict[tuple[str, str | None, str, int], int] = field(default_factory=dict)
    gaps: Gaps = field(default_factory=Gaps)

    def take(self, entry: FrameEntry) -> None:
        """Decode one frame and file what it says."""
        frame = Frame(
            direction=_DIRECTIONS[entry.direction],
            kind=entry.kind,
            version=entry.version,
            correlation=0,
            name=self.codec.name_of(entry.kind),
            raw=entry.raw,
            request=self.requests.get(entry.request_seq),
            seq=entry.seq,
            t=entry.t,
            link=entry.link,
        )
        said = self.codec.decode(frame)
        self.gaps.look(entry.seq, said)
        if entry.flags & CLOSING:
            self.remarks.closing.setdefault(self.remarks.owner(entry.link), entry.seq)
        if entry.direction == Direction.TO_BROKER:
            self.requests[entry.seq] = frame
            self._request(entry, said)
        elif said.point is Point.DELIVER:
            self._delivery(entry, said)
        elif entry.request_seq:
            self._reply(entry, said)

    def group_of(self, seen: Seen, topic: str) -> str | None:
        """The one group that this owner's client joined or acked for and that takes part in this
        topic (one process may have several subscribers); None if none or several do."""
        return self._group(seen.owner, seen.client, topic)

    def began(self) -> dict[tuple[str, str | None, str, int], int]:
        """`asked`, by owner, group and place."""
        found: dict[tuple[str, str | None, str, int], int] = {}
        for (owner, client, topic, partition), low in self.asked.items():
            reader = owner, self._group(owner, client, topic), topic, partition
            found[reader] = min(low, found.pop(reader, low))
        return found

    def _group(self, owner: str, client: str | None, topic: str) -> str | None:
        found = self.groups.get((owner, client), set())
        if client is None:
            mine = (names for (other, _), names in self.groups.items() if other == owner)
            found = set().union(*mine)
        # A client that reads beside its group (a store that it restores) may have the same name.
        found = {group for group in found if self._may_read(group, topic)}
        return next(iter(found)) if len(found) == 1 else None

    def _may_read(self, group: str, topic: str) -> bool:
        """Whether it asked for this topic or acked it, or its members never said what they read."""
        asked = self.subscribed.get(group)
        return not asked or topic in asked or (group, topic) in self.acking

    def _left(self, entry: FrameEntry) -> tuple[int, int] | None:
        """When a frame went on with its meaning: at receipt, or when its hold ended. A rule that
        replaced it took the meaning away; a replacement by nobody is only a new spelling."""
        if not entry.flags & HELD:
            return entry.seq, entry.t
        fate = self.remarks.fates.get(entry.seq)
        if fate is None or fate.what == "swallowed" or (fate.what, fate.by is None) == _ALTERED:
            return None
        return fate.seq, fate.t

    def _seen(self, entry: FrameEntry, said: Sighting, *, passed: bool) -> Seen:
        owner, client = self.remarks.owner(entry.link), said.client or self.clients.get(entry.link)
        return Seen(entry.seq, entry.t, entry.link, owner, client, passed, said)

    def _request(self, entry: FrameEntry, said: Sighting) -> None:
        """A request reached the broker unless it was swallowed or is still held: a replaced one
        arrived too, in other words."""
        fate = self.remarks.fates.get(entry.seq)
        held_for_ever = bool(entry.flags & HELD) and fate is None
        if said.client is not None:
            self.clients[entry.link] = said.client
        swallowed = fate is not None and fate.what == "swallowed"
        seen = self._seen(entry, said, passed=not (held_for_ever or swallowed))
        if said.point is Point.PUBLISH:
            self.published.append(seen)
        elif said.point is Point.ACK:
            self.acked.append(seen)
            self.acking.update((said.group or "", row.topic) for row in said.positions)
        elif "committed" in said.details or "anew" in said.details:
            self.ended.append(seen)
        topics = said.details.get("subscribed")
        if said.group and isinstance(topics, tuple):
            self.subscribed.setdefault(said.group, set()).update(topics)
        if said.group and said.member is not None:
            self.members.setdefault(seen.owner, set()).add((said.group, said.member))
        if said.group and (said.point is Point.ACK or said.member is not None):
            self.groups.setdefault((seen.owner, seen.client), set()).add(said.group)

    def _delivery(self, entry: FrameEntry, said: Sighting) -> None:
        """Messages handed out; most replies of an idle consumer have none."""
        owner, client = self.remarks.owner(entry.link), said.client or self.clients.get(entry.link)
        self.consumers.add(owner)
        self.listening.add(owner)
        for topic, partition, offset in _asked(said):
            reader = owner, client, topic, partition
            self.asked[reader] = min(offset, self.asked.pop(reader, offset))
        if said.records:
            passed = self._left(entry) is not None
            self.delivered.append(self._seen(entry, said, passed=passed))

    def _reply(self, entry: FrameEntry, said: Sighting) -> None:
        """What the broker said about a request, and when that left towards the client."""
        if said.point in _ENDS:
            outcomes = {(outcome.topic, outcome.partition): outcome for outcome in said.outcomes}
            left = self._left(entry)
            reply = Reply(entry.seq, entry.t, left, outcomes)
            self.replies.setdefault(entry.request_seq, []).append(reply)
        elif said.error is not None:
            error = said.error, entry.seq, entry.t
            self.errors.setdefault(entry.request_seq, []).append(error)


def _asked(said: Sighting) -> tuple[tuple[str, int, int], ...]:
    found = said.details.get("asked", ())
    return found if isinstance(found, tuple) else ()
