"""P13: a sweep, every fault at every point of a scenario, in virtual time.

    python -m benchmarks.p13_sweep [--repetitions 3] [--messages 20]

A producer of the test's own, two partitions, a consumer in a group that has an effect and then
commits. One clean run counts the points, then every (point, nth, fault) that is legal there is a
run of its own. Counted in seconds of CPU, which are all that virtual time needs.
"""

from __future__ import annotations

import argparse
import logging
import time
from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from functools import partial

from aiokafka import AIOKafkaProducer

from benchmarks import figures
from benchmarks.figures import Figures, Table, goal, spread
from benchmarks.p10_virtual import consuming
from pytest_mqchaos import Chaos
from pytest_mqchaos.search.cases import Case
from pytest_mqchaos.search.runner import Outcome, run
from pytest_mqchaos.search.sweep import Extent, Swept, sweep

PARTITIONS = 2
POINTS, SECONDS = 200, 5.0  # the target


def scenario(messages: int) -> Callable[[Chaos], Awaitable[None]]:
    """So many messages, each confirmed before the next; all of them shall have their effect."""

    async def produced_and_consumed(chaos: Chaos) -> None:
        chaos.topic("orders", partitions=PARTITIONS)
        async with chaos.worker(consuming, chaos.bootstrap_servers, chaos):
            producer = AIOKafkaProducer(bootstrap_servers=chaos.bootstrap_servers)
            await producer.start()
            try:
                for n in range(messages):
                    await producer.send_and_wait("orders", b"%d" % n, partition=n % PARTITIONS)
            finally:
                await producer.stop()
            await chaos.settle_async()
        chaos.assert_lossless()

    return produced_and_consumed


@dataclass(slots=True)
class Timed:
    """One sweep and what its cases took (seconds of CPU), by fault."""

    swept: Swept
    seconds: float
    faults: dict[str, list[float]] = field(default_factory=dict)

    @property
    def cases(self) -> int:
        """How many runs."""
        return len(self.swept.done)


def timed(messages: int) -> Timed:
    """One sweep."""
    taken: dict[str, list[float]] = defaultdict(list)

    def attempt(case: Case, go: Callable[[], Outcome]) -> Outcome:
        began = time.process_time()
        try:
            return go()
        finally:
            taken[case.what].append(time.process_time() - began)

    once = partial(run, scenario(messages), id="value")
    began = time.process_time()
    swept = sweep(once, Extent(), lambda _: attempt)
    return Timed(swept, time.process_time() - began, dict(taken))


def by_fault(every: list[Timed]) -> Table:
    """What became of each fault's cases, and what one of them costs."""
    became: dict[str, Counter[str]] = defaultdict(Counter)
    for (_, what), results in every[0].swept.table.rows.items():
        became[what].update({str(result): count for result, count in results.items()})
    results = ("passed", "failed", "unknown", "unfired")
    rows = tuple(
        (
            what, *(str(became[what][result]) for result in results),
            spread([1e3 * sum(one.faults[what]) / len(one.faults[what]) for one in every], 1),
        )
        for what in every[0].faults
    )  # fmt: skip
    return Table(title="By fault", head=("fault", *results, "ms of CPU a case"), rows=rows, words=1)


def by_length(found: dict[int, list[Timed]]) -> Table:
    """Longer scenarios touch more points, and each of their runs is longer."""
    rows = tuple(
        (
            str(messages), str(every[0].swept.points), str(every[0].cases),
            spread([one.seconds for one in every], 1),
            spread([1e3 * one.seconds / one.cases for one in every], 1),
        )
        for messages, every in found.items()
    )  # fmt: skip
    return Table(
        title="P13: a sweep over two partitions", words=0, rows=rows,
        head=("messages", "points", "cases", "s of CPU", "ms of CPU a case"),
    )  # fmt: skip


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repetitions", type=int, default=3)
    parser.add_argument("--messages", type=int, nargs="+", default=[5, 10, 20])
    given = parser.parse_args()
    logging.disable(logging.CRITICAL)  # what aiokafka says of every fault
    before, found = figures.load(), dict[int, list[Timed]]()
    for _ in range(given.repetitions):
        for messages in given.messages:
            found.setdefault(messages, []).append(timed(messages))
    longest = found[max(given.messages)]
    print("\n".join(longest[0].swept.told()), flush=True)
    each = [one.seconds / one.swept.points for one in longest]
    case = [one.seconds / one.cases for one in longest]
    figures.done(
        Figures(
            conditions=f"{given.repetitions} repetitions; load {before:.1f} before, "
            f"{figures.load():.1f} after.",
            tables=(by_length(found), by_fault(longest)),
            goals=(
                goal("P13", f"{POINTS} points, every fault at each", [POINTS * s for s in each],
                     most=SECONDS, show=_seconds),
                goal("P13", f"{POINTS} points, one fault at each", [POINTS * s for s in case],
                     most=SECONDS, show=_seconds),
            ),
        )
    )  # fmt: skip


def _seconds(value: float) -> str:
    return f"{value:.1f} s of CPU"


if __name__ == "__main__":
    main()
