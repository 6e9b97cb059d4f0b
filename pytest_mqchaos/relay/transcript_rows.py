"""From what one frame said, and what became of it, to the rows of a history.

It knows how the ends of a publish and of an ack are told; it knows no protocol. What counts as the
end differs, because two different parties are asked:

    attempt   what was the *producer* told?  only a reply that left towards it counts
    ack       what did the *broker* do?      its reply counts even if nobody heard it
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from pytest_mqchaos.frames import Outcome, Record, Sighting
from pytest_mqchaos.history.identity import Identity, content
from pytest_mqchaos.history.rows import Ack, AckOutcome, Attempt, Delivery, PublishOutcome
from pytest_mqchaos.relay.transcript_notes import Answer

Place = tuple[str, int]  # topic, partition


class Seen(NamedTuple):
    """One frame that carries rows. `passed`: it was let through to the other side."""

    seq: int
    t: int
    link: int
    owner: str
    client: str | None
    passed: bool
    said: Sighting


class Reply(NamedTuple):
    """A broker's reply: received at `seq` / `t`; `left` is when it went on, None if never."""

    seq: int
    t: int
    left: tuple[int, int] | None
    outcomes: Mapping[Place, Outcome]


class PublishEnd(NamedTuple):
    """How one publish to one partition ended for its producer, and the base offset if known."""

    outcome: PublishOutcome
    seq: int
    t: int
    offset: int
    error: int


@dataclass(slots=True, kw_only=True)
class Maker:
    """Makes rows. `show` renders a message that has no id, for `unidentified` (each text once)."""

    identity: Identity
    show: Callable[[Record], str]
    unidentified: dict[str, None] = field(default_factory=dict)

    def ids(self, record: Record) -> tuple[str | None, ...]:
        """A message's ids; (None,) and a place among the unidentified if it has none; () if the
        user's own id function says that the message is not one to judge."""
        found = self.identity.find(record)
        if found.ids or not found.mine:
            return found.ids
        self.unidentified.setdefault(f"{self.show(record)}: {found.reason}")
        return (None,)

    def attempts(
        self, seen: Seen, replies: list[Reply], answer: Answer | None
    ) -> Iterator[Attempt]:
        """One row per message (and id) of a publish frame."""
        said = seen.said
        acks = -1 if said.acks is None else said.acks
        ends: dict[Place, PublishEnd] = {}
        counts: dict[Place, int] = {}
        for record in seen.said.records:
            place = record.topic, record.partition
            end = ends.get(place)
            if end is None:
                end = ends[place] = publish_end(place, replies, answer)
            index = counts.get(place, 0)
            counts[place] = index + 1
            offset = end.offset + index if end.offset >= 0 else -1
            digest = content(record.key, record.value)
            for id_ in self.ids(record._replace(offset=offset)):
                yield Attempt(
                    seen.seq,
                    seen.t,
                    seen.link,
                    seen.owner,
                    seen.client,
                    record.topic,
                    record.partition,
                    id_,
                    record.key,
                    record.value,
                    digest,
                    acks,
                    seen.passed,
                    end.outcome,
                    end.seq,
                    end.t,
                    offset,
                    end.error,
                    record.producer_id,
                    record.sequence,
                    said.transactional_id,
                    record.headers,
                )

    def deliveries(
        self, seen: Seen, group_of: Callable[[Seen, str], str | None]
    ) -> Iterator[Delivery]:
        """One row per message (and id) of a frame that hands messages out. `group_of` says for whom
        the messages of a topic were."""
        groups = {topic: group_of(seen, topic) for topic in {r.topic for r in seen.said.records}}
        for record in seen.said.records:
            digest = content(record.key, record.value)
            for id_ in self.ids(record):
                yield Delivery(
                    seen.seq,
                    seen.t,
                    seen.link,
                    seen.owner,
                    groups[record.topic],
                    record.topic,
                    record.partition,
                    record.offset,
                    id_,
                    record.key,
                    record.value,
                    digest,
                    seen.passed,
                    record.headers,
                )


def acks(seen: Seen, replies: list[Reply], answer: Answer | None) -> Iterator[Ack]:
    """One row per position of an ack frame."""
    said = seen.said
    for position in said.positions:
        outcome, seq, t, error = ack_end((position.topic, position.partition), replies, answer)
        yield Ack(
            seen.seq,
            seen.t,
            seen.link,
            seen.owner,
            said.group or "",
            said.member,
            position.topic,
            position.partition,
            position.offset,
            seen.passed,
            outcome,
            seq,
            t,
            error,
        )


def publish_end(place: Place, replies: list[Reply], answer: Answer | None) -> PublishEnd:
    """What the producer was told about one partition: a success that left wins over an error that
    left; neither is unknown. The offset is the broker's even if the producer never heard it."""
    told: list[tuple[int, int, int]] = []  # code, seq, t
    offset = -1
    for reply in replies:
        said = reply.outcomes.get(place)
        if said is None:
            continue
        if said.code == 0 and said.offset >= 0 and offset < 0:
            offset = said.offset
        if reply.left is not None:
            told.append((said.code, *reply.left))
    if answer is not None:
        told.append((answer.code, answer.seq, answer.t))
    if not told:
        return PublishEnd("unknown", 0, 0, offset, 0)
    code, seq, t = next((end for end in told if end[0] == 0), told[0])
    return PublishEnd("refused" if code else "confirmed", seq, t, offset, code)


def ack_end(
    place: Place, replies: list[Reply], answer: Answer | None
) -> tuple[AckOutcome, int, int, int]:
    """What the broker said about one position: outcome, seq, t, error. With nothing from the broker
    it stays unknown; the code that we answered in its place is then given as the error."""
    for reply in replies:
        said = reply.outcomes.get(place)
        if said is not None:
            return "refused" if said.code else "confirmed", reply.seq, reply.t, said.code
    return "unknown", 0, 0, 0 if answer is None else answer.code
