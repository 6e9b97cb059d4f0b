"""What a benchmark found, as data: tables and goals, printed as Markdown and kept as JSON.

It knows how figures are compared and shown; it must never know how they were measured.
"""

from __future__ import annotations

import json
import os
import statistics
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

OUT = "MQCHAOS_BENCHMARK_OUT"  # where `done` keeps the figures for who runs all benchmarks


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """Cells as they are shown; columns behind the first `words` hold numbers."""

    title: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    words: int = 2
    note: str = ""

    def text(self) -> str:
        """The table in Markdown."""
        line = ["---"] * self.words + ["---:"] * (len(self.head) - self.words)
        every = [self.head, tuple(line), *self.rows]
        shown = "\n".join("| " + " | ".join(row) + " |" for row in every)
        return f"{shown}\n" + (f"\n{self.note}\n" if self.note else "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Goal:
    """One target of the project and whether it was met; None: nobody set one."""

    target: str
    what: str
    wanted: str
    measured: str
    met: bool | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """All that one benchmark found. `conditions`: repetitions, load, versions, in words."""

    conditions: str
    tables: tuple[Table, ...]
    goals: tuple[Goal, ...] = ()


def spread(values: Sequence[float], digits: int = 0) -> str:
    """Median (least - most)."""
    mid = statistics.median(values)
    return f"{mid:,.{digits}f} ({min(values):,.{digits}f} - {max(values):,.{digits}f})"


def ratios(ours: Sequence[float], theirs: Sequence[float]) -> list[float]:
    """Repetition by repetition, because what disturbed one way disturbed the other as well."""
    return [a / b for a, b in zip(ours, theirs, strict=True) if b]


def added(ours: Sequence[float], theirs: Sequence[float], direct: Sequence[float]) -> list[float]:
    """What ours adds to direct, as a part of what theirs adds."""
    every = zip(ours, theirs, direct, strict=True)
    return [(a - d) / max(0.01, b - d) for a, b, d in every]


def goal(
    target: str,
    what: str,
    values: Sequence[float],
    *,
    least: float | None = None,
    most: float | None = None,
    show: Callable[[float], str] = lambda value: f"{value:.2f}x",
) -> Goal:
    """Judge a median; the least and the most stand beside it."""
    mid = statistics.median(values)
    met = (least is None or mid >= least) and (most is None or mid <= most)
    wanted = f"≥ {show(least)}" if least is not None else f"≤ {show(most)}" if most else "-"
    range_ = f"{show(min(values))} - {show(max(values))}"
    measured = show(mid) + (f" ({range_})" if len(values) > 1 else "")
    return Goal(target=target, what=what, wanted=wanted, measured=measured, met=met)


def goals_table(goals: Iterable[Goal]) -> str:
    """The goals in Markdown."""
    words = {True: "met", False: "**missed**", None: "-"}
    rows = tuple((g.target, g.what, g.wanted, g.measured, words[g.met]) for g in goals)
    return Table(
        title="", head=("target", "what", "wanted", "measured", ""), rows=rows, words=5
    ).text()


def load() -> float:
    """How many wanted to run during the last minute."""
    return os.getloadavg()[0]


def done(figures: Figures) -> None:
    """Print the figures; keep them where who started us will look."""
    print(figures.conditions)
    for table in figures.tables:
        print(f"\n{table.title}\n\n{table.text()}")
    if figures.goals:
        print(goals_table(figures.goals), flush=True)
    if os.environ.get(OUT):
        Path(os.environ[OUT]).write_text(json.dumps(asdict(figures)), encoding="utf-8")


def read(path: Path) -> Figures:
    """What `done` kept."""
    data: Mapping[str, list[dict[str, object]]] = json.loads(path.read_text(encoding="utf-8"))

    def tuples(each: dict[str, object]) -> dict[str, object]:
        return {**each, "head": tuple(each["head"]), "rows": tuple(map(tuple, each["rows"]))}  # type: ignore[arg-type]

    return Figures(
        conditions=str(data["conditions"]),
        tables=tuple(Table(**tuples(each)) for each in data["tables"]),  # type: ignore[arg-type]
        goals=tuple(Goal(**each) for each in data["goals"]),  # type: ignore[arg-type]
    )
