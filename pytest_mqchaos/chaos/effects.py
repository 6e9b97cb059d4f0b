"""What the code under test did to the world: `chaos.effects`.

It puts sources together; it must never know a verdict.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from pytest_mqchaos.chaos.loose import LOOSE
from pytest_mqchaos.chaos.outputs import Output, Part
from pytest_mqchaos.chaos.sources import Lines, Looked, Recorded, Row, Source, Watch
from pytest_mqchaos.errors import UsageError
from pytest_mqchaos.history.identity import as_id
from pytest_mqchaos.history.rows import Effect, Handled
from pytest_mqchaos.workloads.effects_file import misgiven
from pytest_mqchaos.workloads.incarnation import current_incarnation


def _loose() -> str | None:
    """The owner of what a thread records that took no context along (an executor's)."""
    return None if threading.current_thread() is threading.main_thread() else LOOSE


class Effects:
    """`chaos.effects`: declare where effects can be seen, or record them."""

    def __init__(
        self, lines: Path | None, output: Callable[[str, Part, str | None], Output],
        clock: Callable[[], int] = time.monotonic_ns,
    ) -> None:  # fmt: skip
        self._clock = clock
        self._recorded = Recorded()
        self._lines = Lines(lines) if lines is not None else None  # None: no process will write
        self._output = output
        sources: list[Source] = [self._recorded, *([self._lines] if self._lines else [])]
        self._watches: list[Watch | Output] = [Watch(source, clock) for source in sources]
        self._handled: list[Handled] = []
        self.declared = False
        self.misused = (
            ""  # how code under test recorded what it could not; it may swallow our error
        )

    # ------------------------------------------------------------ in process

    def record(
        self, id: str | None = None, *, ids: Iterable[str] | None = None, part: str | None = None,
        by: str | None = None, key: str | None = None, value: object = None,
    ) -> None:  # fmt: skip
        """The effect of one message (`id`) or of several at once (`ids`) happened now."""
        self.declared = True
        t, owner = self._clock(), current_incarnation() or _loose()
        wrong = misgiven(id, ids, "effects.record()")
        if wrong:
            self.misused = self.misused or (wrong if owner else "")
            raise UsageError(wrong)
        part, by, key = (None if word is None else as_id(word) for word in (part, by, key))
        for one in [id] if ids is None else ids:
            self._recorded.rows.append(Row(as_id(one), part, by, key, value, t, owner))

    def attempt(self, id: str) -> None:
        """A handler starts on this message (what `assert_attempts` counts)."""
        self._handled.append(Handled(self._clock(), as_id(id), current_incarnation()))

    # ------------------------------------------------------------ sources

    def from_call(
        self, look: Callable[[], Iterable[Mapping[str, Any]]], *, countable: bool | None = None,
        ordered: bool = False,
    ) -> None:  # fmt: skip
        """`look()` gives every row as it is now: mappings with id, part, by, key, value, t.
        `countable`: whether the source can hold one id twice. None: nobody knows, and a pass says
        so. `ordered`: whether its rows come in the order in which they were made."""
        name = getattr(look, "__qualname__", "effects.from_call")
        self._watch(Looked(name, look, countable=countable, ordered=lambda: ordered))

    def from_sql(
        self, dsn: str | Callable[[], Any], query: str, *, countable: bool | None = None
    ) -> None:
        """Rows of a query whose columns are named id, part, by, key, value; in its own order, if it
        says one (ORDER BY what grows with each row: not the id, not a time that several share).

        `dsn` is the path of an SQLite file ("sqlite:///path" too) or a function that gives a new
        DB-API connection. `countable`: whether it shows work that was done twice as two rows. None:
        if a simple query of a table without unique keys proves it; a pass says where nobody knows.
        """
        from pytest_mqchaos.chaos.sql import Query

        source = Query(dsn, query)
        known = source.countable if countable is None else countable
        self._watch(
            Looked(
                f"query {query!r}", source.rows, countable=known, ordered=lambda: source.ordered,
                absent=source.absent, keyed=source.keyed,
            )
        )  # fmt: skip

    def from_file(self, path: str | Path) -> None:
        """A file of JSON lines: {"id": ..., "part", "by", "key", "value", "t" (monotonic ns)}."""
        self._watch(Lines(Path(path)))

    def from_topic(self, name: str, *, part: Part = None, by: str | None = None) -> None:
        """Every record of the output topic `name` is an effect of the message whose id it carries
        (found by `id=`); the topic is then no input. `key` and `value` are the record's, as text;
        `part` and `by` are of all of them; a function `part` tells it of each (Record -> part),
        where one message leads to several records.
        """
        self.declared = True
        self._watches.append(self._output(name, part, by))

    def _watch(self, source: Source) -> None:
        self.declared = True
        self._watches.append(Watch(source, self._clock))

    # ------------------------------------------------------------ for judgement

    def look(self) -> bool:
        """Look at every source; whether anything was new."""
        found = [watch.look() for watch in self._watches]  # each of them, also after a hit
        return any(found)

    def rows(self) -> tuple[Effect, ...] | None:
        """Every effect so far; None when no source was declared and none was recorded."""
        found: list[Effect] = []
        shown: list[tuple[Watch | Output, list[Effect]]] = []
        for watch in self._watches:
            rows = watch.effects(len(found), order=True)
            shown += [(watch, rows)] if rows else []
            found += rows
        if not found and not self.declared:
            return None
        names = self._names() if len(shown) > 1 else {}
        if len(set(map(names.get, (watch for watch, _ in shown)))) > 1:
            found = [row._replace(source=names[each]) for each, rows in shown for row in rows]
        # One source has an order of its own, which is more than instants say.
        if len(shown) > 1 and all(watch.timed for watch, _ in shown):
            found.sort(key=lambda effect: effect.t_from)
            found = [effect._replace(order=n) for n, effect in enumerate(found)]
        elif len(shown) > 1:  # nobody knows which source was first
            found = [effect._replace(order=None) for effect in found]
        return tuple(found)

    def _names(self) -> dict[Watch | Output, str]:
        """What to call each source. What code recorded is one, in whatever process it ran."""
        found: dict[Watch | Output, str] = {}
        times: Counter[str] = Counter()
        for watch in self._watches:
            if isinstance(watch, Watch) and watch.source is self._lines:
                found[watch] = self._recorded.name
                continue
            name = f"topic {watch.name}" if isinstance(watch, Output) else watch.source.name
            times[name] += 1
            found[watch] = f"{name} ({times[name]})" if times[name] > 1 else name
        return found

    def absent(self) -> list[str]:
        """Sentences about declared sources that are not there."""
        own = (self._recorded, self._lines)
        told = [
            watch.source.absent()
            for watch in self._watches
            if isinstance(watch, Watch) and watch.source not in own
        ]
        return [text for text in told if text]

    def uncounted(self) -> list[str]:
        """Sentences about sources of which nobody knows whether they can show an effect twice."""
        return [
            f"whether {name} can show one id twice was not found out (say countable=True or False)"
            for watch, name in self._names().items()
            if isinstance(watch, Watch) and watch.uncounted
        ]

    @property
    def tables(self) -> bool:
        """Whether a source may hold one row for each key, the last: what a look shows of it."""
        looked = (w.source for w in self._watches if isinstance(w, Watch) and not w.timed)
        return any(source.keyed for source in looked)

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
        told = self._lines.handled if self._lines is not None else []
        return tuple(sorted([*self._handled, *told]))
