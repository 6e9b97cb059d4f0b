"""How much of a wrong checker, link or plan our own tests would notice: mutants, killed or not.

    python -m benchmarks.mutants [--workers N] [--again] [ROOM ...]    (make mutants ROOM=checkers)

Each room is copied with its own fast tests to build/mutants/ROOM and handed to mutmut there
(tool.py says how ours differs). Ends with 1 if a mutant survived that explained.toml does not
explain.
`--again` asks only the survivors of the last run once more, against the tests of now.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tomllib
from collections import Counter
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
COPIES = ROOT / "build" / "mutants"
COPIED = ("pytest_mqchaos", "tests", "fixtures", "docs", "benchmarks")
ROOMS = {
    "checkers": ("tests/checkers",),
    "relay": ("tests/relay", "tests/recipes"),
    "plan": ("tests/plan",),
}
CONFIG = """
[tool.mutmut]
source_paths = ["pytest_mqchaos"]
only_mutate = ["pytest_mqchaos/{room}/*"]
also_copy = ["fixtures", "docs", "benchmarks", "README.md"]
pytest_add_cli_args_test_selection = {tests}
pytest_add_cli_args = [
    "-p", "no:xdist", "-p", "no:cacheprovider",
    "-W", "ignore:Module already imported:pytest.PytestAssertRewriteWarning",  # tool.py: steady()
]
track_dependencies = false
use_git_change_detection = false
timeout_multiplier = 5.0
"""


def copy(room: str, *, again: bool) -> Path:
    """The tree as it is now, where mutmut may write; with `again` over the last one."""
    target = COPIES / room
    if not again:
        shutil.rmtree(target, ignore_errors=True)
    unwanted = shutil.ignore_patterns("__pycache__", ".hypothesis", ".mqchaos")
    for name in COPIED:
        shutil.copytree(ROOT / name, target / name, ignore=unwanted, dirs_exist_ok=True)
    shutil.copy(ROOT / "README.md", target)
    tests = json.dumps(ROOMS[room])
    config = (ROOT / "pyproject.toml").read_text() + CONFIG.format(room=room, tests=tests)
    (target / "pyproject.toml").write_text(config)
    return target


def mutate(target: Path, *, workers: int, names: list[str]) -> None:
    """Let mutmut make the mutants and run the tests against each (or against `names`)."""
    command = [sys.executable, str(HERE / "tool.py"), "run", "--max-children", str(workers)]
    with (target / "mutmut.log").open("w") as log:
        done = subprocess.run(
            [*command, *names], cwd=target, stdout=log, stderr=log, check=False, env=environment()
        )
    if done.returncode:
        sys.exit(f"mutmut ended with {done.returncode}: see {target / 'mutmut.log'}")


def environment() -> dict[str, str]:
    """The order of sets is the same in every run."""
    return {**os.environ, "PYTHONHASHSEED": "0"}


def ends(target: Path) -> list[dict[str, str]]:
    """Every mutant of the copy, as survivors.py tells it."""
    told = subprocess.run(
        [sys.executable, str(HERE / "survivors.py")],
        cwd=target,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return [json.loads(line) for line in told.stdout.splitlines()]


def explained() -> dict[str, str]:
    """Why each change that no test can notice is none; see explained.toml."""
    groups = tomllib.loads((HERE / "explained.toml").read_text()).get("group", [])
    return {change: group["why"] for group in groups for change in group["changes"]}


def key(row: dict[str, str], room: str) -> str:
    """How explained.toml names a mutant: its number would change with every edit."""
    return f"{room}/{row['file']} {row['function']}: {row['change']}"


def report(room: str, rows: list[dict[str, str]]) -> int:
    """Print the room's line and the survivors nobody explained; how many those are."""
    known = explained()
    alive = [row for row in rows if row["end"] not in {"killed", "timeout"}]
    unknown = [row for row in alive if key(row, room) not in known]
    count = Counter(row["end"] for row in rows)
    noticed = count["killed"] + count["timeout"]
    print(
        f"{room}: {len(rows)} mutants, {count['killed']} killed, {count['timeout']} timed out, "
        f"{len(alive)} survived ({count['no tests']} of them reached by no test), "
        f"{len(alive) - len(unknown)} of those explained; noticed {noticed / len(rows):.1%}, "
        f"noticed or explained {(len(rows) - len(unknown)) / len(rows):.1%}"
    )
    for row in unknown:
        print(f"  {row['end']}: {key(row, room)}")
    return len(unknown)


def main() -> None:
    """Room after room; see the module."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.mutants", description=__doc__)
    parser.add_argument("rooms", nargs="*", metavar="ROOM", help=", ".join(ROOMS))
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--again", action="store_true")
    asked = parser.parse_args()
    if unknown := set(asked.rooms) - set(ROOMS):
        parser.error(f"no such room: {', '.join(sorted(unknown))}; there are {', '.join(ROOMS)}")
    left = 0
    for room in asked.rooms or ROOMS:
        names: list[str] = []
        if asked.again and (COPIES / room / "mutants").exists():
            names = [row["name"] for row in ends(COPIES / room) if row["end"] != "killed"]
        mutate(copy(room, again=bool(names)), workers=asked.workers, names=names)
        left += report(room, ends(COPIES / room))
    sys.exit(1 if left else 0)


if __name__ == "__main__":
    main()
