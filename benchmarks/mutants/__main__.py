"""How much of a wrong checker, link or plan our own tests would notice: mutants, killed or not.

    python -m benchmarks.mutants [--sample N] [--again | --resume] [ROOM ...]
    (make mutants ROOM=checkers ARGS="--sample 500")

Each room is copied with its own fast tests to build/mutants/ROOM and handed to mutmut there
(tool.py says how ours differs). Ends with 1 if a mutant survived that explained.toml does not
explain. `--again` asks only the survivors of the last run once more, against the tests of now;
`--resume` goes on with a run that was ended.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import random
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
# It compares the names in a class, to which the tool adds its own.
NOT_ASKED = "tests/plan/test_on.py::test_every_fault_is_a_method_and_the_other_way_round"
CONFIG = """
[tool.mutmut]
source_paths = ["pytest_mqchaos"]
only_mutate = ["pytest_mqchaos/{room}/*"]
also_copy = ["fixtures", "docs", "benchmarks", "README.md"]
pytest_add_cli_args_test_selection = {tests}
pytest_add_cli_args = [
    "-p", "no:xdist", "-p", "no:cacheprovider", "--deselect", "{deselected}",
    "-W", "ignore:Module already imported:pytest.PytestAssertRewriteWarning",  # tool.py: steady()
]
track_dependencies = false
use_git_change_detection = false
timeout_multiplier = 60.0
"""


def copy(room: str, *, again: bool) -> None:
    """The tree as it is now, where mutmut may write; with `again` over the last one."""
    target = COPIES / room
    if not again:
        shutil.rmtree(target, ignore_errors=True)
    unwanted = shutil.ignore_patterns("__pycache__", ".hypothesis", ".mqchaos")
    for name in COPIED:
        shutil.copytree(ROOT / name, target / name, ignore=unwanted, dirs_exist_ok=True)
    shutil.copy(ROOT / "README.md", target)
    tests = json.dumps(ROOMS[room])
    config = (ROOT / "pyproject.toml").read_text() + CONFIG.format(
        room=room, tests=tests, deselected=NOT_ASKED
    )
    (target / "pyproject.toml").write_text(config)


def mutate(target: Path, *, workers: int, names: list[str], sample: str) -> None:
    """Let mutmut make the mutants and run the tests against each (or against `names`)."""
    command = [sys.executable, str(HERE / "tool.py"), "run", "--max-children", str(workers)]
    # The order of sets is the same in every run.
    environment = {**os.environ, "PYTHONHASHSEED": "0", "MUTANTS_SAMPLE": sample}
    with (target / "mutmut.log").open("w") as log:
        done = subprocess.run(
            [*command, *names], cwd=target, stdout=log, stderr=log, check=False, env=environment
        )
    if done.returncode:
        sys.exit(f"mutmut ended with {done.returncode}: see {target / 'mutmut.log'}")


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


def interval(hits: int, of: int) -> str:
    """The 95 % interval of a share that was found in a sample (Wilson)."""
    z, share = 1.96, hits / of
    middle = (share + z * z / (2 * of)) / (1 + z * z / of)
    half = z * math.sqrt(share * (1 - share) / of + z * z / (4 * of * of)) / (1 + z * z / of)
    return f"{middle - half:.1%} to {middle + half:.1%}"


def report(room: str, every: list[dict[str, str]], sample: str) -> int:
    """Print the room's line and the survivors nobody explained; how many those are."""
    known = explained()
    rows = [row for row in every if row["end"] != "not checked"]
    if sample:  # as tool.py draws; what an earlier run tried besides would not be a fair sample
        count, seed = map(int, sample.split(":"))
        names = sorted(row["name"] for row in every)
        drawn = set(random.Random(seed).sample(names, min(count, len(names))))
        rows = [row for row in rows if row["name"] in drawn]
    alive = [row for row in rows if row["end"] not in {"killed", "timeout"}]
    unknown = [row for row in alive if key(row, room) not in known]
    count = Counter(row["end"] for row in rows)
    noticed = count["killed"] + count["timeout"]
    told = f"{room}: {len(every)} mutants"
    if len(rows) < len(every):
        told += f", {len(rows)} of them tried (sample:seed {sample})"
    print(
        f"{told}, {count['killed']} killed, {count['timeout']} timed out, {len(alive)} survived "
        f"({count['no tests']} reached by no test), {len(alive) - len(unknown)} of those explained"
    )
    print(f"  noticed {noticed / len(rows):.1%} (95 %: {interval(noticed, len(rows))})")
    settled = len(rows) - len(unknown)
    print(f"  or explained {settled / len(rows):.1%} (95 %: {interval(settled, len(rows))})")
    for row in unknown:
        print(f"  {row['end']}: {key(row, room)}")
    return len(unknown)


def main() -> None:
    """Room after room; see the module."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.mutants", description=__doc__)
    parser.add_argument("rooms", nargs="*", metavar="ROOM", help=", ".join(ROOMS))
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--sample", type=int, help="so many mutants a room, drawn; default: all")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--again", action="store_true")
    parser.add_argument("--resume", action="store_true")
    asked = parser.parse_args()
    if unknown := set(asked.rooms) - set(ROOMS):
        parser.error(f"no such room: {', '.join(sorted(unknown))}; there are {', '.join(ROOMS)}")
    left = 0
    for room in asked.rooms or ROOMS:
        target, names = COPIES / room, []
        started = (target / "mutants").exists()
        if asked.again and started:
            passed = {"killed", "not checked"}
            names = [row["name"] for row in ends(target) if row["end"] not in passed]
        sample = f"{asked.sample}:{asked.seed}" if asked.sample and not names else ""
        if not (asked.resume and started):
            copy(room, again=bool(names))
        mutate(target, workers=asked.workers, names=names, sample=sample)
        left += report(room, ends(target), sample)
    sys.exit(1 if left else 0)


if __name__ == "__main__":
    main()
