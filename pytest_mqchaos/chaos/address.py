"""Addresses that know they are ours, so that each worker can be given its own.

It knows strings and containers; it must never know a protocol.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any


class Address(str):
    """The address of the default links ("127.0.0.1:39201", of several nodes with commas between
    them). A plain `str` to every client; `chaos.worker` replaces it, wherever an argument contains
    it or one of its parts, by the worker's own address."""

    __slots__ = ()

    @classmethod
    def of(cls, places: Iterable[tuple[str, int]]) -> Address:
        """The address of some listeners, one for each node."""
        return cls(",".join(f"{host}:{port}" for host, port in places))


def readdressed(value: Any, old: Address, new: Address) -> Any:
    """`value` with each node's part of `old` replaced by that node's part of `new`: a user may have
    taken the address apart."""
    for before, after in zip(old.split(","), new.split(","), strict=True):
        value = replaced(value, before, after)
    return value


def replaced(value: Any, old: str, new: str) -> Any:
    """`value` with `old` replaced by `new` in strings, bytes, lists, tuples, sets and mappings.

    What contains no `old` is handed back as the very same object: a user's own list must stay
    theirs.
    """
    if isinstance(value, str):
        return value.replace(old, new) if old in value else value
    if isinstance(value, bytes):
        return value.replace(old.encode(), new.encode()) if old.encode() in value else value
    if isinstance(value, Mapping) and type(value) is dict:
        changed = {k: replaced(v, old, new) for k, v in value.items()}
        return changed if any(changed[k] is not value[k] for k in value) else value
    if type(value) in (list, tuple, set, frozenset):
        items = [replaced(item, old, new) for item in value]
        same = all(a is b for a, b in zip(items, value, strict=True))
        return value if same else type(value)(items)
    return value
