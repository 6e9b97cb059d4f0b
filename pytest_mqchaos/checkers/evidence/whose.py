"""Whose effect is it: the subscribers that are judged, and the effects of one group.

An effect belongs to the subscriber that it names (`by`). Where effects name nobody and one group
alone takes part, they are its own; with several groups the incarnation that recorded an effect
tells the group that it acks for. What cannot be told is never guessed.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import cast

from pytest_mqchaos.checkers.doubts import Doubt
from pytest_mqchaos.checkers.wording import listed, number
from pytest_mqchaos.errors import UsageError
from pytest_mqchaos.history.index import Index
from pytest_mqchaos.history.rows import Effect, worker_of


def subscribers(index: Index, wanted: Iterable[str] | None) -> tuple[list[str | None], list[Doubt]]:
    """Who is judged: those named by the test, else those that effects name, else one for all."""
    names = [name for name in index.subscribers if name is not None]
    doubts = _nameless(index, names, asked=wanted is not None)
    groups = set(index.positions.groups)
    if wanted is not None:
        chosen = list(dict.fromkeys(wanted))
        if not chosen:
            raise UsageError("by=() names no subscriber: name groups or services, or leave it out.")
        strange = [name for name in chosen if name not in groups and name not in names]
        if strange:
            known = listed(sorted(groups | set(names)), 9) or "nobody"
            doubts.append(
                Doubt(
                    sentence=f"{listed(strange)} took no part in this run (seen: {known})",
                    missing="name groups or services as the run knows them in by=",
                )
            )
        return [name for name in chosen if name not in strange], doubts
    if not names:
        return [None], doubts
    silent = sorted(groups - set(names))
    if silent and groups & set(names):
        doubts.append(
            Doubt(
                sentence=f"{number(len(silent), 'group')} read a judged destination but recorded "
                f"no effect: {listed(silent)}",
                missing=f"say which groups are judged, e.g. by={(*names,)!r}",
            )
        )
    return list(names), doubts


def _nameless(index: Index, names: list[str], *, asked: bool) -> list[Doubt]:
    """Effects without `by` in a run that is judged per subscriber: they may be anybody's."""
    if not (names or asked) or None not in index.subscribers:
        return []
    nameless = sum(1 for effect in index.effects if effect.by is None)
    if not nameless:
        return []
    beside = f" beside effects of {listed(names)}" if names else ""
    return [
        Doubt(
            sentence=f"{number(nameless, 'effect')} without `by`{beside}",
            missing="record `by` with every effect, or with none",
        )
    ]


def scope(index: Index, owed: set[str], by: str | None) -> tuple[set[str], list[Doubt]]:
    """The messages that this subscriber must have: those of the destinations that it reads."""
    if by is None or len(index.inputs) <= 1:
        return owed, []
    topics_of: dict[str, set[str]] = {}
    for row_id, topic in [(a.id, a.topic) for a in index.attempts] + [
        (s.id, s.topic) for s in index.stored
    ]:
        if row_id is not None:
            topics_of.setdefault(row_id, set()).add(topic)
    group = index.positions.groups.get(by)
    reads = group & index.inputs if group else set()
    if not reads:
        reads = set().union(*(topics_of.get(i, set()) for i in index.done(by)))
    mine = {i for i in owed if i not in topics_of or topics_of[i] & reads}
    rest = sorted(index.inputs - reads)
    if mine == owed or group:
        return mine, []
    return mine, [
        Doubt(
            sentence=f"{by} has no effect of any message of {listed(rest)}: does it read that?",
            missing="use the group's name as `by`, or leave what nobody reads out of "
            "chaos.flow(inputs=[...])",
        )
    ]


def of_group(index: Index, message_id: str, group: str) -> list[Effect] | None:
    """The effects of a message for one group; None = whose they are cannot be told."""
    rows = index.stories.effects.get(message_id, [])
    if group in index.subscribers:
        return None if any(e.by is None for e in rows) else [e for e in rows if e.by == group]
    if len(index.positions.input_groups) <= 1:
        # Groups of retry destinations work for it. What a worker of another stage did (it acks for
        # a group that is not judged) is not its.
        own = [e for e in rows if group in (groups_of(index, e.owner) or {group})]
        return own or rows
    whose = _owners(index)
    if whose is None or group not in whose.values():
        return None
    return [e for e in rows if whose[worker_of(e.owner)] == group]


def only_looks(index: Index, group: str) -> bool:
    """Whether the group has no effect of any message, as far as it is known whose effects are."""
    named = {name for name in index.subscribers if name is not None}
    if named & set(index.positions.groups):
        return group not in named and None not in index.subscribers
    whose = _owners(index)
    return whose is not None and group not in whose.values()


def groups_of(index: Index, owner: str | None) -> set[str]:
    """The groups that this worker (any of its incarnations) acks for."""
    derived = index.history.derived
    if "groups of workers" not in derived:
        acks: dict[str, set[str]] = defaultdict(set)
        for name, group in {(a.owner, a.group) for a in index.history.acks}:
            acks[worker_of(name)].add(group)
        derived["groups of workers"] = dict(acks)
    known = cast("dict[str, set[str]]", derived["groups of workers"])
    return known.get(worker_of(owner), set())


def _owners(index: Index) -> dict[str, str] | None:
    """The group that each worker (all of its incarnations) with an effect acks for; None if one
    acks for several or for none."""
    derived = index.history.derived
    if "owners" not in derived:
        whose = {worker_of(e.owner): groups_of(index, e.owner) for e in index.effects}
        clear = all(len(groups) == 1 for groups in whose.values())
        derived["owners"] = {n: group for n, (group,) in whose.items()} if clear else None
    return cast("dict[str, str] | None", derived["owners"])
