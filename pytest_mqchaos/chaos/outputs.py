"""An output topic as a source of effects: `chaos.effects.from_topic`. `by` is what all of its
records are of, and so is `part`, unless a function tells it of each (a splitter's).

    read back (committed view) --same place in the log--> the publish that put it there
        id, key, value                       when it (or its transaction) happened, by whom

It knows the log and the transcript; it must never know a verdict. A record that no link saw being
published only has the interval between two looks.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeAlias

from pytest_mqchaos.chaos.transactions import Transactions
from pytest_mqchaos.errors import UsageError
from pytest_mqchaos.frames import Record
from pytest_mqchaos.history.identity import Identity, content
from pytest_mqchaos.history.rows import Attempt, Effect

if TYPE_CHECKING:
    from pytest_mqchaos.chaos.side import Side
    from pytest_mqchaos.relay.transcript import Transcript

Part: TypeAlias = str | Callable[[Record], object] | None
"""The part that all records are of, or a function that tells it of each."""
_Place = tuple[int, int, bytes]  # partition, offset, content: an offset may be given twice


class Output:
    """One output topic, from `baseline` (partition -> first offset) on."""

    timed = True
    before: frozenset[str] = frozenset()  # what stood there is not read at all

    def __init__(
        self, name: str, *, side: Side, identity: Identity, transcript: Callable[[], Transcript],
        baseline: dict[tuple[str, int], int], clock: Callable[[], int],
        part: Part = None, by: str | None = None,
    ) -> None:  # fmt: skip
        self.name = name
        self._part, self._by = part, by
        self._clock = clock
        self._side = side
        self._identity = identity
        self._transcript = transcript
        self._begin = dict(baseline)
        self._next = dict(baseline)
        self._epochs = self._leaderships()
        self._last = self._clock()
        self._records: list[tuple[Record, int, int]] = []

    def look(self) -> bool:
        """Read what was stored since the last look; whether there was any."""
        asked = self._clock()
        seen = self._cut_off()
        fresh = self._side.read([self.name], self._next)
        seen_at = self._clock()
        new = False
        for record in fresh:
            self._next[record.topic, record.partition] = record.offset + 1
            span = seen.get(record)
            new = new or span is None
            self._records.append((record, *(span or (self._last, seen_at))))
        self._last = asked
        return new

    def _leaderships(self) -> dict[tuple[str, int], int]:
        return {place: n for place, n in self._side.epochs().items() if place[0] == self.name}

    def _cut_off(self) -> dict[Record, tuple[int, int]]:
        """Forget what was read of partitions that are led anew: the log may have been cut, and its
        offsets given to others. Gives what was read, and when."""
        epochs = self._leaderships()
        anew = {place for place, n in epochs.items() if n > self._epochs.get(place, 0)}
        self._epochs = epochs
        if not anew:
            return {}
        seen, kept = {}, []
        for record, since, until in self._records:
            if (record.topic, record.partition) in anew:
                seen[record] = (since, until)
            else:
                kept.append((record, since, until))
        self._records = kept
        for place in anew:
            self._next.pop(place, None)
            self._next |= {place: self._begin[place]} if place in self._begin else {}
        return seen

    def nameless(self) -> list[str]:
        """Sentences about records whose id cannot be told: whose effect they are is not known."""
        found = [self._identity.find(record) for record, _, _ in self._records]
        reasons = [each.reason for each in found if each.mine and not each.ids]
        if not reasons:
            return []
        text = f"{len(reasons)} of {len(found)} records of the output topic {self.name} have no id"
        return [f"{text} ({reasons[0]}): let the service keep it, or give id= per destination"]

    def effects(self, start: int, order: bool) -> list[Effect]:  # noqa: FBT001 - as Watch
        """One effect per record and id: per partition in the order of the log, partitions merged by
        the instants of their publishes."""
        if not self._records:
            return []
        exact, alike = self._publishes()
        transactions = Transactions(self._transcript())
        latest: dict[int, int] = {}
        made = []
        for record, since, until in self._records:
            digest = content(record.key, record.value)
            said = exact.get((record.partition, record.offset, digest))
            said = said or alike.get((record.partition, digest))
            t_from, t_to = transactions.span(said) if said else (since, until)
            # A log has one order, whatever the instants of two overlapping publishes say.
            rank = latest[record.partition] = max(latest.get(record.partition, 0), t_from)
            owner = said.owner if said else None
            ids = self._identity.find(record).ids
            made += [(rank, record, one, t_from, t_to, owner) for one in ids]
        made.sort(key=lambda row: row[0])
        return [
            Effect(
                start + n if order else None, t_from, t_to, one, self._part_of(record), self._by,
                _text(record.key), _text(record.value), owner, posthumous=False, countable=True,
            )
            for n, (_, record, one, t_from, t_to, owner) in enumerate(made)
        ]  # fmt: skip

    def _part_of(self, record: Record) -> str | None:
        if not callable(self._part):
            return self._part
        try:
            found = self._part(record)
        except Exception as error:
            raise UsageError(
                f"from_topic({self.name!r}, part=...) raised {type(error).__name__}: {error}, for "
                f"{record.topic}-{record.partition}@{record.offset}: it must take any Record of "
                "the topic and give the name of its part, or None"
            ) from error
        return None if found is None else str(found)

    def _publishes(self) -> tuple[dict[_Place, Attempt], dict[tuple[int, bytes], Attempt]]:
        """Publishes by the place that the broker told, and first ones of a content whose place was
        never told: at what instant these took effect has no upper bound."""
        exact: dict[_Place, Attempt] = {}
        alike: dict[tuple[int, bytes], Attempt] = {}
        for attempt in self._transcript().attempts:
            if attempt.topic != self.name or not attempt.reached:
                continue
            if attempt.offset >= 0:
                place = (attempt.partition, attempt.offset, attempt.content)
                exact.setdefault(place, attempt)
            else:
                alike.setdefault((attempt.partition, attempt.content), attempt._replace(end_t=0))
        return exact, alike


def _text(data: bytes | None) -> str | None:
    return None if data is None else data.decode(errors="backslashreplace")
