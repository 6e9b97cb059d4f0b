"""What databases say of their own tables: the catalogues of SQLite and PostgreSQL, and the standard
information schema of the others.

It knows how each is asked; what a key means for an effect is not its business. Raises whatever a
driver raises for a catalogue that is not there.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from pytest_mqchaos.chaos.sql_origins import Catalogue, Table
from pytest_mqchaos.chaos.sql_text import Named, inside, words

_ROWID = ("rowid", "oid", "_rowid_")

_PG_IS = """
    select oid, relkind::text, case when relkind in ('v', 'm') then pg_get_viewdef(oid) end
    from pg_catalog.pg_class c where c.oid = """
_PG_COLUMNS = "select attname from pg_catalog.pg_attribute where attnum > 0 and attrelid = "
_PG_KEYS = """
    select i.indexrelid, a.attname from pg_catalog.pg_index i
    left join pg_catalog.pg_attribute a on a.attrelid = i.indrelid
        and a.attnum = any((i.indkey::int2[])[0:i.indnkeyatts - 1])
    where i.indisunique and i.indpred is null and i.indrelid = """

_COLUMNS = "select column_name from information_schema.columns where lower(table_name) = "
_KEYS = """
    select c.table_schema || '.' || c.constraint_name, k.column_name
    from information_schema.table_constraints c
    join information_schema.key_column_usage k on k.table_schema = c.table_schema
        and k.table_name = c.table_name and k.constraint_name = c.constraint_name
    where c.constraint_type in ('PRIMARY KEY', 'UNIQUE') and lower(c.table_name) = """


@contextlib.contextmanager
def asked(connect: Callable[[], Any]) -> Iterator[Catalogue]:
    """The catalogue of the database that `connect` opens, as long as it is open."""
    with contextlib.closing(connect()) as connection:
        known = _of(connection)
        if known is not None:
            yield known
            return
    with contextlib.closing(connect()) as connection:  # a statement that failed spoils the first
        yield OfOthers(connection.cursor())


def _of(connection: Any) -> Catalogue | None:
    if isinstance(connection, sqlite3.Connection):
        return OfSqlite(connection)
    with contextlib.suppress(Exception):  # each driver has errors of its own
        cursor = connection.cursor()
        cursor.execute(f"{_PG_IS}0")
        return OfPostgres(cursor)
    return None


class OfSqlite:
    """sqlite_master, and what the PRAGMAs say."""

    complete = True

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def table(self, name: str) -> Table | None:
        name = name.removeprefix("main.")
        if self._made(name, "table") is None:
            return None
        ask = self._connection.execute
        keys = {
            _columns(ask("select name from pragma_index_info(?)", (index,))): False
            # A partial index (with WHERE) binds only some rows.
            for index, whole in ask(
                'select name, "unique" and not partial from pragma_index_list(?)', (name,)
            )
            if whole
        }
        columns = ask("select name, type, pk from pragma_table_xinfo(?)", (name,)).fetchall()
        own = [(str(column), str(kind)) for column, kind, primary in columns if primary]
        if own:
            numbered = len(own) == 1 and own[0][1].upper() == "INTEGER"
            keys[_columns(own)] = numbered
        keys |= {frozenset([rowid]): True for rowid in _ROWID}
        return Table(_columns(columns) | set(_ROWID), keys)

    def view(self, name: str) -> Named | None:
        made = self._made(name.removeprefix("main."), "view")
        if made is None:
            return None
        told = words(made)
        begin = next(n for n, word in enumerate(told) if word.low == "as" and word.depth == 0)
        listed = inside(told[:begin])
        columns = tuple(word.name for word in listed[0] if word.text != ",") if listed else ()
        return Named(columns, told[begin + 1 :])

    def _made(self, name: str, kind: str) -> str | None:
        """The statement that made it."""
        found = self._connection.execute(
            "select sql from sqlite_master where type = ? and lower(name) = ?", (kind, name)
        ).fetchone()
        return None if found is None else str(found[0])


class OfPostgres:
    """pg_catalog, which tells of unique indexes, too."""

    complete = True

    def __init__(self, cursor: Any) -> None:
        self._cursor = cursor

    def table(self, name: str) -> Table | None:
        found = self._is(name)
        if found is None or found[1] not in ("r", "p"):
            return None
        columns = _columns(_rows(self._cursor, f"{_PG_COLUMNS}{found[0]}"))
        keys = _grouped(_rows(self._cursor, f"{_PG_KEYS}{found[0]}"))
        return Table(columns, dict.fromkeys(keys, False))

    def view(self, name: str) -> Named | None:
        found = self._is(name)
        return None if found is None or found[2] is None else Named((), words(str(found[2])))

    def _is(self, name: str) -> tuple[int, str, object] | None:
        found = _rows(self._cursor, f"{_PG_IS}to_regclass({_text(name)})")
        return next(((int(oid), str(kind), view) for oid, kind, view in found), None)


class OfOthers:
    """information_schema: not each database tells there of unique indexes, nor of the tables of
    others, and names are those of any schema."""

    complete = False

    def __init__(self, cursor: Any) -> None:
        self._cursor = cursor

    def table(self, name: str) -> Table | None:
        name = _text(name.rpartition(".")[2])
        columns = _columns(_rows(self._cursor, f"{_COLUMNS}{name}"))
        keys = _grouped(_rows(self._cursor, f"{_KEYS}{name}"))
        return Table(columns, dict.fromkeys(keys, False)) if columns and keys else None

    def view(self, name: str) -> Named | None:  # noqa: ARG002 - each has a dialect of its own
        return None


def _rows(cursor: Any, query: str) -> list[tuple[Any, ...]]:
    cursor.execute(query)
    return list(cursor.fetchall())


def _columns(found: Iterable[tuple[Any, ...]]) -> frozenset[str]:
    """The first column of rows; what is no column (an expression) has no name there."""
    return frozenset(str(one[0]).lower() for one in found if one[0] is not None)


def _grouped(found: Iterable[tuple[Any, Any]]) -> set[frozenset[str]]:
    """Rows (key, column) as the columns of each key."""
    keys: dict[object, set[str]] = defaultdict(set)
    for key, column in found:
        keys[key] |= _columns([(column,)])
    return {frozenset(columns) for columns in keys.values()}


def _text(name: str) -> str:
    return "'" + name.replace("'", "''") + "'"
