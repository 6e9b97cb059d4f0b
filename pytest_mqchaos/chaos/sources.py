"""Where effects can be seen: recorded in process, lines of a file, or looked at again and again.

A looked-at source has no instants of its own: each look narrows when a row appeared to
(look without it, look with it].
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from pytest_mqchaos.errors import UsageError, unknown
from pytest_mqchaos.history.identity import as_id
from pytest_mqchaos.history.rows import Effect, Handled
from pytest_mqchaos.workloads import effects_file

_STAYS = (0, 0)
COLUMNS = ("id", "part", "by", "key", "value", "t", "owner")
SLACK = 10_000_000_000  # ns that an instant told by others may be off
_NO_INSTANT = (
    "`t` is the monotonic clock in nanoseconds (time.monotonic_ns(), CLOCK_MONOTONIC), not the "
    "time of day and not seconds; leave it out where there is none"
)


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
    words = {name: None if given.get(name) is None else as_id(given[name])
             for name in ("part", "by", "key", "owner")}  # fmt: skip
    t = given.get("t")
    if t is not None and not isinstance(t, int | float):
        raise UsageError(f"an effect in {where} has t={t!r}: {_NO_INSTANT}")
    return Row(
        as_id(given["id"]), value=given.get("value"), t=None if t is None else int(t), **words
    )


class Source(Protocol):
    """Where effects can be seen. `look` gives every row there is now, in the source's order;
    `absent` says what of it was not there at the last look ("" if it was). What is asked of a
    source may have another answer after a look."""

    name: str
    timed: bool

    @property
    def countable(self) -> bool | None: ...  # None: not known

    @property
    def ordered(self) -> bool: ...  # whether its rows come in the order in which they were made

    @property
    def keyed(self) -> bool: ...  # whether it may have one row for each key

    def look(self) -> list[Row]: ...

    def absent(self) -> str: ...


class Recorded:
    """`chaos.effects.record(...)`, in process."""

    name, countable, timed, ordered, keyed = "effects.record", True, True, True, False

    def __init__(self) -> None:
        self.rows: list[Row] = []

    def look(self) -> list[Row]:
        return list(self.rows)

    def absent(self) -> str:
        return ""


class Lines:
    """A file of JSON lines that any language appends to."""

    countable, timed, ordered, keyed = True, True, True, False

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

    def absent(self) -> str:
        return "" if self.path.exists() else f"effects.from_file: there is no file {self.path}"


class Looked:
    """A function that gives all rows as they are now (SQL, a store's API).

    `countable`, and `keyed` (whether it may have one row for each key), may be questions that can
    be answered only once there are rows; `ordered` one whose answer rows may change.
    """

    timed = False

    def __init__(
        self, name: str, look: Callable[[], Iterable[Mapping[str, Any]]], *,
        countable: bool | Callable[[], bool | None] | None,
        ordered: Callable[[], bool],
        absent: Callable[[], str] = str, keyed: Callable[[], bool] | None = None,
    ) -> None:  # fmt: skip
        self.name = name
        self.absent = absent
        self.countable = None if callable(countable) else countable
        self._keyed: bool | None = None
        self._ordered = ordered
        self._ask = countable if callable(countable) else None
        self._ask_keyed = keyed or (lambda: True)
        self._look = look

    @property
    def ordered(self) -> bool:
        return self._ordered()

    @property
    def keyed(self) -> bool:
        if self._keyed is None:
            self._keyed = self._ask_keyed()
        return self._keyed

    def look(self) -> list[Row]:
        rows = [row(given, self.name) for given in self._look()]
        if rows and self._ask is not None:
            self.countable, self._ask = self._ask(), None
        self._keyed = None  # may have changed: asked again when somebody wants to know
        return rows


class Watch:
    """One source and what successive looks at it have shown."""

    def __init__(self, source: Source, clock: Callable[[], int]) -> None:
        self.source = source
        self._clock = clock
        self._seen: list[tuple[Row, int, int]] = []
        self._last = self._began = self._clock()
        self._written_over = self._moved = False
        # Places in `_seen`, and between which two looks the row went.
        self._gone: dict[int, tuple[int, int]] = {}
        # What stood there before is the baseline: not this test's doing.
        rows = source.look()
        self.before = frozenset(found.id for found in rows)
        self._before = Counter(map(_plain, rows))
        self._shown = rows

    @property
    def timed(self) -> bool:
        """Whether its rows have instants of their own."""
        return self.source.timed

    @property
    def uncounted(self) -> bool:
        """Whether it has shown effects, and nobody knows if it can show one twice."""
        return bool(self._seen) and self.source.countable is None and not self._written_over

    def look(self) -> bool:
        """Look again; whether anything was new, or gone."""
        asked = self._clock()
        rows = self.source.look()
        seen_at = self._clock()
        fresh, gone = self._compared(rows)
        self._moved = self._moved or not _appended(self._shown, rows)
        if not isinstance(self.source, Recorded):  # of which the clock is ours
            self._timely(fresh, seen_at)
        for found in fresh:
            old = next((n for n in gone if _same(self._seen[n][0], found)), None)
            if old is None:
                self._seen.append((found, self._last, seen_at))
            else:  # the row was written over: one effect, another value
                gone.remove(old)
                self._seen[old] = (found, *self._seen[old][1:])
                self._written_over = True
        before, now = self._gone, (self._last, seen_at)
        self._gone = {place: before.get(place, now) for place in gone}
        self._last = asked
        self._shown = rows
        return bool(fresh) or self._gone.keys() != before.keys()

    def _timely(self, fresh: list[Row], now: int) -> None:
        """Raise `UsageError` for an instant that is none of this run."""
        for found in fresh:
            if found.t is not None and not self._began - SLACK <= found.t <= now + SLACK:
                raise UsageError(
                    f"the effect of {found.id!r} in {self.source.name} has t={found.t}, and now is "
                    f"{now}: {_NO_INSTANT}"
                )

    def _compared(self, rows: list[Row]) -> tuple[list[Row], list[int]]:
        """Rows that no look has shown before, and places in `_seen` of rows that are there no
        more."""
        shown = self._shown
        if len(shown) == self._before.total() + len(self._seen) and rows[: len(shown)] == shown:
            return rows[len(shown) :], []  # nothing ever vanished, the rest was only appended
        known = self._before + Counter(_plain(found) for found, _, _ in self._seen)
        fresh = []
        for found in rows:
            plain = _plain(found)
            if known[plain]:
                known[plain] -= 1
            else:
                fresh.append(found)
        gone = []
        for number, (found, _, _) in enumerate(self._seen):
            if known[_plain(found)]:
                known[_plain(found)] -= 1
                gone.append(number)
        return fresh, gone

    def effects(self, start: int, order: bool) -> list[Effect]:  # noqa: FBT001 - one caller
        """Every effect seen, in order. A source that was seen to write rows over is a map: it
        cannot show one id twice; one of which nobody knows is taken as able (`uncounted`)."""
        countable = self.source.countable is not False and not self._written_over
        order = order and self.source.ordered and not self._moved
        return [
            Effect(
                start + n if order else None,
                found.t if found.t is not None else since,
                found.t if found.t is not None else until,
                found.id, found.part, found.by, found.key, found.value, found.owner,
                posthumous=False, countable=countable, gone=n in self._gone,
                gone_from=self._gone.get(n, _STAYS)[0], gone_to=self._gone.get(n, _STAYS)[1],
                keyed=self.source.keyed,
            )
            for n, (found, since, until) in enumerate(self._seen)
        ]  # fmt: skip


def _plain(found: Row) -> tuple[object, ...]:
    return (*found[:4], repr(found.value), found.t)


def _appended(before: list[Row], now: list[Row]) -> bool:
    """Whether what stood there before and still does comes first, in the same order: where rows
    change places, or come in between, their order is not that in which they were made."""
    if now[: len(before)] == before:
        return True
    left, here = Counter(each[:3] for each in now), [each[:3] for each in now]
    kept = []
    for one in (each[:3] for each in before):
        if left[one]:
            left[one] -= 1
            kept.append(one)
    return here[: len(kept)] == kept


def _same(one: Row, other: Row) -> bool:
    """Whether two rows stand for the same effect."""
    return one[:3] == other[:3]
