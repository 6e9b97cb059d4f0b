"""Did first effects follow the order of publishing (or of the log), per key?

One pass finds the keys whose effects run against the order of rows at all; only these are looked
at closely, where only a *proven* order counts (precedence.py). `against="stored"` stays proven in
spite of a gap (the log was read back); `against="published"` does not: an earlier frame of the
same message may have passed unseen. A pair with a posthumous effect is unknown; so is one of two
topics that merely have the same key, between which nobody keeps an order.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable
from typing import Literal, NamedTuple, TypeAlias

from pytest_mqchaos.checkers.advice.swapped import swapped_by
from pytest_mqchaos.checkers.answer import answer, expected
from pytest_mqchaos.checkers.doubts import SHOWN, Doubt, gap_touches, need_effects, standing_doubts
from pytest_mqchaos.checkers.evidence.keys import lanes, shared
from pytest_mqchaos.checkers.evidence.pending import pending_doubts
from pytest_mqchaos.checkers.evidence.precedence import ended, opened, producer
from pytest_mqchaos.checkers.verdict import Checker, Finding, Verdict
from pytest_mqchaos.checkers.wording import number
from pytest_mqchaos.errors import unknown
from pytest_mqchaos.history.history import History
from pytest_mqchaos.history.identity import Spec
from pytest_mqchaos.history.index import Index, index_of
from pytest_mqchaos.history.rows import Effect, Stored

Against: TypeAlias = Literal["published", "stored"]
_Lane: TypeAlias = tuple[Hashable, str | None]


class Swap(NamedTuple):
    """`early` took effect before `late`, though it comes after it."""

    late: str
    early: str


def ordered(
    *, by: Spec | None = "key", against: Against = "published", strict: bool = False
) -> Checker:
    """Per key, first effects follow the order of publishing.

    `by`: "key" (between topics that have one in common it is unknown), "partition", a spec of
    identity, or None for one sequence of all. `against`: "stored" asks the consumer alone.
    `strict`: repeats may not run backwards either.
    """
    if against not in ("published", "stored"):
        raise unknown("against", against, ("published", "stored"))

    def check(history: History) -> Verdict:
        need_effects(history, "ordered")
        index = index_of(history)
        suspects, keys = _suspects(index, by, against)
        swaps: dict[_Lane, list[Swap]] = {}
        unsure: list[Finding] = []
        between: list[Finding] = []
        for lane, effects in suspects.items():
            each = _by_topic(index, effects) if (by, against) == ("key", "published") else [effects]
            found = [_swaps(index, one, against, strict=strict) for one in each]
            proven = [swap for sure, _ in found for swap in sure]
            doubtful = [swap for _, dead in found for swap in dead]
            if proven:
                swaps[lane] = proven
            elif len(each) > 1:
                across, dead = _swaps(index, effects, against, strict=strict)
                more = [swap for swap in across + dead if swap not in doubtful]
                between += [_finding(index, lane, swap, "not known") for swap in more]
            unsure += [_finding(index, lane, swap, "posthumous") for swap in doubtful]
        failed = [_finding(index, lane, swap) for lane, each in swaps.items() for swap in each[:5]]
        doubts = standing_doubts(index) + pending_doubts(index) + _doubts(index, unsure)
        doubts += _of_two_topics(between)
        if against == "stored" and not history.read_back:
            doubts.append(
                Doubt(sentence="the log was not read back", missing="let it be read back")
            )
        if failed and against == "published" and gap_touches(history):
            doubts = [*doubts, _unproven(failed)]
            failed = []
        return answer(
            "ordered",
            index,
            population={**index.funnel, "keys": keys, "out of order": len(swaps)},
            size=keys,
            passed=f"effects of {number(keys, 'key')} with more than one message in order",
            failed=failed,
            sentence=_sentence(failed, len(swaps), keys, against),
            doubts=doubts,
            advice=_ADVICE.get(failed[0].where, "") if failed else "",
            nothing="no key with more than one message that took effect",
            add="publish several messages per key, or say by=...",
            possible=None if keys else shared(index, by, expected(index)),
        )

    return check


_ADVICE = {
    "consumer": "handle the messages of one key one after the other",
    "producer": "send what belongs together to one partition, idempotent or one in flight",
    "repeat": "guard what is written by version or sequence, or record the processed id in the "
    "same transaction as the work",
    "consumers": "finish or give up what was in work before a partition moves, and commit no "
    "further than what is done",
    "broker": "finish or give up what was in work before a partition moves",
}


def _positions(index: Index, against: Against) -> dict[str, int]:
    """The row order of each id: a fast stand-in for the proven order, never contradicting it."""
    if against == "published":
        return index.rank
    first: dict[str, Stored] = {}
    for row in index.stored:
        if row.id is not None and (row.id not in first or row.offset < first[row.id].offset):
            first[row.id] = row
    return {name: row.offset for name, row in first.items()}


def _suspects(
    index: Index, by: Spec | None, against: Against
) -> tuple[dict[_Lane, list[Effect]], int]:
    """Effects of the lanes that run backwards somewhere, and the number of keys with several."""
    keys: list[Hashable | None] = lanes(index, by)
    split = len(index.subscribers) > 1
    if split:
        keys = [None if k is None else (k, e[5]) for k, e in zip(keys, index.effects, strict=True)]
    rank = _positions(index, against)
    first: dict[Hashable, int] = {}
    last: dict[Hashable, int] = {}
    odd: set[Hashable] = set()
    for key, at in zip(keys, map(rank.get, index.effect_ids), strict=True):
        if at is None or key is None:
            continue
        before = last.get(key)
        if before is None:
            first[key] = last[key] = at
        elif before < at:
            last[key] = at
        elif before > at:
            odd.add(key)
    several = odd.union(key for key, at in first.items() if last[key] != at)
    found: dict[_Lane, list[Effect]] = defaultdict(list)
    # Rows of a source without an order stand where they like: they prove nothing (see _doubts).
    loose = {e[3] for e in index.effects if e[0] is None} if odd else set()
    for key, effect in zip(keys, index.effects, strict=True) if odd else ():
        if key in odd and effect.id in rank and effect.id not in loose:
            found[key if split else (key, None)].append(effect)  # type: ignore[index]
    return found, len(several)


def _by_topic(index: Index, effects: list[Effect]) -> list[list[Effect]]:
    """The effects of one key, those of messages of one topic together."""
    found: dict[str, list[Effect]] = defaultdict(list)
    for effect in effects:
        found[index.first[effect.id].topic].append(effect)
    return list(found.values())


def _swaps(
    index: Index, effects: list[Effect], against: Against, *, strict: bool
) -> tuple[list[Swap], list[Swap]]:
    """The swaps of one lane that are proven, and those that hang on a posthumous effect."""
    dead = {e.id for e in effects if e.posthumous}
    every = _run(index, [e.id for e in effects], against, strict=strict)
    if not dead:
        return every, []
    sure = _run(index, [e.id for e in effects if e.id not in dead], against, strict=strict)
    alive = _run(index, [e.id for e in effects if not e.posthumous], against, strict=strict)
    return sure, [swap for swap in dict.fromkeys(every + alive) if dead & set(swap)]


def _run(index: Index, ids: list[str], against: Against, *, strict: bool) -> list[Swap]:
    sequence = ids if strict else list(dict.fromkeys(ids))
    sequence = [name for name in sequence if name not in index.ambiguous]
    found = (
        _against_log(index, sequence) if against == "stored" else _against_publish(index, sequence)
    )
    return list(dict.fromkeys(found))


def _against_log(index: Index, sequence: list[str]) -> list[Swap]:
    highest: dict[tuple[str, int], tuple[int, str]] = {}
    found = []
    for name in sequence:
        rows = [s for s in index.stories.stored[name] if s.topic in index.inputs]
        row = min(rows)  # by topic, partition, offset: no two rows have the same
        top = highest.get((row.topic, row.partition))
        if top is not None and top[0] > row.offset and len({(s[0], s[1]) for s in rows}) == 1:
            found.append(Swap(name, top[1]))
        else:
            highest[row.topic, row.partition] = (row.offset, name)
    return found


def _against_publish(index: Index, sequence: list[str]) -> list[Swap]:
    """Compare each message with the latest that already took effect: of its connection (by frame),
    of its connection and partition (by row), of its producer's connections that were opened when
    its own had ended, and of all (by its confirm)."""
    latest: dict[object, tuple[int, str]] = {}
    found = []
    for name in sequence:
        first = index.first[name]
        link = (first.link, first.owner)
        told = index.told.get(name)
        marks: list[tuple[object, int, int | None]] = [
            (link, first.seq, first.seq),
            ((*link, first.topic, first.partition), index.rank[name], index.rank[name]),
            (("again", *producer(first)), opened(index, first), ended(index, first)),
            ("all", first.seq, told),
        ]
        beaten = [latest[m][1] for m, _, own in marks
                  if m in latest and own is not None and latest[m][0] > own]  # fmt: skip
        if beaten:
            found.append(Swap(name, beaten[0]))
        for mark, at, _ in marks:
            if mark not in latest or at > latest[mark][0]:
                latest[mark] = (at, name)
    return found


def _finding(index: Index, lane: _Lane, swap: Swap, what: str = "out of order") -> Finding:
    who, text = swapped_by(index, swap.late, swap.early, lane[1])
    swapped = f"{swap.early!r} took effect before {swap.late!r}"
    said = text if who == "repeat" else f"{swapped}: {text}"
    return Finding(id=swap.late, what=what, where=who, text=said, by=lane[1])


def _doubts(index: Index, unsure: list[Finding]) -> list[Doubt]:
    made = []
    loose = sum(1 for e in index.effects if e[0] is None)
    if loose and any(effect.source for effect in index.effects):
        made.append(
            Doubt(
                sentence=f"{number(loose, 'effect')} in several sources: nobody knows which was "
                "first",
                missing="declare only the source whose order is asked",
            )
        )
    elif loose:
        made.append(
            Doubt(
                sentence=f"{number(loose, 'effect')} in a source without an order of its own",
                missing="order the query by a number that grows with each row (order by seq: a "
                "time has ties, desc is backwards), say from_call(..., ordered=True) of a list "
                "that only grows, or record effects in process or in a file",
            )
        )
    if unsure:
        made.append(
            Doubt(
                sentence=f"the order hangs on a posthumous effect: {unsure[0].text}",
                missing="run the worker as a process (process=True)",
                findings=tuple(unsure[:SHOWN]),
            )
        )
    return made


def _of_two_topics(findings: list[Finding]) -> list[Doubt]:
    if not findings:
        return []
    return [
        Doubt(
            sentence=f"two topics have a key in common, and no order: {findings[0].text}",
            missing="where one order over all topics is meant: ordered(by={'*': 'key'}), or "
            "assert_causal(...) for what waits for its cause; where not: "
            "ordered(by=lambda record: f'{record.topic} {record.key}')",
            findings=tuple(findings[:SHOWN]),
        )
    ]


def _unproven(failed: list[Finding]) -> Doubt:
    return Doubt(
        sentence=f"perhaps out of order, unless it was published earlier unseen: {failed[0].text}",
        missing='let every producer use the chaos address, or ask ordered(against="stored")',
        findings=tuple(failed[:SHOWN]),
    )


def _sentence(failed: list[Finding], odd: int, keys: int, against: Against) -> str:
    if not failed:
        return ""
    order = "publishing" if against == "published" else "the log"
    return f"{odd} of {number(keys, 'key')} not in the order of {order}: {failed[0].text}"
