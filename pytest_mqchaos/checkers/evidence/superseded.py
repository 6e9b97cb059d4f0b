"""Which messages are older versions of their key, in flows where only the latest counts.

Proof is the broker's own order: a record of the same key at a higher offset of the same partition.
Without offsets a version is older only if a later one was provably published after it; so it is
where a leader change took the record, and its offset was given to another.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Container, Iterable
from typing import TypeAlias

from pytest_mqchaos.checkers.evidence.keys import key_of
from pytest_mqchaos.checkers.evidence.precedence import before
from pytest_mqchaos.checkers.evidence.versions import Version, versions
from pytest_mqchaos.history.identity import Spec
from pytest_mqchaos.history.index import Index
from pytest_mqchaos.history.rows import Attempt, Stored

_Version: TypeAlias = tuple[str, int, bytes]


def superseded(index: Index, ids: Iterable[str], version: Spec | None = None) -> set[str]:
    """Those of `ids` for which a newer confirmed or stored version of their key is proven; by the
    number that messages carry if `version` says where."""
    if version is not None:
        return _outnumbered(index, ids, version)
    last, at = _offsets(index)
    versions: dict[bytes, list[Attempt]] = defaultdict(list)
    for name, attempt in index.first.items():
        if attempt.key is not None and (name in index.confirmed or name in index.stored_ids):
            versions[attempt.key].append(attempt)
    older = set()
    for name in ids:
        places = at.get(name)
        if places:
            if all(last.get(place, -1) > offset for place, offset in places):
                older.add(name)
        elif _published_later(index, name, versions):
            older.add(name)
    return older


def deleted(index: Index, older: Container[str]) -> set[str]:
    """Messages without a value (tombstones) that are none of the `older`, and whose key has no
    effect any more: in a table that is all that shows them, and in one that no look found a row in
    there is not even another row. Effects that are told one by one, with their time, would tell of
    them, too."""
    key = key_of(index, "key")
    standing = {key(effect) for effect in index.effects if not effect.gone}
    gone = {key(effect) for effect in index.effects if effect.gone}
    table = bool(index.effects) or index.history.tables
    table = table and not any(0 < e.t_to == e.t_from for e in index.effects)
    last: dict[str, Attempt | Stored] = {s.id: s for s in index.stored if s.id is not None}
    last |= index.first
    found = set()
    for name, row in last.items():
        if row.value is None and row.key is not None and name not in older:
            own = row.key.decode(errors="replace")
            if own not in standing and (table or own in gone):
                found.add(name)
    return found


def _outnumbered(index: Index, ids: Iterable[str], version: Spec) -> set[str]:
    keys = {row.id: row.key for row in index.stored if row.id is not None}
    keys |= {name: row.key for name, row in index.first.items() if name in index.confirmed}
    known = versions(index, version, keys)
    highest: dict[bytes, Version] = {}
    for name, own in known.items():
        key = keys[name]
        if key is not None:
            highest[key] = max(own, highest.get(key, own))
    there = ((name, keys.get(name)) for name in ids if name in known)
    return {name for name, key in there if key is not None and known[name] < highest[key]}


def _offsets(
    index: Index,
) -> tuple[dict[_Version, int], dict[str, list[tuple[_Version, int]]]]:
    """The highest stored offset of each key on each partition, and all known offsets per id. A copy
    behind makes no version newer: what counts on one partition is where a message stood first."""
    first: dict[tuple[str, _Version], int] = {}
    for row in index.stored:
        if row.key is not None and row.id is not None:
            lane = row.id, (row.topic, row.partition, row.key)
            first[lane] = min(row.offset, first.get(lane, row.offset))
    last: dict[_Version, int] = {}
    at: dict[str, list[tuple[_Version, int]]] = defaultdict(list)
    for (name, place), offset in first.items():
        last[place] = max(offset, last.get(place, -1))
        at[name].append((place, offset))
    for told in index.attempts:
        if told.key is not None and told.id is not None and told.offset >= 0 and index.holds(told):
            place = (told.topic, told.partition, told.key)
            if (told.id, place) not in first:
                at[told.id].append((place, told.offset))
    return last, at


def _published_later(index: Index, name: str, versions: dict[bytes, list[Attempt]]) -> bool:
    first = index.first.get(name)
    if first is None or first.key is None:
        return False
    return any(before(index, first, other) for other in versions[first.key] if other is not first)
