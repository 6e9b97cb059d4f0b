"""Start real pytest runs, kill each in some way at a random moment, count what is left of it.

    python -m orphans 100                 (make orphans N=100)
    python -m orphans 1000 --seconds 540 --rows rows.jsonl    a part of a long row
    python -m orphans 0 --rows rows.jsonl                     the table of all parts

Ends with status 1 if anything was left behind or a run that went on told an untruth. The folders of
such runs are kept, and named.
"""

from __future__ import annotations

import argparse
import json
import random
import signal
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from orphans import table
from orphans.kills import KINDS, Kind, possible
from orphans.row import Row
from orphans.run import Grounds, Moment, killed, lifetime
from orphans.scenarios import SCENARIOS

SOON = 0.4  # seconds: a stage is about as long


def arguments() -> argparse.Namespace:
    """What was asked for."""
    parser = argparse.ArgumentParser(prog="python -m orphans", description=__doc__)
    parser.add_argument("count", type=int, help="how many kills")
    parser.add_argument("--seed", type=int, default=1, help="of moments, kinds and scenarios")
    parser.add_argument("--jobs", type=int, default=2, help="runs at a time")
    parser.add_argument("--seconds", type=float, default=1e9, help="start no run after so long")
    parser.add_argument("--rows", type=Path, help="a file that gains a JSON line for each kill")
    parser.add_argument("--only", help="one scenario of " + ", ".join(SCENARIOS))
    parser.add_argument("--kind", help="one kind of " + ", ".join(KINDS))
    return parser.parse_args()


def drawn(dice: random.Random, only: str | None, kind: str | None) -> tuple[str, Kind]:
    """A kind of kill and a scenario that has what it kills, each by its weight."""
    while True:
        names = [kind] if kind else list(KINDS)
        found = KINDS[dice.choices(names, [KINDS[name].weight for name in names])[0]]
        scenarios = [only] if only else list(SCENARIOS)
        weights = [SCENARIOS[name].weight for name in scenarios]
        scenario = dice.choices(scenarios, weights)[0]
        if possible(found, scenario):
            return scenario, found


def row_of(
    grounds: Grounds, number: int, lives: dict[str, float], options: argparse.Namespace
) -> Row:
    """One kill. A run that ended before its moment is no kill: another moment is drawn."""
    dice = random.Random(f"{options.seed}:{number}")
    scenario, kind = drawn(dice, options.only, options.kind)
    while True:
        # Half of the moments are uniform over the life; much of that is imports, so the other half
        # is spread evenly over the stages that such a run has.
        if dice.random() < 0.5:
            moment = Moment(dice.random() * lives[scenario] * 1.05)
        else:
            moment = Moment(dice.random() * SOON, dice.choice(SCENARIOS[scenario].stages))
        row = killed(grounds, scenario, kind, moment)
        if row is not None:
            return row


def lives_of(grounds: Grounds, pool: ThreadPoolExecutor) -> dict[str, float]:
    """How long each scenario takes, measured anew every hour."""
    kept = grounds.bytecode / "lives.json"
    if not kept.exists() or time.time() - kept.stat().st_mtime > 3600:
        lives = list(pool.map(lambda name: lifetime(grounds, name), SCENARIOS))
        kept.parent.mkdir(exist_ok=True)
        kept.write_text(json.dumps(dict(zip(SCENARIOS, lives, strict=True))))
    found: dict[str, float] = json.loads(kept.read_text())
    return found


def main() -> int:
    """Kill so many runs; 0 if nothing was left."""
    options = arguments()
    # A shell's background job ignores Ctrl-C, and its children inherit that: ours must not.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    rows = table.read(options.rows) if options.rows else []
    began = time.monotonic()
    if options.count:
        print(f"seed {options.seed}, {options.count} kills, {options.jobs} at a time", flush=True)
        with (
            tempfile.TemporaryDirectory(prefix="orphans-") as folder,
            ThreadPoolExecutor(options.jobs) as pool,
        ):
            grounds = Grounds(Path(folder), kept=Path(tempfile.gettempdir()) / "orphans-kept")
            lives = lives_of(grounds, pool)
            print("lives", {name: round(life, 1) for name, life in lives.items()}, flush=True)

            def one(number: int) -> Row | None:
                if time.monotonic() - began > options.seconds:
                    return None
                return row_of(grounds, number, lives, options)

            done = len(rows)
            for row in pool.map(one, range(done, done + options.count)):
                if row is None:
                    break
                rows.append(row)
                if row.bad:
                    print(row.sentence(), flush=True)
                if options.rows:
                    with options.rows.open("a") as file:
                        file.write(json.dumps(row.as_json()) + "\n")
    print(table.text(rows))
    print(f"{time.monotonic() - began:.0f} s")
    return 1 if any(row.bad for row in rows) else 0


if __name__ == "__main__":
    sys.exit(main())
