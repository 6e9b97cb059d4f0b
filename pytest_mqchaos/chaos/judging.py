"""From everything that was seen to a frozen `History`: the last step before a checker.

history file --transcribe--> rows     direct reads --> stored, places     effects --> rows
                     '------------------ all together ------------------> History
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from pytest_mqchaos.chaos.loose import settled
from pytest_mqchaos.chaos.transactions import Transactions
from pytest_mqchaos.errors import PeerError
from pytest_mqchaos.frames import Record
from pytest_mqchaos.history import spool
from pytest_mqchaos.history.history import Expected, Flow, History
from pytest_mqchaos.history.identity import Identity, content
from pytest_mqchaos.history.rows import (
    Accepted,
    Effect,
    Handled,
    Place,
    ProcessEvent,
    RuleState,
    Stored,
    Unconfirmed,
)
from pytest_mqchaos.relay.decoded_once import DecodedOnce
from pytest_mqchaos.relay.transcript import Transcript, transcribe

if TYPE_CHECKING:
    from pytest_mqchaos.chaos.side import Side, Standing
    from pytest_mqchaos.wire.base import Codec


@dataclass(slots=True, kw_only=True)
class Tape:
    """The history of one run, read again only when it has grown. `read` gives its first so many
    bytes, as far as they are there, and where they are."""

    read: Callable[[int], tuple[bytes, str]]
    codec: Callable[[], Codec]
    identity: Identity
    _length: int = -1
    _last: Transcript = field(default_factory=Transcript)
    _decoder: DecodedOnce | None = None

    def transcript(self, length: int) -> Transcript:
        """The rows of the first `length` bytes."""
        if length != self._length:
            data, torn = self._data(length)
            # What could not be decoded may be by now: a name that it needed may have come.
            if self._decoder is None or self._last.gaps:
                self._decoder = DecodedOnce(self.codec())
            broken: list[str] = []
            self._last = transcribe(
                _readable(data, broken), codec=self._decoder, identity=self.identity
            )
            lost = [torn] if torn else broken  # behind a cut nothing is whole: one reason is enough
            if lost:
                self._last = replace(
                    self._last, gaps=(*lost, *self._last.gaps), gap_topics=frozenset()
                )
            self._length = length
        return self._last

    def _data(self, length: int) -> tuple[bytes, str]:
        """The first `length` bytes, as far as they are there, and what is to be said if not."""
        data, place = self.read(length)
        if len(data) == length:
            return data, ""
        return data, (
            f"of the history's {length} bytes {len(data)} are left in {place}: something "
            "deleted or cut it while the test ran"
        )


def _readable(data: bytes, broken: list[str]) -> Iterator[spool.FrameEntry | spool.NoteEntry]:
    """The entries up to the first one that cannot be one, and in `broken` why it cannot: what comes
    behind is not known, and no error of the user's."""
    try:
        yield from spool.read(data)
    except PeerError as error:
        broken.append(f"{error}: something wrote into it while the test ran")


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """Everything besides the tape that a history is made of."""

    flow: Flow
    expected: Expected
    effects: tuple[Effect, ...] | None
    handled: tuple[Handled, ...]
    accepted: tuple[Accepted, ...]
    processes: tuple[ProcessEvent, ...]
    rules: tuple[RuleState, ...]
    limits: tuple[str, ...]
    nameless: tuple[str, ...]
    absent: tuple[str, ...]
    tables: bool
    effect_topics: frozenset[str]
    compacted: frozenset[str]
    unconfirmed: tuple[Unconfirmed, ...]
    disowned: bool
    pending: Sequence[Stored]
    started: int


def stored_rows(records: Iterable[Record], identity: Identity) -> list[Stored]:
    """One row per id of each record; a record that is not ours has none."""
    rows = []
    for record in records:
        found = identity.find(record)
        if not found.mine:
            continue
        digest = content(record.key, record.value)
        place = (record.topic, record.partition, record.offset)
        rows += [
            Stored(*place, one, record.key, record.value, digest) for one in found.ids or (None,)
        ]
    return rows


def _posthumous(
    effects: tuple[Effect, ...] | None, processes: Sequence[ProcessEvent]
) -> tuple[Effect, ...] | None:
    """Mark what a worker recorded after its crash."""
    died = {event.who: event.t for event in reversed(processes) if event.what == "crashed"}
    if not died or effects is None:
        return effects
    return tuple(
        effect._replace(posthumous=True)
        if effect.owner in died and effect.t_from > died[effect.owner]
        else effect
        for effect in effects
    )


def reads(transcript: Transcript, group: str) -> frozenset[str]:
    """The topics that a group takes part in: asked for, handed out or acked."""
    seen = {row.topic for row in transcript.deliveries if row.group == group}
    seen |= {row.topic for row in transcript.acks if row.group == group}
    return transcript.subscribed.get(group, frozenset()) | seen


