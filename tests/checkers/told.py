"""Whole verdicts, word for word: told/QUESTION.txt has timelines and below each what is told of it.

    python -m tests.checkers.told     write the pages anew (then read the difference, line by line)

What is left out of a page is what a verdict does not say: empty fields and counts of 0.
"""

from __future__ import annotations

import dataclasses
from pathlib import Path

from pytest_mqchaos.checkers.evidence.fault_free import Baseline
from pytest_mqchaos.checkers.registry import CHECKERS
from pytest_mqchaos.errors import UsageError
from pytest_mqchaos.history import rows
from pytest_mqchaos.history.rows import RuleState
from tests.checkers.timeline import DRAWN, MS, RULE, UNFIRED, run

PAGES = Path(__file__).parent / "told"
NAMES = {
    **vars(rows),
    **CHECKERS,
    "Baseline": Baseline,
    "run": run,
    "MS": MS,
    "RULE": RULE,
    "DRAWN": DRAWN,
    "UNFIRED": UNFIRED,
    "RuleState": RuleState,
}


def _parted(block):
    """The lines of a block: for people, source, told."""
    parts = ([], [], [])
    for line in block.splitlines():
        which = 0 if line[:2] == "# " else 1 if line[:4] in (">>> ", "... ") else 2
        parts[which].append(line)
    return parts


def cases(page):
    """Pairs (source, what is told) of a page, in order."""
    for block in page.read_text().split("\n\n"):
        _, source, said = _parted(block)
        if source:
            yield "\n".join(line[4:] for line in source), "\n".join(said).strip("\n")


def told(source):
    """What is told of one timeline."""
    try:
        return shown(eval(f"({source})", dict(NAMES)))
    except UsageError as error:
        return f"UsageError: {error}"


def shown(verdict):
    """A verdict as lines."""
    lines = [f"{verdict.question} {verdict.status}: {verdict.sentence}"]
    counts = [f"{name} {count}" for name, count in verdict.population.items() if count != 0]
    lines.append("  population: " + ", ".join(counts))
    lines += [f"  - {_finding(finding)}" for finding in verdict.findings]
    lines += [
        f"  {name}: {text}"
        for name in ("missing", "advice")
        if (text := getattr(verdict, name)) != ""
    ]
    lines += [f"  limit: {text}" for text in verdict.limits]
    for part in verdict.parts:
        lines += [f"  | {line}" for line in shown(part).splitlines()]
    return "\n".join(lines)


def _finding(finding):
    said = {f.name: getattr(finding, f.name) for f in dataclasses.fields(finding)}
    head = f"{said.pop('id')} {said.pop('what')}"
    rest = {"where": "", "text": "", "by": None}
    return ", ".join([head, *(f"{k}: {v}" for k, v in said.items() if v != rest[k])])


def main():
    for page in sorted(PAGES.glob("*.txt")):
        blocks = []
        for block in page.read_text().strip().split("\n\n"):
            people, source, _ = _parted(block)
            said = [told("\n".join(line[4:] for line in source))] if source else []
            blocks.append("\n".join(people + source + said))
        page.write_text("\n\n".join(blocks) + "\n")


if __name__ == "__main__":
    main()
