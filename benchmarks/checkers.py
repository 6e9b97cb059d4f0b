"""P8: lossless + idempotent + ordered over a history of one million events, standard library only.

An event is a row: a quarter each of publish attempts, stored records, deliveries and effects, one
commit per 500 messages. Reference, in the same process: the sets and dicts that the three questions
cannot do without (`floor`). Repetitions take turns; the peak
of memory is stated.

    python -m benchmarks.checkers [--repetitions 5] [--large]

With --large ten million events are judged too, once, where 8 GiB of memory are free.
"""

from __future__ import annotations

import argparse
import ast
import gc
import re
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from benchmarks import figures
from benchmarks.figures import Figures, Table, goal, ratios, spread
from pytest_mqchaos.checkers.idempotent import idempotent
from pytest_mqchaos.checkers.lossless import lossless
from pytest_mqchaos.checkers.ordered import ordered
from pytest_mqchaos.history.history import Flow, History
from pytest_mqchaos.history.identity import content
from pytest_mqchaos.history.rows import Ack, Attempt, Delivery, Effect, Place, Stored

ROOM = 8 << 30  # bytes that ten million events may take, and others beside them


def made(events: int) -> History:
    """A clean run with that many rows, 8 partitions, 1,000 keys."""
    count = events // 4
    attempts, stored, deliveries, effects, acks = [], [], [], [], []
    ends = [0] * 8
    for n in range(count):
        name, p, key = f"id-{n}", n % 8, b"key-%d" % (n % 1000)
        value = b"value-%d" % n
        digest = content(key, value)
        offset = ends[p]
        ends[p] += 1
        t = 10 * n
        attempts.append(
            Attempt(t, t, 1, "w", "c", "in", p, name, key, value, digest, -1, True, "confirmed",
                    t + 1, t + 1, offset, 0, -1, -1, None)
        )  # fmt: skip
        stored.append(Stored("in", p, offset, name, key, value, digest))
        deliveries.append(
            Delivery(t + 2, t + 2, 2, "r", "g", "in", p, offset, name, key, value, digest, True)
        )
        effects.append(Effect(n, t + 3, t + 3, name, None, None, None, None, "r", False, True))
        if n % 500 == 499:
            acks += [
                Ack(t + 4, t + 4, 2, "r", "g", "m", "in", q, ends[q], True, "confirmed",
                    t + 5, t + 5, 0)
                for q in range(8)
            ]  # fmt: skip
    places = tuple(Place("g", "in", q, ends[q], 0, ends[q], 0) for q in range(8))
    return History(
        attempts=tuple(attempts), stored=tuple(stored), deliveries=tuple(deliveries),
        effects=tuple(effects), acks=tuple(acks), places=places,
        flow=Flow(inputs=frozenset({"in"})),
    )  # fmt: skip


def asked(history: History) -> None:
    """The three questions, with nothing derived yet."""
    fresh = replace(history)
    for checker in (lossless(), idempotent(), ordered()):
        verdict = checker(fresh)
        if verdict.status != "passed":
            raise SystemExit(f"the benchmark's run should pass: {verdict}")


def floor(history: History) -> None:
    """What cannot be saved: one set for each side, one pass for the order."""
    confirmed = {a.id for a in history.attempts if a.outcome == "confirmed"}
    done = [e.id for e in history.effects or ()]
    rank = {a.id: n for n, a in enumerate(history.attempts)}
    key = {a.id: a.key for a in history.attempts}
    last: dict[object, int] = {}
    swapped = 0
    for name in done:
        at, k = rank[name], key[name]
        swapped += last.get(k, -1) > at
        last[k] = at
    if confirmed - set(done) or len(set(done)) != len(done) or swapped:
        raise SystemExit("the benchmark's run should pass")


def timed(function: Callable[[History], None], history: History) -> float:
    """Seconds of CPU of one call, with the garbage of the one before collected. It does nothing but
    compute: what others do meanwhile is left out."""
    gc.collect()
    start = time.process_time()
    function(history)
    return time.process_time() - start


def peak() -> float:
    """MiB that this process has held at most."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def measure(events: int, repetitions: int) -> tuple[list[float], list[float], float, float]:
    """(seconds of the questions, of the floor, MiB of the rows, MiB at the most)."""
    history = made(events)
    rows = peak()
    pairs = [(timed(asked, history), timed(floor, history)) for _ in range(repetitions)]
    ours, least = (list(column) for column in zip(*pairs, strict=True))
    return ours, least, rows, peak()


def available() -> int:
    """Bytes that may be used, file caches counted; 0 where nobody says."""
    told = Path("/proc/meminfo")
    found = re.search(r"MemAvailable: +(\d+) kB", told.read_text()) if told.exists() else None
    return int(found[1]) << 10 if found else 0


def large() -> tuple[list[float], list[float], float, float] | None:
    """Ten million events, in a process of their own; None where memory lacks."""
    if available() < ROOM:
        print(f"without ten million events: {available() >> 30} GiB are free of {ROOM >> 30}")
        return None
    argv = [sys.executable, "-c", "from benchmarks.checkers import *; print(measure(10**7, 1))"]
    text = subprocess.run(argv, check=True, capture_output=True, text=True).stdout
    found = ast.literal_eval(text)
    return (*found,) if found else None


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repetitions", type=int, default=7)
    parser.add_argument("--large", action="store_true", help="ten million events too")
    options = parser.parse_args()
    before = figures.load()
    sizes = {"1M": (measure(1_000_000, options.repetitions), 0.25)}
    if options.large and (found := large()):
        sizes["10M"] = found, 3.5
    rows, goals = [], []
    for size, ((ours, least, held, most), wanted) in sizes.items():
        shown = spread(ours, 3), spread(least, 3), spread(ratios(ours, least), 1)
        rows.append((f"{size} events", *shown, f"{held:,.0f}", f"{most:,.0f}"))
        goals.append(goal("P8", f"{size} events, three questions", ours, most=wanted,
                          show=lambda value: f"{value:.2f} s"))  # fmt: skip
    head = ("history", "three questions, s", "floor, s", "ratio", "rows, MiB", "at most, MiB")
    note = (
        "Floor: the sets and dicts that the three questions cannot do without, over the same rows. "
        "At most: the process's peak, rows and tables together."
    )
    figures.done(
        Figures(
            conditions=f"{options.repetitions} repetitions in turn (one of 10M); load "
            f"{before:.1f} before, {figures.load():.1f} after.",
            tables=(Table(title="P8: checkers", head=head, rows=tuple(rows), words=1, note=note),),
            goals=tuple(goals),
        )
    )


if __name__ == "__main__":
    main()
