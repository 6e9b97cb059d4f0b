"""Reading effects from a database: a new short connection per look, read only in spirit.

It knows DB-API; it must never keep a transaction of the user's open.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from pytest_mqchaos.chaos.sources import COLUMNS
from pytest_mqchaos.chaos.sql_claims import countable, grown, lasting
from pytest_mqchaos.chaos.sql_keys import ROWID, OfSqlite, asked, fetched
from pytest_mqchaos.chaos.sql_order import Order
from pytest_mqchaos.chaos.sql_origins import Catalogue, Shown, shown
from pytest_mqchaos.chaos.sql_text import Named, every, words
from pytest_mqchaos.errors import UsageError

_PATIENCE = (1, 0.05)  # s to wait for a lock: at first, and while it lasts


class Query:
    """A query whose column names are the words of an effect."""

    def __init__(self, dsn: str | Path | Callable[[], Any], query: str) -> None:
        self._query = query
        self._order = Order(query)
        self._grown = False
        self._lacks = self._unread = ""
        self._last: tuple[list[str], list[Any]] | None = None
        self._since = 0  # the number of the last row that stood there before
        if callable(dsn):
            self._connect = _new(dsn)
            self._path: str | None = None
            return
        given = str(dsn).removeprefix("sqlite:///")
        uri = given.startswith("file:")
        path = unquote(urlsplit(given).path) if uri else given
        if not path or path == ":memory:" or "mode=memory" in given or "://" in path:
            raise UsageError(
                f"effects.from_sql({dsn!r}): give the path of an SQLite file, or a function that "
                "opens a new connection (lambda: psycopg.connect(...)); a ':memory:' database of "
                "another connection cannot be seen from here"
            )
        self._path = path
        # In virtual time nobody unlocks it while we wait.
        self._connect = lambda: sqlite3.connect(
            given, timeout=_PATIENCE[bool(self._unread)], uri=uri
        )

    def rows(self) -> list[dict[str, Any]]:
        """Every row now; as at the last look where the database is locked. A table that does not
        exist yet has none."""
        if self._last is None:
            self._since = self._told(_last) or 0
        try:
            self._last = self._asked() if self._there() else ([], [])
            self._unread = ""
        except sqlite3.OperationalError as error:
            if self._last is None:  # what stood there before has to be known
                raise UsageError(f"effects.from_sql: {error}: {self._query!r}") from error
            self._unread = f"effects.from_sql: the database could not be read: {error}"
        return self._order.rows(*self._last)

    def countable(self) -> bool | None:
        """Whether work that is done twice shows one (id, part, by) twice: not where the query does
        not prove it. None where the database does not tell."""
        told = self._told(lambda found, known: countable(found) and (known.complete or None))
        return None if told is None and every(words(self._query)) else bool(told)

    def keyed(self) -> bool:
        """Whether a later message may write over the row of an earlier one, or remove it: not where
        SQLite says that rows are told apart by the id alone, and that none is missing."""

        def stays(found: Shown, known: Catalogue) -> bool:
            name = lasting(found)
            return bool(name) and isinstance(known, OfSqlite) and not known.gaps(name, self._since)

        return not self._told(stays)

    @property
    def ordered(self) -> bool:
        """Whether the query says in which order its rows come, and rows that were seen did not
        differ. Without ORDER BY a database gives them as it likes (SQLite by the id, where that has
        an index)."""
        if not self._order.known or self._grown or not self._there():
            return self._order.known
        told = self._told(lambda found, _: grown(found, self._order.terms))
        self._grown = bool(told)
        # Where a database does not tell, the text alone has to.
        return bool(told) or (
            told is None and ROWID.isdisjoint(word.name for word in words(self._query))
        )

    def absent(self) -> str:
        """What was not there at the last look, as a sentence; "" if everything was."""
        if self._path is None:
            return self._unread
        if not Path(self._path).exists():
            return f"effects.from_sql: there is no file {self._path}"
        return self._unread or self._lacks

    def _there(self) -> bool:
        return self._path is None or Path(self._path).exists()

    def _asked(self) -> tuple[list[str], list[Any]]:
        """The rows, if they can be had with what tells their order."""
        if self._order.query == self._query:
            return self._plain()
        for _ in range(2):  # a table may have come in between
            try:
                found = self._fetched(self._order.query)
            except Exception as error:
                if _busy(error):
                    raise
            else:
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
            if _busy(error):
                raise
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
            rows = fetched(cursor, query)
            names = [str(column[0]) for column in cursor.description]
        return [name.lower() if name.lower() in COLUMNS else name for name in names], rows

    def _told(self, question: Callable[[Shown, Catalogue], int | None]) -> int | None:
        """The answer to a question about what the query shows. What is not simple is denied, and
        so is what SQLite does not tell; None where another database does not."""
        known = self._path is not None
        if self._there():
            # Each driver has errors of its own.
            with contextlib.suppress(Exception), asked(self._connect) as catalogue:
                known = isinstance(catalogue, OfSqlite)
                found = shown(Named((), words(self._query)), catalogue)
                return False if found is None else question(found, catalogue)
        return False if known else None


def _last(found: Shown, known: Catalogue) -> int:
    name = lasting(found)
    return known.last(name) if name and isinstance(known, OfSqlite) else 0


def _busy(error: Exception) -> bool:
    code = error.sqlite_errorcode if isinstance(error, sqlite3.OperationalError) else 0
    return code & 0xFF in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)


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
