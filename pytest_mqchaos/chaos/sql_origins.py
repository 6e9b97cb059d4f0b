"""Whether a query can show one (id, part, by) twice: from which columns of which tables they come,
through views, WITH and subqueries, and whether these have a key of them.

It knows texts and a catalogue. What is made of several columns is told apart by all of them; what
cannot be followed is not known.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import NamedTuple, Protocol, TypeAlias

from pytest_mqchaos.chaos.sql_text import Item, Named, Select, Source, Words, read, words

Origins: TypeAlias = set[tuple[str, str]]  # (table, column)
_DEEP = 9  # a recursive WITH has no ground
_PICKS = ("row_number", "rank", "dense_rank")


class Table(NamedTuple):
    """A table: its columns, and its unique keys that hold for all rows (those that are columns:
    what a key has of expressions is left out), each with whether the database itself numbers the
    rows by it. All in lower case."""

    columns: frozenset[str]
    keys: Mapping[frozenset[str], bool]


class Catalogue(Protocol):
    """What a database says of its tables and views. `complete`: it names every unique key."""

    complete: bool

    def table(self, name: str) -> Table | None: ...

    def view(self, name: str) -> Named | None: ...


class _NotKnown(Exception):
    """Nobody can tell where a column comes from."""


class _Merged(Exception):
    """Rows that are alike are shown as one."""


def merges(query: Words) -> bool:
    """Whether it makes one of several rows somewhere, or picks one of them."""
    before = ["", *(word.low for word in query)]
    return any(
        (word == "by" and last == "group")
        or (word == "distinct" and last not in ("is", "not"))  # is distinct from
        or word in _PICKS
        for last, word in pairwise(before)
    )


def countable(query: str, catalogue: Catalogue) -> bool | None:
    """Whether it can; None where that is not known."""
    given = Named((), words(query))
    try:
        the_id = _of_query(given, "id", {}, catalogue, 0)
        if the_id is None:
            return None
        found = the_id.union(
            *(_of_query(given, word, {}, catalogue, 0) or () for word in ("part", "by"))
        )
    except _Merged:
        return False
    except _NotKnown:
        return None
    for name in {table for table, _ in found}:
        table = catalogue.table(name)
        columns = {column for of, column in found if of == name}
        if table is None or any(key <= columns for key in table.keys):
            return False
    return True if catalogue.complete else None


def _of_query(
    given: Named, column: str, outer: Mapping[str, Named], catalogue: Catalogue, depth: int
) -> Origins | None:
    """Where a column of a query comes from; None if it has no such column."""
    statement = read(given.query)
    if statement is None or depth > _DEEP:
        raise _NotKnown
    if statement.distinct or merges(given.query):
        raise _Merged
    scope = {**outer, **statement.names}
    first = [item.name for item in statement.selects[0].items]
    names = given.columns or tuple(first)
    if "*" in names and given.columns:
        raise _NotKnown
    if column not in names:
        if "*" not in names:
            return None
        each = [_starred(one, column, scope, catalogue, depth) for one in statement.selects]
        return None if None in each else set().union(*(found or () for found in each))
    if "*" in first[: names.index(column)] and len(statement.selects) > 1:
        raise _NotKnown  # which of the other SELECTs' it is hangs on how many columns * stands for
    found: Origins = set()
    for select in statement.selects:
        if names.index(column) >= len(select.items):
            raise _NotKnown
        found |= _of_item(select.items[names.index(column)], select, scope, catalogue, depth)
    return found


def _starred(
    select: Select, column: str, scope: Mapping[str, Named], catalogue: Catalogue, depth: int
) -> Origins | None:
    """The same for one that is selected as `*` or `table.*`."""
    found = None
    for item in select.items:
        if item.name != "*":
            continue
        only = item.words[0].name
        for source in select.sources:
            if only in ("", source.alias, source.table):
                more = _of_source(source, column, scope, catalogue, depth)
                found = found if more is None else (found or set()) | more
    return found


def _of_item(
    item: Item, select: Select, scope: Mapping[str, Named], catalogue: Catalogue, depth: int
) -> Origins:
    """The origins of every column that stands in what is selected. A word that is no column of any
    source is one of SQL's own."""
    if item.name == "*" or "select" in {word.low for word in item.words}:
        raise _NotKnown
    found: Origins = set()
    for n, word in enumerate(item.words):
        after = item.words[n + 1].text if n + 1 < len(item.words) else ""
        if not word.name or after in ("(", "."):
            continue
        qualified = n > 1 and item.words[n - 1].text == "."
        of = item.words[n - 2].name if qualified else ""
        asked = [one for one in select.sources if not of or of in (one.alias, one.table)]
        each = [_of_source(source, word.name, scope, catalogue, depth) for source in asked]
        if qualified and not any(each):
            raise _NotKnown
        found = found.union(*(origins or () for origins in each))
    return found


def _of_source(
    source: Source, column: str, scope: Mapping[str, Named], catalogue: Catalogue, depth: int
) -> Origins | None:
    if source.query:
        return _of_query(Named((), source.query), column, scope, catalogue, depth + 1)
    if source.table in scope:
        return _of_query(scope[source.table], column, scope, catalogue, depth + 1)
    table = catalogue.table(source.table) if source.table else None
    if table is not None:
        return {(source.table, column)} if column in table.columns else None
    view = catalogue.view(source.table) if source.table else None
    if view is None:
        raise _NotKnown
    return _of_query(view, column, {}, catalogue, depth + 1)
