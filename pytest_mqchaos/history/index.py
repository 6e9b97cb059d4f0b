"""What the rows of one history say about all messages: sets and tables, each made on first use.

    History --index_of--> Index (sets over row tuples) --story(id, by)--> Story (few, on demand)

A row whose `id` is None is unidentified; what is "not mine" has no row at all.
It judges nothing. Rows are indexed by number here where a run may hold millions of them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from functools import cached_property
from itertools import chain
from operator import eq, itemgetter

from pytest_mqchaos.history.history import History
from pytest_mqchaos.history.positions import Positions
from pytest_mqchaos.history.rows import PUBLISHER, Attempt, Delivery, Effect, Stored
from pytest_mqchaos.history.story import Stories, Story


class Index:
    """The tables over one history. Ask `index_of(history)` for it: it is made once."""

    def __init__(self, history: History) -> None:
        self.history = history
        self.inputs = history.flow.inputs
        self.positions = Positions(history)

    # ------------------------------------------------------------ what was published

    @cached_property
    def attempts(self) -> list[Attempt]:
        """Publish attempts of identified messages to input destinations, in order of seq."""
        inputs = self.inputs
        return [a for a in self.history.attempts if a[7] is not None and a[5] in inputs]

    @cached_property
    def nameless(self) -> tuple[int, str]:
        """How many messages of judged roles have no id (records, else attempts), and one shown.
        `History.unidentified` counts as it is where no row tells the destination."""
        flow, history = self.history.flow, self.history
        loose = history.unidentified or _has(None, 7, history.attempts)
        if not loose and not _has(None, 3, history.stored):
            return 0, ""
        judged = flow.inputs | flow.retries | flow.dead_letters
        stored = [s for s in history.stored if s[3] is None]
        sent = [a for a in history.attempts if a[7] is None]
        kept = [f"{s[0]}-{s[1]}@{s[2]}" for s in stored if s[0] in judged]
        told = kept or [f"a publish to {a[5]}" for a in sent if a[5] in judged]
        shown = [text for text in history.unidentified if any(t in text for t in judged)]
        if told:
            return len(told), (shown or told)[0]
        elsewhere = stored or sent or any(d[8] is None for d in history.deliveries)
        if history.unidentified and not elsewhere:
            return len(history.unidentified), history.unidentified[0]
        return 0, ""

    @cached_property
    def _ids(self) -> list[str]:
        return [a[7] for a in self.attempts if a[7] is not None]

    @cached_property
    def rank(self) -> dict[str, int]:
        """The row number of each id's first attempt: within one frame, the order in the batch."""
        ids = self._ids
        return dict(zip(reversed(ids), range(len(ids) - 1, -1, -1), strict=True))

    @cached_property
    def first(self) -> dict[str, Attempt]:
        """The first attempt of each id."""
        return dict(zip(reversed(self._ids), reversed(self.attempts), strict=True))

    @cached_property
    def told(self) -> dict[str, int]:
        """`seq` of the first confirm of each id."""
        return {
            a[7]: a[14]
            for a in sorted(self.attempts, key=lambda a: -a[14])
            if a[13] == "confirmed" and a[14] > 0 and a[7] is not None
        }

    @cached_property
    def stored(self) -> list[Stored]:
        """Identified records of input destinations, as read back."""
        inputs = self.inputs
        return [s for s in self.history.stored if s[3] is not None and s[0] in inputs]

    @cached_property
    def stored_ids(self) -> set[str]:
        """Ids that an input destination holds at the end."""
        return {s[3] for s in self.stored if s[3] is not None}

    @cached_property
    def withdrawn(self) -> set[str]:
        """Ids whose every attempt was inside a transaction, none of them one that is known to be
        committed, and that the committed view of the log does not show: aborted, hence neither lost
        nor repeated. While a transaction is open nobody knows."""
        inside = {a[7] for a in self.attempts if a[20] is not None and a[7] is not None}
        if not inside or not self.history.read_back:
            return set()
        kept = self.history.committed
        outside = {a[7] for a in self.attempts if a[20] is None or a[0] in kept}
        return inside - outside - self.stored_ids - self.history.blocked

    @cached_property
    def confirmed(self) -> set[str]:
        """Ids that a producer was told are safe."""
        told = {a[7] for a in self.attempts if a[13] == "confirmed" and a[7] is not None}
        return told - self.withdrawn if self.withdrawn else told

    @cached_property
    def unconfirmable(self) -> set[str]:
        """Ids published in a mode without confirms (acks=0): accepted when sent."""
        if not _has(0, 11, self.attempts):
            return set()
        return {a[7] for a in self.attempts if a[11] == 0 and a[7] is not None} - self.withdrawn

    @cached_property
    def accepted(self) -> dict[str, int]:
        """Instant at which the service first told its caller that an id is safe."""
        return {a.id: a.t for a in sorted(self.history.accepted, key=lambda a: -a.t)}

    @cached_property
    def owed(self) -> set[str]:
        """Ids that must have an effect: confirmed or accepted."""
        more = bool(self.unconfirmable or self.accepted)
        return self.confirmed.union(self.unconfirmable, self.accepted) if more else self.confirmed

    @cached_property
    def ambiguous(self) -> dict[str, list[tuple[bytes | None, bytes | None]]]:
        """Ids with more than one content among input destinations, and these (key, value)s. Hops
        through other destinations are not looked at: they may well rewrite a message. And ids that
        the test gave to several of these destinations."""
        found = self._contents_by_id()
        return found | {i: self._first_content(i) for i in self.given_to_several if i not in found}

    @cached_property
    def given_to_several(self) -> dict[str, list[str]]:
        """Ids that the test itself published to several input destinations, and these. They may be
        different messages (an order and its cancellation), or the same one twice."""
        if len(self.inputs) < 2:  # noqa: PLR2004 - several
            return {}
        found: dict[str, set[str]] = defaultdict(set)
        for name, row in zip(self._ids, self.attempts, strict=True):
            if row.owner == PUBLISHER:
                found[name].add(row.topic)
        return {name: sorted(topics) for name, topics in found.items() if len(topics) > 1}

    def _first_content(self, name: str) -> list[tuple[bytes | None, bytes | None]]:
        return [(self.first[name].key, self.first[name].value)]

    def _contents_by_id(self) -> dict[str, list[tuple[bytes | None, bytes | None]]]:
        """What `ambiguous` says of contents."""
        sent, held = list(map(itemgetter(10), self.attempts)), list(map(itemgetter(6), self.stored))
        there = list(map(itemgetter(3), self.stored))
        some: dict[str | None, bytes] = dict(zip(self._ids, sent, strict=True))
        once = len(some) == len(sent) or all(map(eq, map(some.get, self._ids), sent))
        if once and all(map(eq, map(some.get, there), held)):
            return {}  # what was stored was sent so, and every time so
        ids, contents = [*self._ids, *there], sent + held
        some = dict(zip(ids, contents, strict=True))
        odd = {i for i, c in zip(ids, contents, strict=True) if some[i] != c}
        found: dict[str, dict[bytes, tuple[bytes | None, bytes | None]]] = defaultdict(dict)
        for i, key, value, digest in chain(
            ((a.id, a.key, a.value, a.content) for a in self.attempts),
            ((s.id, s.key, s.value, s.content) for s in self.stored),
        ):
            if i is not None and i in odd:
                found[i][digest] = (key, value)
        return {i: list(each.values()) for i, each in found.items()}

    def holds(self, row: Attempt | Delivery) -> bool:
        """Whether the log has, at the offset of this row, the message that the row is about. After
        a leader change it may be another one: what a new leader lacked is cut off."""
        place = (row.topic, row.partition)
        if place not in self.history.led_anew or row.offset < self.history.starts.get(place, 0):
            return True
        return self._contents.get((*place, row.offset)) == row.content

    @cached_property
    def _contents(self) -> dict[tuple[str, int, int], bytes]:
        """What stands where, in partitions whose offsets may have been given twice."""
        anew = self.history.led_anew
        return {s[:3]: s[6] for s in self.history.stored if s[:2] in anew}

    # ------------------------------------------------------------ what was done

    @cached_property
    def effects(self) -> list[Effect]:
        """All effects in their source's own order (those without one first, as they came)."""
        rows = self.history.effects or ()
        if _has(None, 0, rows):
            return sorted(rows, key=lambda e: -1 if e[0] is None else e[0])
        return sorted(rows, key=itemgetter(0))

    @cached_property
    def effect_ids(self) -> list[str]:
        """The id of each of `effects`."""
        return [e[3] for e in self.effects]

    @cached_property
    def known_effects(self) -> set[str]:
        """Ids with any effect, posthumous ones too."""
        return set(self.effect_ids)

    @cached_property
    def subscribers(self) -> tuple[str | None, ...]:
        """The `by` of effects, sorted; `(None,)` where effects name nobody."""
        names = set(map(itemgetter(5), self.history.effects or ()))
        return tuple(sorted(names, key=lambda n: n or "")) if names else (None,)

    def done(self, by: str | None) -> set[str]:
        """Ids with an effect for this subscriber, posthumous ones left out."""
        if by is None or self.subscribers == (by,):
            return self._alive
        return {e[3] for e in self.effects if not e[9] and e[5] == by}

    @cached_property
    def several(self) -> dict[str, list[str]]:
        """Ids with effects without a part in more than one source, and these sources: nobody said
        whether they are parts of one work or the same work twice."""
        if {None}.issuperset(map(itemgetter(12), self.effects)):
            return {}
        seen: dict[tuple[str, str | None], set[str]] = defaultdict(set)
        for effect in self.effects:
            if effect.part is None and effect.source is not None:
                seen[effect.id, effect.by].add(effect.source)
        return {name: sorted(each) for (name, _), each in seen.items() if len(each) > 1}

    @cached_property
    def _alive(self) -> set[str]:
        if _has(True, 9, self.effects):
            return {e[3] for e in self.effects if not e[9]}
        return self.known_effects

    # ------------------------------------------------------------ one message

    @cached_property
    def stories(self) -> Stories:
        """The rows by id."""
        return Stories(self.history, self.positions, self.effects)

    def story(self, message_id: str, by: str | None = None) -> Story:
        """What is known of one id, for one subscriber."""
        return self.stories.of(message_id, by)

    # ------------------------------------------------------------ the funnel

    @cached_property
    def funnel(self) -> dict[str, int]:
        """The stages in order: published, confirmed, accepted and dead count ids, the rest rows;
        acked and waiting count stored messages."""
        inputs, dead = self.inputs, self.history.flow.dead_letters
        unacked = self.positions.unpassed(self.stored)
        effects = self.history.effects or ()
        done = self.known_effects if unacked else set()
        at_groups = self.positions.read(self.stored)
        return {
            "published": len(self.first),
            "confirmed": len(self.confirmed),
            "stored": len(self.stored),
            "delivered": len([1 for d in self.history.deliveries if d[12] and d[5] in inputs]),
            "effects": len(effects),
            "acked": at_groups - len(unacked),
            "dead": len({s[3] for s in self.history.stored if s[0] in dead}) if dead else 0,
            "waiting": sum(1 for s in unacked if s[3] not in done),
        }


def _has(value: object, column: int, rows: Iterable[tuple[object, ...]]) -> bool:
    """Whether a column of rows holds a value; a generator would cost a frame a row."""
    return value in map(itemgetter(column), rows)


def index_of(history: History) -> Index:
    """The index of a history, made on first use and kept with it."""
    found = history.derived.get("index")
    if not isinstance(found, Index):
        found = history.derived["index"] = Index(history)
    return found
