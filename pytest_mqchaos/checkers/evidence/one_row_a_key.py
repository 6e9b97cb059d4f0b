"""Sources that show one row for each key, the last: a later message of a key writes over the row of
an earlier one, or deletes it (a tombstone), maybe between two looks.

It knows what each look has shown; no source says so of itself, so it proves nothing.
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import cast

from pytest_mqchaos.checkers.evidence.keys import key_of
from pytest_mqchaos.checkers.evidence.moved_on import NEVER
from pytest_mqchaos.checkers.evidence.superseded import superseded
from pytest_mqchaos.history.index import Index

JOURNAL = "show a source with a row for each message (a journal), or record each effect"


def written_over(index: Index) -> set[str]:
    """Messages without any effect whose row, if they had one, a later message of their key may have
    written over, which has a row, or had one, or is a deletion; and such deletions themselves."""
    derived = index.history.derived
    if "written over" not in derived:
        derived["written over"] = _written_over(index) if one_row_a_key(index) else set()
    return cast("set[str]", derived["written over"])


def _written_over(index: Index) -> set[str]:
    last: dict[bytes | None, int] = {}
    for name in index.known_effects & index.first.keys():
        key = index.first[name].key
        last[key] = max(index.rank[name], last.get(key, -1))
    deletions = _deletions(index)
    for name in deletions:
        key = index.first[name].key
        last[key] = max(index.rank[name], last.get(key, -1))
    bare = index.first.keys() - index.known_effects
    return deletions | {
        name
        for name in superseded(index, bare)
        if last.get(index.first[name].key, -1) > index.rank[name]
    }


def _deletions(index: Index) -> set[str]:
    """Messages without a value that were handed out, and whose key has no row at the end."""
    key_of_effect = key_of(index, "key")
    standing = {key_of_effect(effect) for effect in index.effects if not effect.gone}
    return {
        name
        for name, row in index.first.items()
        if row.value is None
        and row.key is not None
        and row.key.decode(errors="replace") not in standing
        and any(delivery.reached for delivery in index.stories.deliveries.get(name, ()))
    }


def beside_another(index: Index, name: str) -> bool:
    """Whether a source with one row for each key has shown that of another message of its key."""
    row = index.first.get(name)
    if row is None or row.key is None or not one_row_a_key(index):
        return False
    return any(index.first[e.id].key == row.key for e in index.effects if e.id in index.first)


def one_row_a_key(index: Index) -> bool:
    """Whether all effects are rows that were looked at, of keys that the source itself names (and
    may hold once) or wrote a row over of, and no look has shown two of the same key. Of a source
    that no look has found a row in, whether it may be such a one."""
    derived = index.history.derived
    if "one row a key" not in derived:
        derived["one row a key"] = _one_row_a_key(index)
    return cast("bool", derived["one row a key"])


def _one_row_a_key(index: Index) -> bool:
    if index.history.effect_topics or any(0 < e.t_to == e.t_from for e in index.effects):
        return False  # a log, or told one by one
    key_of_effect = key_of(index, "key")
    effects = index.effects
    if not effects:
        return index.history.tables
    named = all(e.key is not None and e.keyed for e in effects)
    until: dict[tuple[Hashable, str | None, str | None], int] = {}
    for effect in sorted(effects, key=lambda e: (e.t_to, not e.gone)):
        lane = (key_of_effect(effect), effect.part, effect.by)
        shown = until.get(lane, 0)
        if lane[0] is None or shown > effect.t_to:
            return False
        named = named or 0 < shown == effect.t_to
        until[lane] = effect.gone_to if effect.gone else NEVER
    return named
