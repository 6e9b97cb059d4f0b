"""What the code under test did to the world: `chaos.effects`.

Sources are recorded in process, read from a file of JSON lines, read from an output topic, or
looked at (SQL, a function). A looked-at source has no instants of its own: each look narrows when a
row appeared to (look without it, look with it].
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from pytest_mqchaos.chaos.outputs import Output
from pytest_mqchaos.errors import UsageError, unknown
from pytest_mqchaos.history.rows import Effect, Handled
from pytest_mqchaos.workloads import effects_file
from pytest_mqchaos.workloads.incarnation import current_incarnation

COLUMNS = ("id", "part", "by", "key", "value", "t", "owner")


class Row(NamedTuple):
    """One effect before it is judged; `t` is CLOCK_MONOTONIC ns or None."""

    id: str
    part: str | None = None
    by: str | None = None
    key: str | None = None
    value: object = None
    t: int | None = None
    owner: str | None = None


def row(given: Mapping[str, Any], where: str) -> Row:
    """Understand one row of a user's source. Raises `UsageError` for unknown columns or no id."""
    extra = set(given) - set(COLUMNS)
    if extra:
        raise unknown(f"effect column in {where}", min(extra), COLUMNS)
    if given.get("id") is None:
        raise UsageError(f"an effect in {where} has no id: {dict(given)!r}; select it `as id`")
    words = {name: None if given.get(name) is None else str(given[name])
             for name in ("part", "by", "key", "owner")}  # fmt: skip
    t = given.get("t")
    return Row(str(given["id"]), value=given.get("value"), t=None if t is None else int(t), **words)


class Source(Protocol):
    """Where effects can be seen. `look` gives every row there is now, in the source's order."""

    name: str
    countable: bool
    timed: bool

    def look(self) -> list[Row]: ...


class Recorded:
    """`chaos.effects.record(...)`, in process."""

    name, countable, timed = "effects.record", True, True

    def __init__(self) -> None:
        self.rows: list[Row] = []

    def look(self) -> list[Row]:
        return list(self.rows)


class Lines:
    """A file of JSON lines that any language appends to."""

    countable, timed = True, True

    def __init__(self, path: Path) -> None:
        self.name = str(path)
        self.path = path
        self.handled: list[Handled] = []

    def look(self) -> list[Row]:
        rows: list[Row] = []
        self.handled = []
        for number, line in enumerate(effects_file.read(self.path), 1):
            given = dict(line)
            ids = given.pop("ids", None) or [given.get("id")]
            if given.pop("attempt", False):
                t = int(given.get("t") or 0)
                self.handled += [Handled(t, str(one), given.get("owner")) for one in ids]
            else:
                where = f"{self.name}, line {number}"
                rows += [row({**given, "id": one}, where) for one in ids]
        return rows


class Looked:
    """A function that gives all rows as they are now (SQL, a store's API)."""

    timed = False

    def __init__(
        self, name: str, look: Callable[[], Iterable[Mapping[str, Any]]], *, countable: bool
    ) -> None:
        self.name = name
        self.countable = countable
        self._look = look

    def look(self) -> list[Row]:
        return [row(given, self.name) for given in self._look()]