def joined(transcript: Transcript) -> frozenset[str]:
    """The groups that had members: who assigns itself its partitions may commit for a group that
    nobody is in."""
    named = (pair for pairs in transcript.members.values() for pair in pairs)
    return frozenset(group for group, member in named if member)


def _place(standing: Standing, groups: frozenset[str]) -> Place:
    return Place(*(standing if standing.group in groups else standing._replace(active=None)))


def _bypassed(
    transcript: Transcript,
    standings: Iterable[Standing],
    before: Mapping[tuple[str, str, int], int],
) -> list[tuple[str, str]]:
    """(topic, sentence) for positions that moved, from where they were `before`, without an ack on
    a link."""
    seen = dict(before)
    for ack in transcript.acks:
        place = (ack.group, ack.topic, ack.partition)
        seen[place] = max(seen.get(place, -1), ack.offset)
    found = []
    for s in standings:
        if s.committed > max(seen.get((s.group, s.topic, s.partition), -1), 0):
            text = (
                f"group {s.group} stands at {s.committed} of {s.topic}-{s.partition}, but no ack "
                "that far was seen on a link: check that the consumer uses chaos.bootstrap_servers"
            )
            found.append((s.topic, text))
    return found


def unended(side: Side, topics: Iterable[str], identity: Identity) -> list[Stored]:
    """What stands behind the begin of a transaction that nobody has ended."""
    return stored_rows(side.blocked(topics), identity) if topics else []


def strangers(
    transcript: Transcript,
    names: frozenset[str],
    before: Mapping[tuple[str, str, int], int],
    now: Mapping[tuple[str, str, int], int],
) -> frozenset[str]:
    """Groups that moved on destinations of these `names`, from where they were `before`, though no
    link saw anybody join them or commit for them."""
    return frozenset(
        place[0]
        for place, offset in now.items()
        if place[1] in names
        and place[0] not in transcript.groups
        and offset > max(before.get(place, -1), 0)
    )


def _ids(rows: Iterable[Stored]) -> frozenset[str]:
    return frozenset(row.id for row in rows if row.id is not None)


def _led_anew(
    before: Mapping[tuple[str, int], int], now: Mapping[tuple[str, int], int]
) -> frozenset[tuple[str, int]]:
    """Partitions with more leaderships `now` than `before`."""
    return frozenset(place for place, epoch in now.items() if epoch > before.get(place, 0))


def build(
    *, transcript: Transcript, side: Side, identity: Identity, evidence: Evidence,
    baseline: Mapping[tuple[str, int], int],
    positions: Mapping[tuple[str, str, int], int],
    epochs: Mapping[tuple[str, int], int],
) -> History:  # fmt: skip
    """Read the broker back and put everything together."""
    flow = evidence.flow
    names = flow.inputs | flow.retries | flow.outputs | flow.dead_letters
    stored = stored_rows(side.read(names, baseline), identity)
    read = {group: reads(transcript, group) for group in transcript.groups}
    standings = [
        standing
        for standing in side.standings(transcript.groups, flow.inputs | flow.retries)
        if standing.topic in read[standing.group]
    ]
    transactions = Transactions(transcript)
    bypassed = _bypassed(transcript, standings, positions)
    groups = joined(transcript)
    return History(
        attempts=transcript.attempts,
        deliveries=transcript.deliveries,
        acks=tuple(transactions.acks()),
        committed=transactions.committed(),
        stored=tuple(stored),
        places=tuple(_place(standing, groups) for standing in standings),
        effects=settled(
            _posthumous(evidence.effects, evidence.processes),
            evidence.processes,
            transcript.deliveries,
        ),
        tables=evidence.tables,
        handled=evidence.handled,
        accepted=evidence.accepted,
        processes=tuple(sorted((*evidence.processes, *transcript.brokers))),
        rules=evidence.rules,
        rule_events=transcript.rule_events,
        flow=flow,
        expected=evidence.expected,
        gaps=(*transcript.gaps, *(text for _, text in bypassed), *evidence.nameless),
        gap_topics=transcript.gap_topics
        if transcript.gaps and not transcript.gap_topics
        else transcript.gap_topics
        | {topic for topic, _ in bypassed}
        | (flow.outputs if evidence.nameless else frozenset()),
        unidentified=transcript.unidentified,
        limits=evidence.limits,
        links=transcript.links,
        spans=transcript.spans,
        readers=transcript.consumers,
        asked=transcript.asked,
        effect_topics=evidence.effect_topics,
        nameless_effects=bool(evidence.nameless),
        absent=evidence.absent,
        strangers=strangers(transcript, flow.inputs | flow.retries, positions, side.positions()),
        led_anew=_led_anew(epochs, side.epochs()),
        blocked=_ids(unended(side, names, identity)),
        pending=_ids(evidence.pending),
        lone=side.lone(),
        starts={place: start for place, (start, _) in side.ends(names).items()},
        compacted=evidence.compacted,
        unconfirmed=evidence.unconfirmed,
        disowned=evidence.disowned,
        started=evidence.started,
    )
