"""Is each producer's numbering continuous, per partition, as the consumer under test sees it?

Told apart: *gap* (a number never came), *repeat* (a number came again), *regression* (a number came
after a higher one). What comes before the first and after the last number seen cannot be missed
by continuity: `starts_at` closes the front, lossless the rest. A repeat and a regression were seen,
so they stay proven in spite of a gap in what we saw; a missing number may be in it: unknown.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Literal, NamedTuple, TypeAlias

from pytest_mqchaos.checkers.answer import (
    SHOWN,
    Doubt,
    answer,
    bypass_doubts,
    gap_doubts,
    gap_touches,
    listed,
    number,
)
from pytest_mqchaos.checkers.keys import record_of
from pytest_mqchaos.checkers.verdict import Checker, Finding, Verdict
from pytest_mqchaos.errors import UsageError, unknown
from pytest_mqchaos.frames import Record
from pytest_mqchaos.history.history import History
from pytest_mqchaos.history.identity import Identity, Spec
from pytest_mqchaos.history.index import index_of
from pytest_mqchaos.history.rows import Delivery

Numbered: TypeAlias = tuple[str, int] | None
Per: TypeAlias = Sequence[Spec] | Callable[[Record], object]
_PAIR = 2


class _Lane(NamedTuple):
    """One producer's messages on one partition, as one subscriber gets them."""

    subscriber: str
    producer: str
    topic: str
    partition: int


@dataclass(slots=True)
class _Run:
    """What one lane has seen."""

    seen: set[int] = field(default_factory=set)
    repeats: list[int] = field(default_factory=list)
    regressions: list[int] = field(default_factory=list)

    def see(self, sequence: int) -> None:
        if sequence in self.seen:
            self.repeats.append(sequence)
        elif self.seen and sequence < max(self.seen):
            self.regressions.append(sequence)
        self.seen.add(sequence)

    def gaps(self, starts_at: int | None) -> list[int]:
        first = min(self.seen) if starts_at is None else min(starts_at, *self.seen)
        return sorted(set(range(first, max(self.seen))) - self.seen)


def no_gaps(
    *,
    per: Per,
    starts_at: int | None = None,
    repeats: Literal["forbidden", "allowed"] = "forbidden",
) -> Checker:
    """Sequences per producer and partition have no gap, no repeat and no regression.

    `per`: a pair of specs of identity, (producer, sequence), or a callable Record -> (producer,
    sequence) or None for "not numbered". `repeats="allowed"`: at least once is enough.
    """
    if repeats not in ("forbidden", "allowed"):
        raise unknown("repeats", repeats, ("forbidden", "allowed"))
    numbered = _reader(per)

    def check(history: History) -> Verdict:
        index = index_of(history)
        runs: dict[_Lane, _Run] = defaultdict(_Run)
        bad: list[str] = []
        for delivery in sorted(history.deliveries, key=lambda d: d.seq):
            if not delivery.reached or delivery.topic not in index.inputs:
                continue
            try:
                pair = numbered(delivery)
            except ValueError as error:
                bad.append(f"{delivery.topic}-{delivery.partition}@{delivery.offset}: {error}")
                continue
            if pair is not None:
                subscriber = delivery.group or delivery.owner
                lane = _Lane(subscriber, pair[0], delivery.topic, delivery.partition)
                runs[lane].see(pair[1])
        found = _findings(runs, starts_at, allowed=repeats == "allowed")
        doubts = gap_doubts(history) + bypass_doubts(index)
        if bad:
            sentence = f"{number(len(bad), 'delivery', 'deliveries')} without a number: {bad[0]}"
            missing = "say where producer and sequence stand: per=(producer, sequence)"
            doubts.append(Doubt(sentence=sentence, missing=missing))
        if gap_touches(history):
            hidden = tuple(f for f in found if f.what == "gap")
            found = [f for f in found if f.what != "gap"]
            if hidden:
                text = f"numbers not seen: {hidden[0].text}"
                missing = "let every consumer use the chaos address"
                doubts.append(Doubt(sentence=text, missing=missing, findings=hidden[:SHOWN]))
        numbers = sum(len(run.seen) for run in runs.values())
        return answer(
            "no_gaps",
            index,
            population={**index.funnel, "sequences": len(runs), "numbers": numbers},
            size=numbers,
            passed=f"{number(len(runs), 'sequence')} continuous ({number(numbers, 'number')})",
            failed=found,
            sentence=f"{number(len(runs), 'sequence')} looked at: "
            + "; ".join(finding.text for finding in found[:3]),
            doubts=doubts,
            nothing="no numbered message was delivered",
            add="say where producer and sequence stand: per=(producer, sequence)",
        )

    return check


def _reader(per: Per) -> Callable[[Delivery], Numbered]:
    if callable(per):
        function = per

        def call(delivery: Delivery) -> Numbered:
            try:
                pair = function(record_of(delivery))
            except Exception as error:
                raise ValueError(f"per raised {type(error).__name__}: {error}") from error
            return None if pair is None else _checked(pair)

        return call
    if isinstance(per, str) or len(per) != _PAIR:
        raise UsageError(f"no_gaps(per={per!r}): give a pair (producer, sequence) or a callable.")
    producer, sequence = Identity.parse(per[0]), Identity.parse(per[1])

    def read(delivery: Delivery) -> Numbered:
        record = record_of(delivery)
        who, at = producer.find(record), sequence.find(record)
        if not (who.mine and at.mine):
            return None
        if not (who.ids and at.ids):
            raise ValueError(who.reason or at.reason)
        return _checked((who.ids[0], at.ids[0]))

    return read


def _checked(pair: object) -> tuple[str, int]:
    if isinstance(pair, tuple | list) and len(pair) == _PAIR:
        try:
            return str(pair[0]), int(pair[1])
        except (TypeError, ValueError):
            pass  # said below, with what was found
    raise ValueError(f"{pair!r} is not (producer, whole number)")


def _findings(runs: dict[_Lane, _Run], starts_at: int | None, *, allowed: bool) -> list[Finding]:
    found = []
    for lane, run in sorted(runs.items()):
        what = {"gap": run.gaps(starts_at), "regression": run.regressions,
                "repeat": [] if allowed else run.repeats}  # fmt: skip
        name = f"{lane.producer} on {lane.topic}-{lane.partition} for {lane.subscriber}"
        found += [
            Finding(id=lane.producer, what=kind, text=f"{kind} at {listed(numbers)} of {name}",
                    by=lane.subscriber)
            for kind, numbers in what.items() if numbers
        ]  # fmt: skip
    return found
