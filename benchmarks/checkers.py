"""P8: lossless + idempotent + ordered over a history of one million events, standard library only.

An event is a row: a quarter each of publish attempts, stored records, deliveries and effects, one
commit per 500 messages. Reference, in the same process: the sets and dicts that the three questions
cannot do without (`floor`). Prints the median of interleaved repetitions and the peak of memory.

    python benchmarks/checkers.py [events] [repetitions]
"""

from __future__ import annotations

import gc
import resource
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import replace

from pytest_mqchaos.checkers.idempotent import idempotent
from pytest_mqchaos.checkers.lossless import lossless
from pytest_mqchaos.checkers.ordered import ordered
from pytest_mqchaos.history.history import Flow, History
from pytest_mqchaos.history.identity import content
from pytest_mqchaos.history.rows import Ack, Attempt, Delivery, Effect, Place, Stored


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
        effects=tuple(effects), acks=tuple(acks), places=places, effects_timed=True,
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
    """Seconds of one call, with the garbage of the one before collected."""
    gc.collect()
    start = time.perf_counter()
    function(history)
    return time.perf_counter() - start


def main() -> None:
    """Measure and print."""
    events = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 5
    history = made(events)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    pairs = [(timed(asked, history), timed(floor, history)) for _ in range(rounds)]
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    ours, least = (statistics.median(column) for column in zip(*pairs, strict=True))
    print(f"{events:,} events: three questions {ours:.3f} s (target 0.25 s a million), "
          f"floor {least:.3f} s, {ours / least:.1f}x")  # fmt: skip
    print(f"rows {before / 1024:.0f} MiB, peak with tables {after / 1024:.0f} MiB")


if __name__ == "__main__":
    main()
