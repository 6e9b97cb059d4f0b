"""The honesty table as a page: from cells to Markdown, and to what must not be."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence

from tests.shapes.cells import Cell, convicted, missed, outcome
from tests.shapes.shape import NO_FAULT, PROFILES, Shape

SIGNS = {
    "passed": "+", "unknown": "?", "failed": "F", "other": "f", "unfired": ".", "missed": "MISSED",
    "error": "ERROR",
}  # fmt: skip
HEAD = """<!-- Made by running: make honesty. Change the services in tests/shapes, not this. -->

# No false alarms: correct services and their planted twins

Each row is a small service in a shape that teams run ([tests/shapes](../../tests/shapes)), each
column a profile. The correct services must never be `failed`. Each planted twin has one bug; it
must be `failed` under some profile, and must never pass where the ledger shows that the bug did
harm (counted apart from the checkers).

`+` every answer passed · `?` one or more unknown, none failed · `F` failed, as planted · `f` failed
by another question only · `.` the rule could not act on this service (the test says why) · blank:
left out, because the service has no such point
"""


def name_of(shape: Shape, service: str | int) -> str:
    """The service's name: its shape, or the broken function."""
    if service == "correct":
        return shape.name
    broken = shape.caught[int(service)].broken
    return str(getattr(broken, "__name__", broken))


def line(cell: Cell) -> str:
    """One cell in a line, with its reasons."""
    case = cell.case
    what = f"{case.shape}/{case.service} under {case.under} ({case.orders} orders, "
    what += f"{case.partitions} partitions, {case.workers or 1} workers) {outcome(cell)}"
    words = [text for q, text in cell.words.items() if cell.status[q] != "passed"]
    if outcome(cell) == "failed" and case.service == "correct" and convicted(cell):
        what += f" (and the ledger agrees, {'; '.join(convicted(cell))}: mend the service)"
    return f"{what}: {cell.error or '; '.join([*cell.unfired, *missed(cell), *words])}"[:1500]


def complaints(shapes: Sequence[Shape], cells: Iterable[Cell], wide: Iterable[Cell]) -> list[str]:
    """Everything that must not be."""
    found, exposed = [], set()
    cells = list(cells)
    for cell in [*cells, *wide]:
        word, correct = outcome(cell), cell.case.service == "correct"
        if word in ("error", "missed") or (correct and word == "failed"):
            found.append(line(cell))
        if not correct and word == "failed":
            exposed.add((cell.case.shape, cell.case.service))
    found += [
        f"{line(cell)} (say so in the shape's `cannot`)"
        for cell in cells
        if outcome(cell) == "unfired" and cell.case.service == "correct"
    ]
    ran = {(cell.case.shape, cell.case.service) for cell in cells}
    found += [
        f"{shape.name}: no profile exposes {name_of(shape, number)}"
        for shape in shapes
        for number in range(len(shape.caught))
        if (shape.name, number) in ran and (shape.name, number) not in exposed
    ]
    return found


def text(
    shapes: Sequence[Shape], cells: Sequence[Cell], wide: Sequence[Cell], *, seed: int, kind: str
) -> str:
    """The whole page."""
    parts = [HEAD, f"Broker: {kind}.\n"]
    if cells:
        parts += ["## Correct services\n", _table(shapes, cells, correct=True)]
        parts += ["## Planted twins\n", _table(shapes, cells, correct=False)]
    parts += _drawn(wide, seed)
    parts += ["## Why an answer about a correct service was unknown\n", _reasons([*cells, *wide])]
    wrong = complaints(shapes, cells, wide)
    parts += ["## What must not be\n", "\n".join(f"* {each}" for each in wrong) or "Nothing."]
    return "\n".join(parts) + "\n"


def _table(shapes: Sequence[Shape], cells: Sequence[Cell], *, correct: bool) -> str:
    rows: dict[tuple[str, str | int], dict[str, str]] = defaultdict(dict)
    for cell in cells:
        if (cell.case.service == "correct") == correct:
            rows[cell.case.shape, cell.case.service][cell.case.under] = SIGNS[outcome(cell)]
    columns = [NO_FAULT, *PROFILES] + ([] if correct else ["a plan of its own"])
    head = ["service" if correct else "twin", *columns]
    lines = [head, ["---"] * len(head)]
    for shape in shapes:
        for (name, service), signs in rows.items():
            if name == shape.name:
                shown = name_of(shape, service)
                lines.append([shown, *(signs.get(column, "") for column in columns)])
    counts = Counter(sign for signs in rows.values() for sign in signs.values())
    told = ", ".join(f"{count} `{sign}`" for sign, count in counts.most_common())
    body = "\n".join("| " + " | ".join(each) + " |" for each in lines)
    return f"{body}\n\n{len(rows)} services, {sum(counts.values())} runs: {told}.\n"


def _drawn(wide: Sequence[Cell], seed: int) -> list[str]:
    if not wide:
        return []
    said = (
        f"{len(wide)} runs drawn with seed {seed}: one or two profiles at once, rules at the 1st "
        "to 4th position, 1, 2, 5 or 50 messages, 1 or 3 partitions, one or two workers.\n"
    )
    parts = ["## Drawn variants\n", said]
    for correct, name in ((True, "correct"), (False, "planted")):
        some = [cell for cell in wide if (cell.case.service == "correct") == correct]
        counts = Counter(outcome(cell) for cell in some)
        told = ", ".join(f"{count} {word}" for word, count in counts.most_common())
        parts.append(f"* {name}: {len(some)} runs: {told}")
    return [*parts, ""]


def _reasons(cells: Iterable[Cell]) -> str:
    """Of correct services, grouped: names of messages do not make two reasons of one."""
    found: dict[str, list[str]] = defaultdict(list)
    for cell in cells:
        if outcome(cell) in ("error", "unfired") or cell.case.service != "correct":
            continue
        for question, status in cell.status.items():
            if status == "unknown":
                said = cell.words[question].split(": ", 1)[1].split(" [")[0]
                said = re.sub(r"\b[a-z]*\d+(\|\w+)?\b|'[^']*'", "N", said)
                found[said].append(f"{cell.case.shape} under {cell.case.under} ({question})")
    if not found:
        return "No answer about a correct service was unknown.\n"
    rows = sorted(found.items(), key=lambda item: -len(item[1]))
    return (
        "\n".join(
            f"* {len(where)}x {said} - {'; '.join(dict.fromkeys(where[:4]))}"
            for said, where in rows
        )
        + "\n"
    )
