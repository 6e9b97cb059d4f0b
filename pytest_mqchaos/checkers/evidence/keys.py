"""By what messages belong together: from `by=` to the key of an effect.

"key" is the effect's own key where the source gives one (the business key), else the message's.
Anything else is a spec of identity (history/identity.py), asked of the message; None puts all
messages into one sequence, "partition" each partition into its own.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Container, Hashable, Iterable
from operator import itemgetter
from typing import TypeAlias

from pytest_mqchaos.frames import Record
from pytest_mqchaos.history.identity import Identity, Spec
from pytest_mqchaos.history.index import Index
from pytest_mqchaos.history.rows import Attempt, Delivery, Effect, Stored

KeyOf: TypeAlias = Callable[[Effect], Hashable | None]


def record_of(row: Attempt | Stored | Delivery) -> Record:
    """The record that a row shows; what was read back comes without its headers."""
    headers = () if isinstance(row, Stored) else row.headers
    return Record(row.topic, row.partition, row.offset, row.key, row.value, headers)


def key_of(index: Index, by: Spec | None) -> KeyOf:
    """A function from an effect to its key; None = this effect belongs to no key."""
    if by is None:
        return lambda _: "all"
    if by == "key":
        return _own_key(index)
    rows: dict[str, Attempt | Stored] = {s.id: s for s in index.stored if s.id is not None}
    rows.update(index.first)
    if by == "partition":
        at = {name: (row.topic, row.partition) for name, row in rows.items()}
        return lambda effect: at.get(effect[3])
    identity = Identity.parse(by)
    found: dict[str, Hashable | None] = {}

    def key(effect: Effect) -> Hashable | None:
        name = effect[3]
        if name not in found:
            row = rows.get(name)
            ids = identity.of(record_of(row)) if row is not None else ()
            found[name] = "|".join(ids) or None
        return found[name]

    return key


def lanes(index: Index, by: Spec | None) -> list[Hashable | None]:
    """The key of each of `index.effects`, in their order."""
    if by == "key" and {None}.issuperset(map(itemgetter(6), index.effects)):
        # No key of the source's own: the bytes of the messages' keys do, undecoded.
        return list(map(_message_keys(index).get, index.effect_ids))
    return list(map(key_of(index, by), index.effects))


def shared(index: Index, by: Spec | None, ids: Container[str]) -> int:
    """How many keys more than one of these messages has. Of messages without a key it is not known;
    where effects have keys of their own, not of a message without an effect: it may share any."""
    messages: dict[str, Attempt | Stored] = {s.id: s for s in index.stored if s.id is not None}
    messages.update(index.first)
    messages = {name: row for name, row in messages.items() if name in ids}
    own = by == "key" and not {None}.issuperset(map(itemgetter(6), index.effects))
    if own and messages.keys() <= index.known_effects:
        key = _own_key(index)
        shown = {(effect[3], key(effect)) for effect in index.effects if effect[3] in messages}
        return _several(each for _, each in shown)
    if by is None or own:
        return int(len(messages) > 1)
    if by == "key":
        keys: Iterable[Hashable | None] = (row.key for row in messages.values())
    elif by == "partition":
        keys = ((row.topic, row.partition) for row in messages.values())
    else:
        identity = Identity.parse(by)
        keys = ("|".join(identity.of(record_of(row))) or None for row in messages.values())
    return _several(keys)


def _several(keys: Iterable[Hashable | None]) -> int:
    return sum(count > 1 for count in Counter(keys).values())


def _message_keys(index: Index) -> dict[str, bytes | None]:
    keys = {s[3]: s[4] for s in index.stored if s[3] is not None and s[3] not in index.first}
    keys.update(zip(index.first, [a[8] for a in index.first.values()], strict=True))
    return keys


def _own_key(index: Index) -> KeyOf:
    keys = _message_keys(index)
    text = {k: None if k is None else k.decode(errors="replace") for k in set(keys.values())}

    def key(effect: Effect) -> Hashable | None:
        own = effect[6]
        return own if own is not None else text.get(keys.get(effect[3]))

    return key
