"""Whether the rows of a query come in the order in which they were made: what it sorts by tells.

It knows the terms of an ORDER BY and their values; it must never know a database. A term that the
rows do not show is selected beside them. Rows that are alike in all terms may stand either way.
Only a column is a term, and only numbers and times are values that grow.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Sequence
from itertools import pairwise
from numbers import Number
from typing import Any

from pytest_mqchaos.chaos.sql_text import Statement, Words, column, read, words

_TIME = re.compile(r"\d{4}-\d\d-\d\d|\d\d:\d\d")
_TAILS = (("nulls", "first"), ("nulls", "last"), ("asc",))


class Order:
    """What one query sorts by. `query`: the same query with what tells its order as last columns.

    Terms count up to the first that says nothing of when a row was made: the id of the message,
    the newest first, what is made of something.
    """

    def __init__(self, query: str) -> None:
        self._plain = query
        self._statement = read(words(query))
        self._tied = False
        self._before: frozenset[str] | None = None
        self._read(beside=True)

    @property
    def known(self) -> bool:
        """Whether the rows that were seen came in an order."""
        return bool(self._terms) and not self._tied

    @property
    def terms(self) -> int:
        """How many of the terms of ORDER BY tell it."""
        return len(self._terms)

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
        at = statement.end if statement is not None else 0
        more = "".join(f", ({text}) as mqchaos_{n} " for n, text in enumerate(hidden, 1))
        self.query = f"{self._plain[:at]}{more}{self._plain[at:]}"


def _growing(term: Words) -> Words:
    """What it sorts by, a column or its number; nothing where that is the newest first."""
    for tail in _TAILS:
        if tuple(word.low for word in term[-len(tail) :]) == tail:
            term = term[: -len(tail)]
    return term if column(term)[0] or (len(term) == 1 and term[0].text.isdigit()) else ()


def _of_the_id(term: Words, statement: Statement) -> bool:
    """Whether it is the id of the message or a column that this is made of, or no column."""
    items, (name, of) = statement.items, column(term)
    if not name:
        place = int(term[0].text) - 1
        aliased = items[place] if 0 <= place < len(items) else None
    else:
        aliased = None if of else next((item for item in items if item.name == name), None)
    if aliased is None and not name:
        return True
    if aliased is not None and aliased.name != "*":
        name = column(aliased.words)[0]
    the_id = next((item for item in items if item.name == "id"), None)
    made_of = {"id"} if the_id is None else {word.name for word in the_id.words}
    return not name or name in made_of or aliased is the_id is not None


def _shown(term: Words, statement: Statement) -> int | str | None:
    """The column of the rows that it is: its number (from 0) or its name."""
    items = statement.items
    if term[0].text.isdigit():
        return int(term[0].text) - 1
    if len(term) == 1 and term[0].name in {item.name for item in items}:
        return term[0].name
    for number, item in enumerate(items):
        if item.name == "*":
            return None
        if [word.low for word in term] == [word.low for word in item.words]:
            return number
    return None


def _told(one: Sequence[Any], other: Sequence[Any]) -> bool:
    """Whether the first term in which two rows differ tells which came first: what grows does. A
    name or a random id does not."""
    apart = ((mine, yours) for mine, yours in zip(one, other, strict=True) if mine != yours)
    return all(map(_grows, next(apart, (None,))))


def _grows(value: object) -> bool:
    if isinstance(value, str):
        return _TIME.match(value) is not None
    return isinstance(value, Number | dt.date | dt.time) and not isinstance(value, bool)
