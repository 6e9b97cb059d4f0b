"""How counts, names and times are said in the sentences of all questions."""

from __future__ import annotations

from collections.abc import Iterable


def number(count: int, noun: str, plural: str = "") -> str:
    """`1 message`, `2 messages`."""
    return f"{count} {noun if count == 1 else plural or noun + 's'}"


def listed(names: Iterable[object], most: int = 3) -> str:
    """The first names, and how many more there are."""
    each = [str(name) for name in names]
    more = f" and {len(each) - most} more" if len(each) > most else ""
    return ", ".join(each[:most]) + more


def lapse(ns: int) -> str:
    """A time between two rows, in milliseconds."""
    return f"{ns / 1e6:.1f} ms" if round(ns / 1e6, 1) else "less than 0.1 ms"
