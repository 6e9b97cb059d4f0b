"""docs/reference/performance.md: what was measured last, between marks; all else stays as it is.

    <!-- measured: NAME --> ... <!-- end -->      one section for each benchmark
    <!-- measured: goals --> ... <!-- end -->     every goal of every section

It knows the page; it must never know how anything was measured.
"""

from __future__ import annotations

import json
import os
import platform
import re
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from benchmarks.figures import Figures, Goal, goals_table

PAGE = Path("docs") / "reference" / "performance.md"
_PATH = Path(__file__).parents[1] / PAGE
_SECTION = r"(<!-- measured: {name} -->\n).*?(<!-- end -->)"
_GOALS = re.compile(r"<!-- goals: (.*?) -->")


def goals(found: Mapping[str, Figures]) -> str:
    """All goals in one table, by target."""
    each = [goal for figures in found.values() for goal in figures.goals]
    return goals_table(sorted(each, key=_target))


def _target(goal: Goal) -> int:
    return int(goal.target.lstrip("P"))


def machine() -> str:
    """What it was measured on."""
    cpuinfo = Path("/proc/cpuinfo")
    names = re.findall(r"model name\s*: (.*)", cpuinfo.read_text()) if cpuinfo.exists() else []
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / (1 << 30)
    packages = []
    for name in ("confluent-kafka", "pytest"):
        try:
            packages.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            continue
    return (
        f"{len(os.sched_getaffinity(0))} cores ({names[0] if names else platform.machine()}), "
        f"{memory:.0f} GB, {platform.system()} {platform.release().partition('-')[0]}, "
        f"Python {platform.python_version()}, {', '.join(packages)}"
    )


def write(name: str, what: str, figures: Figures) -> None:
    """Put the figures of one benchmark into its section and its goals among the others'."""
    text = _PATH.read_text(encoding="utf-8")
    kept = json.dumps([[g.target, g.what, g.wanted, g.measured, g.met] for g in figures.goals])
    lines = [f"### {what}\n", f"{figures.conditions} {machine()}.\n", f"<!-- goals: {kept} -->\n"]
    for table in figures.tables:
        lines += [f"{table.title}\n", table.text()]
    text = _put(text, name, "\n".join(lines))
    every = [
        Goal(target=target, what=of, wanted=wanted, measured=measured, met=met)
        for found in _GOALS.findall(text)
        for target, of, wanted, measured, met in json.loads(found)
    ]
    _PATH.write_text(_put(text, "goals", goals_table(sorted(every, key=_target))), encoding="utf-8")


def _put(text: str, name: str, body: str) -> str:
    pattern = re.compile(_SECTION.format(name=re.escape(name)), re.DOTALL)
    if not pattern.search(text):
        raise SystemExit(f"{PAGE} has no section <!-- measured: {name} -->")
    return pattern.sub(lambda match: f"{match[1]}{body.rstrip()}\n{match[2]}", text)
