"""What a sweep has shown, as a table: point x fault x what became of the cases.

It knows counts and columns; it must never know how a case was run.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

Result: TypeAlias = Literal["passed", "failed", "unfired", "skipped", "unknown"]
RESULTS: tuple[Result, ...] = ("passed", "failed", "unfired", "skipped", "unknown")
LONGEST = 40  # rows that are printed before those without news are folded


@dataclass(slots=True, kw_only=True)
class Table:
    """Counts by (point, fault), in the order in which they were first seen."""

    rows: dict[tuple[str, str], Counter[Result]] = field(default_factory=dict)

    def add(self, point: str, fault: str, result: Result) -> None:
        """One case more."""
        self.rows.setdefault((point, fault), Counter())[result] += 1

    @property
    def totals(self) -> Counter[Result]:
        """Over all rows."""
        return sum(self.rows.values(), Counter())

    def said(self) -> str:
        """`910 passed, 2 failed, 8 unfired`: what is not zero."""
        totals = self.totals
        return ", ".join(f"{totals[word]} {word}" for word in RESULTS if totals[word])

    def lines(self) -> Iterator[str]:
        """The table for a terminal. A long one shows the rows with news; the others are one."""
        shown, folded = list(self.rows.items()), Counter[Result]()
        if len(shown) > LONGEST:
            quiet = [counts for _, counts in shown if set(counts) <= {"passed"}]
            shown = [(key, counts) for key, counts in shown if not set(counts) <= {"passed"}]
            folded = sum(quiet, Counter())
            more = len(quiet)
        words = [word for word in RESULTS if self.totals[word]]
        body = [(point, fault, *_cells(counts, words)) for (point, fault), counts in shown]
        if folded:
            body.append((f"{more} rows more", "", *_cells(folded, words)))
        body.append(("all", "", *_cells(self.totals, words)))
        yield from _laid_out([("point", "fault", *words), *body])


def _cells(counts: Counter[Result], words: Iterable[Result]) -> Iterator[str]:
    return (str(counts[word]) if counts[word] else "." for word in words)


def _laid_out(rows: list[tuple[str, ...]]) -> Iterator[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    before = None
    for point, fault, *numbers in rows:
        cells = [("" if point == before else point).ljust(widths[0]), fault.ljust(widths[1])]
        cells += [cell.rjust(width) for cell, width in zip(numbers, widths[2:], strict=True)]
        yield "  ".join(cells).rstrip()
        before = point
