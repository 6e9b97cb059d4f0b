"""From which columns of which tables a query comes, as far as it is simple: one SELECT whose rows
are rows of tables, also through views, WITH and subqueries that are such SELECTs themselves.

It knows texts and a catalogue. What is not simple is not known, never guessed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple, Protocol

from pytest_mqchaos.chaos.sql_text import Item, Named, Source, Statement, Words, column, read

_DEEP = 9  # a recursive WITH has no ground


class Table(NamedTuple):
    """A table. `columns`: each name that a column has, and its own; `keys`: the columns of each
    unique key, also of one that holds for some rows only ("" for an expression); `numbers`: the
    columns by which the database numbers the rows, each with whether nobody else does; `plain`:
    nothing (a trigger) does anything to its rows unasked. All in lower case."""

    columns: Mapping[str, str]
    keys: Sequence[frozenset[str]]
    numbers: Mapping[str, bool]
    plain: bool = True


class Catalogue(Protocol):
    """What a database says of its tables and views. `complete`: it names every unique key."""

    complete: bool

    def table(self, name: str) -> Table | None: ...

    def view(self, name: str) -> Named | None: ...


class Column(NamedTuple):
    """What a column of a query is made of: columns of tables. `plain`: it is one, as it stands
    there; `of_a_row`: nothing but the values of one row."""

    origins: frozenset[tuple[str, str]]
    plain: bool = False
    of_a_row: bool = True


class Shown(NamedTuple):
    """What a query shows. `tables`: the names of all that it reads; `order`: what it sorts by;
    `every`: it shows each row of them; `joined`: the columns by which it looks something up for
    each."""

    columns: Mapping[str, Column]
    tables: Mapping[str, Table]
    order: Sequence[Column]
    every: bool
    joined: frozenset[tuple[str, str]] = frozenset()

    def of(self, *names: str) -> frozenset[tuple[str, str]]:
        """The columns of tables that these columns are made of."""
        return frozenset().union(*(self.columns[n].origins for n in names if n in self.columns))


class NotThere(Exception):
    """The catalogue knows no such table."""


def shown(
    given: Named, catalogue: Catalogue, outer: Mapping[str, Named] | None = None, depth: int = 0
) -> Shown | None:
    """What it shows; None if it is not simple. Raises `NotThere`."""
    statement = read(given.query)
    if statement is None or depth > _DEEP:
        return None
    scope = {**(outer or {}), **statement.names}
    each = [_of_source(source, scope, catalogue, depth + 1) for source in statement.sources]
    sources = [(one, made) for one, made in zip(statement.sources, each, strict=True) if made]
    if len(sources) < len(each):
        return None
    tables = {name: table for _, made in sources for name, table in made.tables.items()}
    joined = [_joined(one.on, sources) for one, _ in sources[1:]]
    columns = _columns(statement, sources)
    if given.columns:
        if "*" in columns or len(given.columns) != len(columns):
            return None
        columns = dict(zip(given.columns, columns.values(), strict=True))
    return Shown(
        columns, tables,
        [_sorted_by(term, statement, sources) for term in statement.order],
        every=statement.every
        and len(tables) == sum(len(made.tables) for _, made in sources)  # none twice
        and all(made.every for _, made in sources)
        and all(one.of_a_row for one in columns.values())
        and None not in joined,
        joined=frozenset().union(*(by or () for by in joined), *(m.joined for _, m in sources)),
    )  # fmt: skip


Sources = Sequence[tuple[Source, Shown]]


def _of_source(
    source: Source, scope: Mapping[str, Named], catalogue: Catalogue, depth: int
) -> Shown | None:
    if source.query:
        return shown(Named((), source.query), catalogue, scope, depth)
    if not source.table:
        return None
    if source.table in scope:
        return shown(scope[source.table], catalogue, scope, depth)
    table = catalogue.table(source.table)
    if table is not None:
        columns = {
            name: Column(frozenset([(source.table, own)]), plain=True)
            for name, own in table.columns.items()
        }
        return Shown(columns, {source.table: table}, (), every=True)
    view = catalogue.view(source.table)
    if view is None:
        raise NotThere
    return shown(view, catalogue, None, depth)


def _columns(statement: Statement, sources: Sources) -> dict[str, Column]:
    found: dict[str, Column] = {}
    for number, item in enumerate(statement.items):
        if item.name != "*":
            found[item.name or f"column {number}"] = _made_of(item, sources)
            continue
        only = item.words[0].name
        for source, made in sources:
            if only in ("", source.alias, source.table):
                found |= {name: one for name, one in made.columns.items() if name not in found}
    return found


def _made_of(item: Item, sources: Sources) -> Column:
    """Each word may be a column; one that is none is a word of SQL, or a function."""
    name, of = column(item.words)
    if name:
        return _called(name, of, sources)
    found = [_called(word.name, "", sources) for word in item.words if word.name]
    origins = frozenset[tuple[str, str]]().union(*(one.origins for one in found))
    of_a_row = item.of_a_row and all(one.of_a_row for one in found if one.origins)
    return Column(origins, of_a_row=of_a_row)


def _called(name: str, of: str, sources: Sources) -> Column:
    """The column of this name; of all that have it, if the query does not say of which table."""
    found = [
        made.columns[name]
        for source, made in sources
        if name in made.columns and (not of or of in (source.alias, source.table))
    ]
    if len(found) == 1:
        return found[0]
    return Column(frozenset().union(*(one.origins for one in found)), of_a_row=bool(found))


def _sorted_by(term: Words, statement: Statement, sources: Sources) -> Column:
    for tail in (("nulls", "first"), ("nulls", "last"), ("asc",), ("desc",)):
        if tuple(word.low for word in term[-len(tail) :]) == tail:
            term = term[: -len(tail)]
    if len(term) == 1 and term[0].text.isdigit():
        item = statement.items[int(term[0].text) - 1]
        return _made_of(item, sources) if item.name != "*" else Column(frozenset())
    name, of = column(term)
    alias = next((one for one in statement.items if one.name == name), None) if not of else None
    return _made_of(alias, sources) if alias is not None else _called(name, of, sources)


def _joined(on: Words, sources: Sources) -> frozenset[tuple[str, str]] | None:
    """The columns, one of each side, that must be equal; None if it is not as simple."""
    if not on:
        return None
    at = next((n for n, word in enumerate(on) if word.text == "="), 1)
    sides = [on[2:-1]] if on[0].low == "using" else [on[1:at], on[at + 1 :]]
    found = [_called(*column(side), sources).origins for side in sides]
    return frozenset().union(*found) if all(found) else None