class Watch:
    """One source and what successive looks at it have shown."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self._seen: list[tuple[Row, int, int]] = []
        self._last = time.monotonic_ns()
        # What stood there before is the baseline: not this test's doing.
        rows = source.look()
        self.before = frozenset(found.id for found in rows)
        self._before = Counter(map(_plain, rows))
        self._shown = rows

    @property
    def timed(self) -> bool:
        """Whether its rows have instants of their own."""
        return self.source.timed

    def look(self) -> bool:
        """Look again; whether anything new was there."""
        asked = time.monotonic_ns()
        rows = self.source.look()
        seen_at = time.monotonic_ns()
        fresh = self._fresh(rows)
        self._seen += [(found, self._last, seen_at) for found in fresh]
        self._last = asked
        self._shown = rows
        return bool(fresh)

    def _fresh(self, rows: list[Row]) -> list[Row]:
        """Rows that no look has shown before."""
        shown = self._shown
        if len(shown) == self._before.total() + len(self._seen) and rows[: len(shown)] == shown:
            return rows[len(shown) :]  # nothing ever vanished, the rest was only appended
        known = self._before + Counter(_plain(r) for r, _, _ in self._seen)
        fresh = []
        for found in rows:
            plain = _plain(found)
            if known[plain]:
                known[plain] -= 1
            else:
                fresh.append(found)
        return fresh

    def effects(self, start: int, order: bool) -> list[Effect]:  # noqa: FBT001 - one caller
        """Every effect seen, in order."""
        return [
            Effect(
                start + n if order else None,
                found.t if found.t is not None else since,
                found.t if found.t is not None else until,
                found.id, found.part, found.by, found.key, found.value, found.owner,
                posthumous=False, countable=self.source.countable,
            )
            for n, (found, since, until) in enumerate(self._seen)
        ]  # fmt: skip


def _plain(found: Row) -> tuple[object, ...]:
    return (*found[:4], repr(found.value), found.t)


class Effects:
    """`chaos.effects`: declare where effects can be seen, or record them."""

    def __init__(self, lines: Path, output: Callable[[str], Output]) -> None:
        self._recorded = Recorded()
        self._lines = Lines(lines)
        self._output = output
        self._watches: list[Watch | Output] = [Watch(self._recorded), Watch(self._lines)]
        self._handled: list[Handled] = []
        self.declared = False

    # ------------------------------------------------------------ in process

    def record(
        self, id: str | None = None, *, ids: Iterable[str] | None = None, part: str | None = None,
        by: str | None = None, key: str | None = None, value: object = None,
    ) -> None:  # fmt: skip
        """The effect of one message (`id`) or of several at once (`ids`) happened now."""
        self.declared = True
        if (id is None) == (ids is None):
            raise UsageError("effects.record() takes one id, or ids=[...] for several messages")
        t, owner = time.monotonic_ns(), current_incarnation()
        for one in [id] if ids is None else ids:
            self._recorded.rows.append(Row(str(one), part, by, key, value, t, owner))

    def attempt(self, id: str) -> None:
        """A handler starts on this message (what `assert_attempts` counts)."""
        self._handled.append(Handled(time.monotonic_ns(), str(id), current_incarnation()))

    # ------------------------------------------------------------ sources

    def from_call(
        self, look: Callable[[], Iterable[Mapping[str, Any]]], *, countable: bool = True
    ) -> None:
        """`look()` gives every row as it is now: mappings with id, part, by, key, value, t.
        `countable=False`: the source cannot hold one id twice."""
        name = getattr(look, "__qualname__", "effects.from_call")
        self._watch(Looked(name, look, countable=countable))

    def from_sql(
        self, dsn: str | Callable[[], Any], query: str, *, countable: bool | None = None
    ) -> None:
        """Rows of a query whose columns are named id, part, by, key, value, in its own order.

        `dsn` is the path of an SQLite file ("sqlite:///path" too) or a function that gives a new
        DB-API connection. `countable` None: found out where it can be (SQLite keys, GROUP BY).
        """
        from pytest_mqchaos.chaos.sql import Query

        source = Query(dsn, query)
        known = source.countable() if countable is None else countable
        self._watch(Looked(f"query {query!r}", source.rows, countable=known))

    def from_file(self, path: str | Path) -> None:
        """A file of JSON lines: {"id": ..., "part", "by", "key", "value", "t" (monotonic ns)}."""
        self._watch(Lines(Path(path)))

    def from_topic(self, name: str) -> None:
        """Every record of the output topic `name` is an effect of the message whose id it carries
        (found by `id=`); the topic is then no input. `key` and `value` are the record's, as text.
        """
        self.declared = True
        self._watches.append(self._output(name))

    def _watch(self, source: Source) -> None:
        self.declared = True
        self._watches.append(Watch(source))

    # ------------------------------------------------------------ for judgement

    def look(self) -> bool:
        """Look at every source; whether anything was new."""
        found = [watch.look() for watch in self._watches]  # each of them, also after a hit
        return any(found)

    def rows(self) -> tuple[Effect, ...] | None:
        """Every effect so far; None when no source was declared and none was recorded."""
        found: list[Effect] = []
        for watch in self._watches:
            found += watch.effects(len(found), order=True)
        if not found and not self.declared:
            return None
        shown = [watch for watch in self._watches if watch.effects(0, order=True)]
        # One source has an order of its own, which is more than instants say.
        if len(shown) > 1 and all(watch.timed for watch in shown):
            found.sort(key=lambda effect: effect.t_from)
            found = [effect._replace(order=n) for n, effect in enumerate(found)]
        return tuple(found)

    @property
    def topics(self) -> frozenset[str]:
        """The output topics that are read as effects."""
        return frozenset(watch.name for watch in self._watches if isinstance(watch, Output))

    def nameless(self) -> list[str]:
        """Sentences about effects that may be anybody's."""
        outputs = [watch for watch in self._watches if isinstance(watch, Output)]
        return [text for output in outputs for text in output.nameless()]

    @property
    def before(self) -> frozenset[str]:
        """The ids whose effects stood there before the test began."""
        return frozenset().union(*(w.before for w in self._watches if isinstance(w, Watch)))

    def handled(self) -> tuple[Handled, ...]:
        """Every start of a handler."""
        return tuple(sorted([*self._handled, *self._lines.handled]))
