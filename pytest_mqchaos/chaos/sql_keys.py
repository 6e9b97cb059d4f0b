"""What databases say of their own tables: the catalogues of SQLite and PostgreSQL, and the standard
information schema of the others.

It knows how each is asked; what a key means for an effect is not its business. Raises whatever a
driver raises for a catalogue that is not there.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from typing import Any

from pytest_mqchaos.chaos.sql_origins import Catalogue, Table
from pytest_mqchaos.chaos.sql_text import Named, inside, words

ROWID = frozenset(("rowid", "oid", "_rowid_"))

_FROM_TABLE = "select {} from {}"
_SEQUENCE = "select max(seq) from sqlite_sequence where lower(name) = ?"

_PG_IS = """
    select oid, relkind::text, case when relkind in ('v', 'm') then pg_get_viewdef(oid) end, exists(
        select 1 from pg_catalog.pg_trigger t where t.tgrelid = c.oid and not t.tgisinternal)
    from pg_catalog.pg_class c where c.oid = """
_PG_COLUMNS = """
    select attname, atthasdef or attidentity <> '' from pg_catalog.pg_attribute
    where attnum > 0 and attrelid = """
_PG_KEYS = """
    select i.indexrelid, a.attname from pg_catalog.pg_index i
    left join pg_catalog.pg_attribute a on a.attrelid = i.indrelid
        and a.attnum = any((i.indkey::int2[])[0:i.indnkeyatts - 1])
    where i.indisunique and i.indrelid = """

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
        connection.row_factory, connection.text_factory = None, str
        self._ask = connection.execute

    def table(self, name: str) -> Table | None:
        name = name.removeprefix("main.")
        made = self._made(name, "table")
        if made is None:
            return None
        info = "select lower(name), pk from pragma_table_xinfo(?)"
        columns = self._ask(info, (name,)).fetchall()
        keys, primary = [], False
        for index, origin in self._ask(
            'select name, origin from pragma_index_list(?) where "unique"', (name,)
        ):
            on = self._ask("select lower(name) from pragma_index_info(?)", (index,))
            keys.append(frozenset(str(column or "") for (column,) in on))
            primary = primary or origin == "pk"
        # A primary key that needs no index is the number of the row.
        own = [str(column) for column, key in columns if key and not primary]
        number = own[0] if own else "rowid"
        if own and self._ask(_FROM_TABLE.format("min(rowid) < 1", _quoted(name))).fetchone()[0]:
            keys.append(frozenset(own))  # SQLite counts from 1: it is a number of the service's
        counts = {word.low for word in words(made)} >= {"autoincrement"}
        plain = self._ask(
            "select 1 from sqlite_master where type = 'trigger' and lower(tbl_name) = ?", (name,)
        ).fetchone()
        names = dict.fromkeys(ROWID, number) | {str(one): str(one) for one, _ in columns}
        return Table(names, keys, {number: counts or not own}, plain is None)

    def gaps(self, name: str, since: int) -> bool:
        """Whether one of the rows that were numbered since then is there no more; True where that
        cannot be known (WITHOUT ROWID)."""
        asked = _FROM_TABLE.format("count(*)", _quoted(name)) + " where rowid > ?"
        with contextlib.suppress(sqlite3.OperationalError):
            count = self._ask(asked, (since,)).fetchone()[0]
            return bool(count != max(self.last(name), since) - since)
        return True

    def last(self, name: str) -> int:
        """The greatest number that a row of the table has or, with AUTOINCREMENT, had; else 0."""
        found = [0]
        with contextlib.suppress(sqlite3.OperationalError):  # no table, or no AUTOINCREMENT
            found += self._ask(_FROM_TABLE.format("max(rowid)", _quoted(name))).fetchone()
            found += self._ask(_SEQUENCE, (name.removeprefix("main."),)).fetchone()
        return max(number or 0 for number in found)

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
        found = self._ask(
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
        columns = fetched(self._cursor, f"{_PG_COLUMNS}{found[0]}")
        keys = _grouped(fetched(self._cursor, f"{_PG_KEYS}{found[0]}"))
        given = {str(one).lower() for one, by_itself in columns if by_itself}
        return _table(_names(columns), keys, given, plain=not found[3])

    def view(self, name: str) -> Named | None:
        found = self._is(name)
        return None if found is None or found[2] is None else Named((), words(str(found[2])))

    def _is(self, name: str) -> tuple[Any, ...] | None:
        return next(iter(fetched(self._cursor, f"{_PG_IS}to_regclass({_text(name)})")), None)


class OfOthers:
    """information_schema: not each database tells there of unique indexes, nor of the tables of
    others, names are those of any schema, and which columns it numbers rows by is not told."""

    complete = False

    def __init__(self, cursor: Any) -> None:
        self._cursor = cursor

    def table(self, name: str) -> Table | None:
        name = _text(name.rpartition(".")[2])
        columns = _names(fetched(self._cursor, f"{_COLUMNS}{name}"))
        keys = _grouped(fetched(self._cursor, f"{_KEYS}{name}"))
        return _table(columns, keys, columns) if columns and keys else None

    def view(self, name: str) -> Named | None:  # noqa: ARG002 - each has a dialect of its own
        return None


def _table(
    columns: Collection[str], keys: Collection[frozenset[str]], given: Collection[str], *,
    plain: bool = True,
) -> Table:  # fmt: skip
    """`given`: the columns that the database may fill itself."""
    numbers = {one for key in keys if len(key) == 1 for one in key if one in given}
    others = [key for key in keys if not key & numbers or len(key) > 1]
    return Table({one: one for one in columns}, others, dict.fromkeys(numbers, True), plain)


def fetched(cursor: Any, query: str) -> list[tuple[Any, ...]]:
    """The rows of a query, also where a connection gives them as mappings."""
    cursor.execute(query)
    rows = cursor.fetchall()
    return [tuple(one.values() if isinstance(one, Mapping) else one) for one in rows]


def _names(found: Iterable[tuple[Any, ...]]) -> set[str]:
    return {str(one[0]).lower() for one in found}


def _grouped(found: Iterable[tuple[Any, Any]]) -> set[frozenset[str]]:
    """Rows (key, column) as the columns of each key; "" for what is no column (an expression)."""
    keys: dict[object, set[str]] = defaultdict(set)
    for key, column in found:
        keys[key].add(str(column or "").lower())
    return {frozenset(columns) for columns in keys.values()}


def _text(name: str) -> str:
    return "'" + name.replace("'", "''") + "'"


def _quoted(name: str) -> str:
    return '"' + name.removeprefix("main.").replace('"', '""') + '"'
