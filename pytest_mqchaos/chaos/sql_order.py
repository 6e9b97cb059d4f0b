"""Whether the rows of a query come in the order in which they were made: what it sorts by tells.

It knows the terms of an ORDER BY and their values; it must never know a database. A term that the
rows do not show is selected beside them. Rows that are alike in all terms may stand either way.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Sequence
from itertools import pairwise
from numbers import Number
from typing import Any

from pytest_mqchaos.chaos.sql_text import Statement, Words, read, words

_TIME = re.compile(r"\d{4}-\d\d-\d\d|\d\d:\d\d")
_TAILS = (("nulls", "first"), ("nulls", "last"), ("asc",))


class Order:
    """What one query sorts by. `query`: the same query with what tells its order as last columns.

    Terms count up to the first that says nothing of when a row was made: the id of the message, or
    the newest first.
    """

    def __init__(self, query: str) -> None:
        self._plain = query
        self._statement = read(words(query))
        self._tied = False
        self._before: frozenset[str] | None = None
        # A column more would show rows apart that are to be shown as one, or miss in a part.
        found = self._statement
        self._read(beside=found is not None and not found.distinct and len(found.selects) == 1)

    @property
    def known(self) -> bool:
        """Whether the rows that were seen came in an order."""
        return bool(self._terms) and not self._tied

    def refused(self) -> None:
        """The database does not take `query`: only what the rows show can tell."""
        self._read(beside=False)

    def rows(self, names: Sequence[str], found: Sequence[Sequence[Any]]) -> list[dict[str, Any]]:
        """The rows without the columns that only tell the order. Those of the first look stood
        there before: in whichever order, that is not this test's doing."""
        names = names[: len(names) - self._beside]
        shown = [dict(zip(names, one[: len(names)], strict=True)) for one in found]
        if self._before is None:
            self._before = frozenset(repr(one.get("id")) for one in shown)
        elif self.known and shown:
            self._compare(names, shown, found)
        return shown

    def _compare(
        self, names: Sequence[str], shown: list[dict[str, Any]], found: Sequence[Sequence[Any]]
    ) -> None:
        places: list[int] = []
        lower = [name.lower() for name in names]
        for term in self._terms:
            if isinstance(term, str) and term not in lower:
                break
            place = lower.index(term) if isinstance(term, str) else term
            if place >= len(lower) or (place >= 0 and lower[place] == "id"):
                break
            places.append(place)
        new = [
            (one.get("id"), [row[place] for place in places])
            for one, row in zip(shown, found, strict=True)
            if repr(one.get("id")) not in (self._before or ())
        ]
        self._tied = any(
            one[0] != other[0] and not _told(one[1], other[1]) for one, other in pairwise(new)
        )

    def _read(self, *, beside: bool) -> None:
        """Find each term in the columns (by number or name), or `beside` them."""
        self._terms: list[int | str] = []
        hidden: list[str] = []
        statement = self._statement
        for given in statement.order if statement is not None else ():
            term = _growing(given)
            if statement is None or not term or _of_the_id(term, statement):
                break
            place = _shown(term, statement)
            if place is None and not beside:
                break
            if place is None:
                hidden.append(self._plain[term[0].at : term[-1].at + len(term[-1].text)])
            self._terms.append(-len(hidden) if place is None else place)
        self._beside = len(hidden)
        # Counted from the end of a row.
        self._terms = [
            -1 - self._beside - term if isinstance(term, int) and term < 0 else term
            for term in self._terms
        ]
        at = statement.selects[0].end if statement is not None else 0
        more = "".join(f", ({text}) as mqchaos_{n} " for n, text in enumerate(hidden, 1))
        self.query = f"{self._plain[:at]}{more}{self._plain[at:]}"


def _growing(term: Words) -> Words:
    """What it sorts by; nothing where that is the newest first."""
    for tail in _TAILS:
        if tuple(word.low for word in term[-len(tail) :]) == tail:
            term = term[: -len(tail)]
    backwards = not term or term[-1].low == "desc" or term[0].text == "-"
    return () if backwards or "using" in {word.low for word in term} else term


def _of_the_id(term: Words, statement: Statement) -> bool:
    """Whether it is the id of the message, or made of it."""
    items = statement.selects[0].items
    the_id = next((item for item in items if item.name == "id"), None)
    if len(term) == 1 and term[0].name == "id":
        return True
    if len(term) == 1 and term[0].text.isdigit():
        return items[int(term[0].text) - 1 : int(term[0].text)] == [the_id]
    if the_id is not None and not the_id.column:
        return _same(term, the_id.words)
    column = "id" if the_id is None else the_id.column
    return column in {word.name for word in term}


def _shown(term: Words, statement: Statement) -> int | str | None:
    """The column of the rows that it is: its number (from 0) or its name."""
    items = statement.selects[0].items
    if len(term) == 1 and term[0].text.isdigit():
        return int(term[0].text) - 1
    if len(term) == 1 and term[0].name in {item.name for item in items}:
        return term[0].name
    for number, item in enumerate(items):
        if item.name == "*":
            return None
        if _same(term, item.words):
            return number
    return None


def _same(one: Words, other: Words) -> bool:
    return [word.low for word in one] == [word.low for word in other]


def _told(one: Sequence[Any], other: Sequence[Any]) -> bool:
    """Whether the first term in which two rows differ tells which came first. Behind the first
    term only what grows does: a name or a random id stands there to break ties, however."""
    for number, (mine, yours) in enumerate(zip(one, other, strict=True)):
        if mine != yours:
            return number == 0 or (_grows(mine) and _grows(yours))
    return False


def _grows(value: object) -> bool:
    if isinstance(value, str):
        return _TIME.match(value) is not None
    return isinstance(value, Number | dt.date | dt.time) and not isinstance(value, bool)
