"""Many rows as a table for a page."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from orphans.kills import KINDS
from orphans.row import Row

STAGES = (
    "interpreter", "collection", "set-up", "data plane starts", "broker starts", "traffic",
    "frames held", "worker restarts", "settle", "workers stop", "judging", "replay proof",
    "tear-down", "exit",
)  # fmt: skip


def read(path: Path) -> list[Row]:
    """The rows of a file that may not be there yet."""
    if not path.exists():
        return []
    bodies = [json.loads(line) for line in path.read_text().splitlines()]
    for body in bodies:
        body["left"], body["untrue"] = tuple(body["left"]), tuple(body["untrue"])
    return [Row(**body) for body in bodies]


def _markdown(head: Sequence[str], lines: Sequence[Sequence[object]]) -> str:
    rows = [head, ["---"] * len(head), *lines]
    return "\n".join(f"| {' | '.join(map(str, row))} |" for row in rows)


def _kinds(rows: Sequence[Row]) -> str:
    lines = []
    for name in (*KINDS, "all"):
        of = [row for row in rows if name in (row.kind, "all")]
        if of:
            lines.append(
                [
                    name, len(of), sum(bool(row.left) for row in of),
                    sum(bool(row.untrue) for row in of),
                    f"{sorted(row.seconds for row in of)[len(of) // 2]:.2f} s",
                    f"{max(row.seconds for row in of):.2f} s",
                    f"{max(row.ended for row in of):.1f} s",
                ]
            )  # fmt: skip
    head = ["kill", "times", "left behind", "untrue", "clean-up, median", "slowest",
            "pytest ended after, slowest"]  # fmt: skip
    return _markdown(head, lines)


def _stages(rows: Sequence[Row]) -> str:
    kinds = [name for name in KINDS if any(row.kind == name for row in rows)]
    lines = []
    for stage in STAGES:
        counts = [sum(row.kind == k and row.stage == stage for row in rows) for k in kinds]
        if sum(counts):
            lines.append([stage, *(count or "" for count in counts), sum(counts)])
    return _markdown(["stage", *kinds, "all"], lines)


def text(rows: Sequence[Row]) -> str:
    """Both tables: by kind, and which stage each kind hit."""
    scenarios = sorted({row.scenario for row in rows})
    counted = ", ".join(f"{name} {sum(r.scenario == name for r in rows)}" for name in scenarios)
    return f"\n{_kinds(rows)}\n\n{_stages(rows)}\n\nscenarios: {counted}\n"
