"""Effects of one message that do not say by whom, where several readers were each handed it: each
may have done it once (several services), or one service did it again (replicas that each have a
group of their own).

    spread over the readers, each once: possible --> nobody knows     impossible --> done again

So are the readers of different topics of a chain, if none of its stages was handed it again. If one
was, and it is not known who did what: a stage works before it acks, and what other messages that
were handed to each stage once were all done once, shows that one stage alone does it.

A reader is a group, or a worker outside of any. Groups of one worker that no incarnation had
together are one: it names its group anew at each start. It never guesses who did what.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import NamedTuple, TypeAlias, cast

from pytest_mqchaos.checkers.evidence.how_often import ONE_HANDLING, cause, handed_out
from pytest_mqchaos.checkers.evidence.moved_on import NEVER, sent_by_its_reader
from pytest_mqchaos.checkers.evidence.whose import groups_of
from pytest_mqchaos.history.index import Index
from pytest_mqchaos.history.rows import Delivery, Effect, worker_of

Reader: TypeAlias = tuple[str, str]
"""What one message is for once: a group or a worker, by kind and name."""


class _Handed(NamedTuple):
    """The readers of one message: since when, until when if that limits them, and who else works
    for which of them."""

    begun: dict[Reader, int]
    acked: dict[Reader, int]
    serving: dict[Reader, set[Reader]]


def once_each(index: Index, name: str, effects: Sequence[Effect]) -> bool:
    """Whether each of these effects of one message may be another reader's."""
    topics: dict[str, dict[Reader, int]] = defaultdict(dict)
    for row in index.story(name).deliveries:
        if row.reached:
            for reader in _readers(index, row):
                topics[row.topic].setdefault(reader, row.t)
    alone = any(
        len(begun) > 1 and _spread(index, effects, _Handed(begun, {}, {}))
        for begun in topics.values()
    )
    return alone or _once_a_stage(index, name, effects)


def _once_a_stage(index: Index, name: str, effects: Sequence[Effect]) -> bool:
    """The same of the stages of a chain. Who reads a retry destination works for its sender."""
    rows = _at_stages(index, name)
    begun: dict[Reader, int] = {}
    acked: dict[Reader, int] = {}
    for row in rows:
        for reader in _readers(index, row):
            begun.setdefault(reader, row.t)
            acked[reader] = max(acked.get(reader, 0), _acked(index, row))
    handed = _Handed(begun, {}, _serving(index, name, begun))
    if len(begun) == 1 or cause(rows) == ONE_HANDLING:
        return len(begun) > 1 and _spread(index, effects, handed)
    if not _spread(index, effects, handed._replace(acked=acked)):
        return False
    known = all(_own(index, effect, handed) for effect in effects)
    return known or not _once_elsewhere(index, frozenset(begun), effects[0].part)


def _serving(index: Index, name: str, begun: dict[Reader, int]) -> dict[Reader, set[Reader]]:
    """For whom those work who were handed this message on retry destinations alone."""
    found: dict[Reader, set[Reader]] = {}
    rows = sorted(index.stories.deliveries.get(name, ()), key=lambda row: row.seq)
    for row in rows:
        if row.topic not in index.history.flow.retries:
            continue
        sent = [a for a in index.stories.attempts.get(name, ()) if a.topic == row.topic]
        sending = [one for one in rows if any(sent_by_its_reader(a, one) for a in sent)]
        for reader in _readers(index, row) - begun.keys():
            for other in set().union(*(_readers(index, one) for one in sending)) - {reader}:
                served = found.get(other, {other} & begun.keys())
                found[reader] = found.get(reader, set()) | served
    return found


def _at_stages(index: Index, name: str) -> list[Delivery]:
    retries = index.history.flow.retries
    rows = handed_out(index, index.story(name), None)
    return sorted((row for row in rows if row.topic not in retries), key=lambda row: row.seq)


def _acked(index: Index, row: Delivery) -> int:
    """When what this handed out was acked first."""
    return min((ack.t for ack in index.positions.acks_for(row) if ack.reached), default=NEVER)


