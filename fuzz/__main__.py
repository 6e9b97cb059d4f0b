"""Fuzz what eats bytes from outside, and print what came of it.

    python -m fuzz [--seconds N | --inputs N] [TARGET ...]     (make fuzz ARGS="--seconds 300")

Each target runs under atheris (libFuzzer: coverage-guided) in a process of its own. What it learns
is kept in .mqchaos/fuzz, so that the next campaign goes on from there. An input that breaks a
promise is written beside it; `python -m fuzz --again FILE TARGET` runs it once more, and it belongs
into the regression tests. Linux only: atheris is built for no other system.
"""

from __future__ import annotations

import argparse
import importlib
import importlib.util
import re
import subprocess
import sys
import time
from pathlib import Path
from typing import NamedTuple

from fuzz.targets import NAMES

FOLDER = Path(".mqchaos") / "fuzz"
LONGEST = 8192  # bytes of an input
SLOW = 30  # seconds for one input, on a busy machine: then it is a hang
MEMORY = 1500  # MB for the whole process
_DONE = re.compile(r"#(\d+)\s+DONE\s+cov: (\d+) ft: (\d+)")
_FOUND = re.compile(r"Test unit written to (\S+)")


class Row(NamedTuple):
    """What one campaign did. `coverage`: edges of our code, and features (edges by how often)."""

    target: str
    inputs: int
    seconds: float
    coverage: str
    findings: tuple[str, ...]

    def __str__(self) -> str:
        rate = self.inputs / self.seconds if self.seconds else 0
        found = ", ".join(self.findings) or "none"
        return (
            f"| {self.target} | {self.inputs:,} | {self.seconds:.0f} | {rate:,.0f} "
            f"| {self.coverage} | {found} |"
        )


HEAD = """| target | inputs | seconds | inputs/s | edges / features | findings |
|---|---|---|---|---|---|"""


def campaign(name: str, limit: str) -> Row:
    """Run one target until `limit` (an option of libFuzzer) or its first finding."""
    corpus = FOLDER / name
    corpus.mkdir(parents=True, exist_ok=True)
    command = [
        sys.executable, "-m", "fuzz.campaign", name, str(corpus), limit, f"-max_len={LONGEST}",
        f"-timeout={SLOW}", f"-rss_limit_mb={MEMORY}", f"-artifact_prefix={FOLDER}/{name}-",
    ]  # fmt: skip
    begun = time.monotonic()
    done = subprocess.run(command, capture_output=True, check=False)
    seconds = time.monotonic() - begun
    log = done.stderr.decode(errors="replace") + done.stdout.decode(errors="replace")
    (FOLDER / f"{name}.log").write_text(log, encoding="utf-8")
    findings = _FOUND.findall(log)
    ended = _DONE.search(log)
    if ended is None and not findings:
        findings = [f"it ended with {done.returncode}: see {FOLDER}/{name}.log"]
    inputs, cover = (int(ended[1]), f"{ended[2]} / {ended[3]}") if ended else (_last(log), "-")
    return Row(name, inputs, seconds, cover, tuple(findings))


def _last(log: str) -> int:
    numbers = re.findall(r"^#(\d+)\s", log, re.MULTILINE)
    return int(numbers[-1]) if numbers else 0


def main() -> int:
    """Run campaigns; 1 if any found something."""
    parser = argparse.ArgumentParser(
        prog="python -m fuzz", description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("targets", nargs="*", metavar="TARGET", help=", ".join(NAMES))
    parser.add_argument("--seconds", type=int, default=60, help="for each target (default 60)")
    parser.add_argument("--inputs", type=int, help="instead of seconds")
    parser.add_argument("--again", type=Path, help="run one kept input of one TARGET")
    options = parser.parse_args()
    if unknown := sorted(set(options.targets) - set(NAMES)):
        parser.error(f"no target {', '.join(unknown)}; there are {', '.join(NAMES)}")
    if options.again is not None:
        if len(options.targets) != 1:
            parser.error("--again needs the one TARGET that the file is for")
        importlib.import_module(f"fuzz.targets.{options.targets[0]}").one(
            options.again.read_bytes()
        )
        print("it breaks no promise")
        return 0
    if importlib.util.find_spec("atheris") is None:
        parser.error("atheris is not installed (Linux only): pip install 'atheris>=3'")
    limit = f"-runs={options.inputs}" if options.inputs else f"-max_total_time={options.seconds}"
    print(HEAD, flush=True)
    rows = []
    for name in options.targets or NAMES:
        rows.append(campaign(name, limit))
        print(rows[-1], flush=True)
    return int(any(row.findings for row in rows))


if __name__ == "__main__":
    sys.exit(main())
