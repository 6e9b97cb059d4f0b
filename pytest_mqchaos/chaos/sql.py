"""Reading effects from a database: a new short connection per look, read only in spirit.

It knows DB-API; it must never keep a transaction of the user's open.
"""

from __future__ import annotations

import contextlib
import re
import sqlite3
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from pytest_mqchaos.chaos.sql_keys import OfSqlite, asked
from pytest_mqchaos.chaos.sql_order import Order
from pytest_mqchaos.chaos.sql_origins import countable, merges
from pytest_mqchaos.chaos.sql_text import words
from pytest_mqchaos.errors import UsageError


class Query:
    """A query whose column names are the words of an effect."""

    def __init__(self, dsn: str | Callable[[], Any], query: str) -> None:
        self._query = query
        self._order = Order(query)
        self._lacks = ""
        if callable(dsn):
            self._connect = _new(dsn)
            self._path: str | None = None
            return
        path = str(dsn).removeprefix("sqlite:///")
        if path == ":memory:" or "://" in path:
            raise UsageError(
                f"effects.from_sql({dsn!r}): give the path of an SQLite file, or a function that "
                "opens a new connection (lambda: psycopg.connect(...)); a ':memory:' database of "
                "another connection cannot be seen from here"
            )
        self._path = path
        self._connect = lambda: sqlite3.connect(path, timeout=5)

    def rows(self) -> list[dict[str, Any]]:
        """Every row now. A table that does not exist yet has none."""
        if not self._there():
            return self._order.rows([], [])
        return self._order.rows(*self._asked())

    def countable(self) -> bool | None:
        """Whether the source can show one (id, part, by) twice: not with GROUP BY or DISTINCT, and
        not where columns behind them are unique. None where the database does not tell; what of
        SQLite cannot be followed is taken as not able."""
        if merges(words(self._query)) or not self._there():
            return False
        try:
            with asked(self._connect) as catalogue:
                found = countable(self._query, catalogue)
                return bool(found) if isinstance(catalogue, OfSqlite) else found
        except Exception:  # noqa: BLE001 - each driver has errors of its own
            return None if self._path is None else False

    def keyed(self) -> bool:
        """Whether a later message may write over the row of an earlier one: not where SQLite says
        that rows of the one table that is asked are told apart by the id, or by a number of their
        own, alone."""
        if re.search(r"\b(group\s+by|distinct|join|max|min|over)\b", self._query, re.IGNORECASE):
            return True
        ids, keys = self._called("id"), self._unique()
        return keys is None or any(not (key & ids or number) for key, number in keys.items())

    @property
    def ordered(self) -> bool:
        """Whether the query says in which order its rows come, and rows that were seen did not
        differ. Without ORDER BY a database gives them as it likes (SQLite by the id, where that has
        an index)."""
        return self._order.known

    def absent(self) -> str:
        """What of an SQLite file was not there, as a sentence; "" if everything was."""
        if self._path is None:
            return ""
        if not Path(self._path).exists():
            return f"effects.from_sql: there is no file {self._path}"
        return self._lacks

    def _there(self) -> bool:
        return self._path is None or Path(self._path).exists()

    def _asked(self) -> tuple[list[str], list[Any]]:
        """The rows, if they can be had with what tells their order."""
        if self._order.query == self._query:
            return self._plain()
        for _ in range(2):  # a table may have come in between
            with contextlib.suppress(Exception):  # each driver has errors of its own
                found = self._fetched(self._order.query)
                self._lacks = ""
                return found
            found = self._plain()  # or what is wrong with the query itself
            if self._lacks:
                return found
        self._order.refused()
        return found

    def _plain(self) -> tuple[list[str], list[Any]]:
        try:
            found = self._fetched(self._query)
        except sqlite3.OperationalError as error:
            if "no such table" in str(error):
                with contextlib.closing(self._connect()) as connection:
                    has = _has(connection)
                self._lacks = f"effects.from_sql: {error} in {self._path}{has}"
                return [], []
            raise UsageError(f"effects.from_sql: {error}: {self._query!r}") from error
        self._lacks = ""
        return found

    def _fetched(self, query: str) -> tuple[list[str], list[Any]]:
        with contextlib.closing(self._connect()) as connection:
            cursor = connection.cursor()
            cursor.execute(query)
            return [column[0] for column in cursor.description], cursor.fetchall()

    def _called(self, *words: str) -> set[str]:
        """The columns of the table that are selected under these names."""
        selected = re.split(r"\bfrom\b", self._query, maxsplit=1, flags=re.IGNORECASE)[0]
        renamed = re.findall(r"(\w+)[\"`]?\s+as\s+[\"`]?(\w+)", selected, re.IGNORECASE)
        plain = re.findall(rf"(?<!as )\b({'|'.join(words)})\b(?!\s+as\b)", selected, re.IGNORECASE)
        found = {column.lower() for column, word in renamed if word.lower() in words}
        return found | ({word.lower() for word in plain} - {word.lower() for _, word in renamed})

    def _unique(self) -> Mapping[frozenset[str], bool] | None:
        """The keys that hold for all rows of the table that is asked, each as its columns, and
        whether SQLite itself numbers the rows by it; None where that cannot be known."""
        table = re.search(r"\bfrom\s+[\"`]?(\w+)", self._query, re.IGNORECASE)
        if table is None or not self._there():
            return None
        with contextlib.closing(self._connect()) as connection:
            if not isinstance(connection, sqlite3.Connection):
                return None
            known = OfSqlite(connection).table(table[1].lower())
        return None if known is None else known.keys


def _has(connection: sqlite3.Connection) -> str:
    """The tables that there are, in words."""
    rows = connection.execute("select name from sqlite_master where type in ('table', 'view')")
    names = ", ".join(sorted(str(name) for (name,) in rows))
    return f", which has {names}" if names else ""


def _new(connect: Callable[[], Any]) -> Callable[[], Any]:
    """The same function, asked for two at first: what it gives is closed after each look, and one
    that is the service's own must not be."""
    asked: list[Any] = []

    def opened() -> Any:
        connection = connect()
        if asked:
            return connection
        other = connect()
        if other is connection:
            raise UsageError(
                "effects.from_sql: the function gave the same connection twice; it must open a new "
                "one each time (lambda: sqlite3.connect(path)), which is closed after the look"
            )
        other.close()
        asked.append(True)
        return connection

    return opened
