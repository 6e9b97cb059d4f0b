"""From what the data plane packed to the rows that checkers read.

It knows entries, sightings and rows; it must never know a protocol (a codec says what a frame
means) nor a verdict. It runs in the test process, after the fact, and is a pure function.

    entries --notes--> Remarks (owners, fates, answers, rules)
            --frames-> Reading (codec.decode) --ends known--> attempts, deliveries, acks
                                              '-------------> gaps, where something was not seen
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from pytest_mqchaos.frames import Record
from pytest_mqchaos.history.identity import Identity
from pytest_mqchaos.history.rows import Ack, Attempt, Delivery, ProcessEvent, RuleEvent
from pytest_mqchaos.history.spool import FrameEntry, NoteEntry
from pytest_mqchaos.relay.transcript_ends import TransactionEnd, transaction_end
from pytest_mqchaos.relay.transcript_notes import Remarks
from pytest_mqchaos.relay.transcript_reading import Decoder, Reading
from pytest_mqchaos.relay.transcript_rows import Maker, acks

PREVIEW = 60  # bytes of a value that are shown of a message without an id


@dataclass(frozen=True, slots=True, kw_only=True)
class Transcript:
    """What one data plane saw, as rows in the order of receipt.

    `gaps` are sentences about what was not seen, `gap_topics` the destinations they touch (empty
    with gaps = any of them). `unidentified` shows each message without an id once. `topics` are the
    destinations that rows mention, `listening` the owners that were answered whether there was
    anything to read, `groups` those that somebody joined or acked for. `closing` maps
    an owner to the seq from which on its frames belong to its shutdown. `transactional` maps the
    seq of an ack frame to the transaction it belongs to, `ends` are the commits and aborts seen.
    `consumers` are owners that asked for messages, even if there were none; `asked` has the lowest
    offset that each owner ever asked for, by owner, group and place, in the order of their last.
    `brokers` is what befell brokers and who led from when on.
    `links` maps a link to its owner, `clients` to the client id it named, `spans` to the seqs of
    its opening and its end (0 while open). `notes` were only kept.
    """

    attempts: tuple[Attempt, ...] = ()
    deliveries: tuple[Delivery, ...] = ()
    acks: tuple[Ack, ...] = ()
    rule_events: tuple[RuleEvent, ...] = ()
    ends: tuple[TransactionEnd, ...] = ()
    transactional: Mapping[int, str] = field(default_factory=dict)
    gaps: tuple[str, ...] = ()
    gap_topics: frozenset[str] = frozenset()
    groups: frozenset[str] = frozenset()
    members: Mapping[str, frozenset[tuple[str, str]]] = field(default_factory=dict)
    subscribed: Mapping[str, frozenset[str]] = field(default_factory=dict)
    consumers: frozenset[str] = frozenset()
    asked: Mapping[tuple[str, str | None, str, int], int] = field(default_factory=dict)
    listening: frozenset[str] = frozenset()
    topics: frozenset[str] = frozenset()
    unidentified: tuple[str, ...] = ()
    links: Mapping[int, str] = field(default_factory=dict)
    spans: Mapping[int, tuple[int, int]] = field(default_factory=dict)
    clients: Mapping[int, str] = field(default_factory=dict)
    closing: Mapping[str, int] = field(default_factory=dict)
    brokers: tuple[ProcessEvent, ...] = ()
    notes: tuple[NoteEntry, ...] = ()
    frames: int = 0


def transcribe(
    entries: Iterable[FrameEntry | NoteEntry],
    *,
    codec: Decoder,
    identity: Identity,
    owners: Mapping[int, str] | None = None,
    show: Callable[[Record], str] | None = None,
) -> Transcript:
    """Read everything once. `owners` names links that were opened before these entries begin;
    `show` renders a message that has no id (default: its place and a cut of its value).

    The codec learns the topic names that the data plane noted; give it a fresh one for each run.
    Raises `PeerError` for notes that this version did not write.
    """
    remarks = Remarks(owners=dict(owners or {}))
    frames: list[FrameEntry] = []
    for entry in entries:
        if isinstance(entry, FrameEntry):
            frames.append(entry)
        else:
            remarks.add(entry)
    codec.topic_names.update(remarks.topics)
    reading = Reading(remarks=remarks, codec=codec)
    for frame in frames:
        reading.take(frame)
    maker = Maker(identity=identity, show=show or preview)
    return _result(reading, maker, len(frames))


def preview(record: Record) -> str:
    """Place and the beginning of the value: enough to recognise a message that has no id."""
    at = f"@{record.offset}" if record.offset >= 0 else ""
    place = f"{record.topic}-{record.partition}{at}"
    if record.value is None:
        return f"{place} (null)"
    cut = "..." if len(record.value) > PREVIEW else ""
    return f"{place} {record.value[:PREVIEW].decode(errors='backslashreplace')}{cut}"


def _result(reading: Reading, maker: Maker, frames: int) -> Transcript:
    """Turn everything filed into rows, now that every end is known."""
    remarks, replies, answers = reading.remarks, reading.replies, reading.remarks.answers
    attempts = tuple(
        row
        for seen in reading.published
        for row in maker.attempts(seen, replies.get(seen.seq, []), answers.get(seen.seq))
    )
    deliveries = tuple(
        row for seen in reading.delivered for row in maker.deliveries(seen, reading.group_of)
    )
    ack_rows = tuple(
        row
        for seen in reading.acked
        for row in acks(seen, replies.get(seen.seq, []), answers.get(seen.seq))
    )
    gaps, gap_topics = reading.gaps.finish(remarks)
    rows: tuple[Attempt | Delivery | Ack, ...] = (*attempts, *deliveries, *ack_rows)
    return Transcript(
        attempts=attempts,
        deliveries=deliveries,
        acks=ack_rows,
        rule_events=tuple(remarks.rule_events),
        ends=tuple(transaction_end(end, reading.errors.get(end.seq, [])) for end in reading.ended),
        transactional={
            seen.seq: seen.said.transactional_id
            for seen in reading.acked
            if seen.said.transactional_id is not None
        },
        gaps=gaps,
        gap_topics=gap_topics,
        groups=frozenset(group for names in reading.groups.values() for group in names),
        consumers=frozenset(reading.consumers),
        asked=reading.began(),
        subscribed={group: frozenset(named) for group, named in reading.subscribed.items()},
        listening=frozenset(reading.listening),
        members={owner: frozenset(named) for owner, named in reading.members.items()},
        topics=frozenset(row.topic for row in rows),
        unidentified=tuple(maker.unidentified),
        links=dict(remarks.owners),
        spans={n: (seq, remarks.closed.get(n, 0)) for n, seq in remarks.opened.items()},
        clients=dict(reading.clients),
        closing=dict(remarks.closing),
        brokers=tuple(remarks.brokers),
        notes=tuple(remarks.others),
        frames=frames,
    )