def _once_elsewhere(index: Index, readers: frozenset[Reader], part: str | None) -> bool:
    """Whether messages that these readers were each handed once, and acked, were all done once."""
    derived = index.history.derived
    if "done at stages" not in derived:
        found: dict[tuple[frozenset[Reader], str | None], int] = {}
        for name, effects in index.stories.effects.items():
            rows = _at_stages(index, name)
            if cause(rows) != ONE_HANDLING or any(_acked(index, row) == NEVER for row in rows):
                continue
            here = frozenset(reader for row in rows for reader in _readers(index, row))
            for at, times in Counter((here, e.part) for e in effects if e.by is None).items():
                found[at] = max(found.get(at, 0), times)
        derived["done at stages"] = found
    most = cast("dict[tuple[frozenset[Reader], str | None], int]", derived["done at stages"])
    return most.get((readers, part)) == 1


def _spread(index: Index, effects: Sequence[Effect], handed: _Handed) -> bool:
    """Whether each effect finds a reader of its own."""
    taken: dict[Reader, int] = {}

    def place(at: int, tried: set[Reader]) -> bool:
        for reader in _possible(index, effects[at], handed) - tried:
            tried.add(reader)
            if reader not in taken or place(taken[reader], tried):
                taken[reader] = at
                return True
        return False

    return all(place(at, set()) for at in range(len(effects)))


def _possible(index: Index, effect: Effect, handed: _Handed) -> set[Reader]:
    """Those of the readers who may have done this: its worker, if it is one of them, else anybody
    who had been handed the message by then, and had not acked it."""
    begun, acked, _ = handed
    own = _own(index, effect, handed)
    others = {r for r in begun if effect.t_from <= acked.get(r, NEVER)}
    return {r for r in own or others if not effect.t_to or begun[r] <= effect.t_to}


def _own(index: Index, effect: Effect, handed: _Handed) -> set[Reader]:
    """Its worker, as those of the readers that it is, or else that it works for."""
    worker = worker_of(effect.owner)
    all_ = {("worker", worker), *_of_worker(index).get(worker, ())}
    served = set().union(*(handed.serving.get(reader, ()) for reader in all_))
    return all_ & handed.begun.keys() or served


def _readers(index: Index, row: Delivery) -> set[Reader]:
    if row.group is not None:
        return {_merged(index, row.group)}
    groups = {group for group in groups_of(index, row.owner) if _reads(index, group, row.topic)}
    return {_merged(index, group) for group in groups} or {("worker", worker_of(row.owner))}


def _reads(index: Index, group: str, topic: str) -> bool:
    return topic in index.positions.groups.get(group, ())


def _merged(index: Index, group: str) -> Reader:
    """The group; or its worker, if that had it in some of its lives and others in others."""
    return _anew(index).get(group, ("group", group))


def _of_worker(index: Index) -> dict[str, set[Reader]]:
    """The readers that each worker is, or is one of, by what it was handed."""
    derived = index.history.derived
    if "readers of workers" not in derived:
        found: dict[str, set[Reader]] = defaultdict(set)
        for owner, groups in _groups_by_life(index).items():
            found[worker_of(owner)] |= {_merged(index, group) for group in groups}
        derived["readers of workers"] = dict(found)
    return cast("dict[str, set[Reader]]", derived["readers of workers"])


def _anew(index: Index) -> dict[str, Reader]:
    """Groups that one worker alone was in, each in a life of its own, by that worker."""
    derived = index.history.derived
    if "groups named anew" not in derived:
        lives: dict[str, set[str]] = defaultdict(set)
        beside: set[str] = set()
        for owner, groups in _groups_by_life(index).items():
            beside |= groups if len(groups) > 1 else set()
            for group in groups:
                lives[group].add(owner)
        alone = {
            group: worker_of(min(owners))
            for group, owners in lives.items()
            if len(set(map(worker_of, owners))) == 1 and group not in beside
        }
        derived["groups named anew"] = {
            group: ("worker", worker)
            for group, worker in alone.items()
            if list(alone.values()).count(worker) > 1
        }
    return cast("dict[str, Reader]", derived["groups named anew"])


def _groups_by_life(index: Index) -> dict[str, set[str]]:
    """The groups of each incarnation, by what it was handed and what it acked."""
    found: dict[str, set[str]] = defaultdict(set)
    for row in index.history.deliveries:
        if row.group is not None:
            found[row.owner].add(row.group)
    for ack in index.history.acks:
        found[ack.owner].add(ack.group)
    return found
