"""Is each producer's numbering continuous, per partition, as the consumer under test sees it?

Where a topic's records are the effects (`chaos.effects.from_topic`) and nobody reads it, a producer
is under test: then its log is asked.

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

from pytest_mqchaos.checkers.answer import answer
from pytest_mqchaos.checkers.doubts import SHOWN, Doubt, bypass_doubts, gap_doubts, gap_touches
from pytest_mqchaos.checkers.evidence.numbered import again, incomplete, seen, unread
from pytest_mqchaos.checkers.verdict import Checker, Finding, Verdict
from pytest_mqchaos.checkers.wording import listed, number
from pytest_mqchaos.errors import UsageError, unknown
from pytest_mqchaos.frames import Record
from pytest_mqchaos.history.history import History
from pytest_mqchaos.history.identity import Identity, Spec
from pytest_mqchaos.history.index import Index, index_of

Numbered: TypeAlias = tuple[str, int] | None
Per: TypeAlias = Sequence[Spec] | Callable[[Record], object]
_PAIR = 2
_PER = "say where producer and sequence stand: per=(producer, sequence)"
_AGAIN = (
    "a group is handed again what it has not committed: repeats='allowed' asks for gaps and "
    "disorder alone, and assert_idempotent() whether the work was done twice"
)
_READ = "let a consumer read it, or judge a producer by its log: chaos.effects.from_topic(topic)"


class _Lane(NamedTuple):
    """One producer's messages on one partition, as one subscriber gets them."""

    subscriber: str | None
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
        bad: list[tuple[str, str]] = []
        for reader, record in seen(index):
            try:
                pair = numbered(record)
            except ValueError as error:
                what = "record" if reader is None else "delivery"
                bad.append((what, f"{record.topic}-{record.partition}@{record.offset}: {error}"))
                continue
            if pair is not None:
                runs[_Lane(reader, pair[0], record.topic, record.partition)].see(pair[1])
        found, cut = _findings(index, runs, starts_at, allowed=repeats == "allowed")
        doubts = gap_doubts(history) + bypass_doubts(index) + _unnumbered(bad)
        if unread(index) and not history.read_back:
            doubts.append(
                Doubt(sentence="the log was not read back", missing="let it be read back")
            )
        if cut:
            text = f"numbers no longer in the log: {cut[0].text}"
            missing = "give the topic a retention and a cleanup.policy that keep all of a test"
            doubts.append(Doubt(sentence=text, missing=missing, findings=tuple(cut[:SHOWN])))
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
            advice=_AGAIN if _only_again(index, found, runs) else "",
            nothing="no numbered message was delivered",
            add=_PER if index.history.deliveries or unread(index) else f"{_READ}, or {_PER}",
        )

    return check


def _only_again(index: Index, found: Sequence[Finding], runs: dict[_Lane, _Run]) -> bool:
    """Whether all that is wrong are repeats, and each because its record was handed out again."""
    repeats = sum(len(run.repeats) for run in runs.values())
    return bool(found) and {f.what for f in found} == {"repeat"} and repeats <= again(index)


def _unnumbered(bad: list[tuple[str, str]]) -> list[Doubt]:
    if not bad:
        return []
    what, shown = bad[0]
    many = "records" if what == "record" else "deliveries"
    text = f"{number(len(bad), what, many)} without a number: {shown}"
    return [Doubt(sentence=text, missing=_PER)]


def _reader(per: Per) -> Callable[[Record], Numbered]:
    if callable(per):
        function = per

        def call(record: Record) -> Numbered:
            try:
                pair = function(record)
            except Exception as error:
                raise ValueError(f"per raised {type(error).__name__}: {error}") from error
            return None if pair is None else _checked(pair)

        return call
    if isinstance(per, str) or len(per) != _PAIR:
        raise UsageError(f"no_gaps(per={per!r}): give a pair (producer, sequence) or a callable.")
    producer, sequence = Identity.parse(per[0]), Identity.parse(per[1])

    def read(record: Record) -> Numbered:
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


def _findings(
    index: Index, runs: dict[_Lane, _Run], starts_at: int | None, *, allowed: bool
) -> tuple[list[Finding], list[Finding]]:
    """What is wrong, and the gaps of logs that no longer hold all that was stored."""
    found: list[Finding] = []
    cut: list[Finding] = []
    for lane, run in sorted(runs.items(), key=lambda each: (each[0][0] or "", each[0])):
        what = {"gap": run.gaps(starts_at), "regression": run.regressions,
                "repeat": [] if allowed else run.repeats}  # fmt: skip
        where = "in the log" if lane.subscriber is None else f"for {lane.subscriber}"
        name = f"{lane.producer} on {lane.topic}-{lane.partition} {where}"
        log_cut = lane.subscriber is None and incomplete(index, lane.topic, lane.partition)
        for kind, numbers in what.items():
            if numbers:
                text = f"{kind} at {listed(numbers)} of {name}"
                finding = Finding(id=lane.producer, what=kind, text=text, by=lane.subscriber)
                (cut if log_cut and kind == "gap" else found).append(finding)
    return found, cut
