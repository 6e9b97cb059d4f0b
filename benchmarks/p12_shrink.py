"""P12: how many runs it takes to shrink a plan of 30 faults, and whether the result fails again.

    python -m benchmarks.p12_shrink [--repetitions 20] [--replays 10]

Real aiokafka in virtual time. 30 rules are drawn as a search draws them, from all faults at all
points that the scenario touches; one or two of them, at random places among rules that pass by
themselves, hit the planted bug. "one fault": a consumer acks before its work and dies behind an
ack. "two faults": only a consumer that was started again acks too early. Runs are those of the
shrinking alone; every candidate is run once, because virtual time gives the same each time.
"""

from __future__ import annotations

import argparse
import logging
import random
import time
import warnings
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import partial

from aiokafka.errors import KafkaError

from benchmarks import figures
from benchmarks.figures import Figures, Goal, Table, goal, spread
from benchmarks.p10_virtual import consumer_of
from pytest_mqchaos import Chaos, Plan, on
from pytest_mqchaos.plan.rules import Rule
from pytest_mqchaos.search.bounds import Bounds, plans, possible
from pytest_mqchaos.search.choices import Choices
from pytest_mqchaos.search.narrowing import Wanted, wanted
from pytest_mqchaos.search.points import Observed, observed
from pytest_mqchaos.search.rate import kind
from pytest_mqchaos.search.runner import Outcome, run
from pytest_mqchaos.search.shrink import Shrunk, shrink
from pytest_mqchaos.search.simpler import simpler

FAULTS = 30
MESSAGES = ["a", "b", "c", "d"]
FAR = 10**6


class Diary:
    """How often the consumer was started."""

    def __init__(self) -> None:
        self.starts = 0


async def consuming(servers: str, chaos: Chaos, diary: Diary, early: int) -> None:
    """An effect for each message; from its `early`-th start on it is acked before."""
    diary.starts += 1
    consumer = consumer_of(servers)
    await consumer.start()
    try:
        async for record in consumer:
            if diary.starts >= early:
                with suppress(KafkaError):
                    await consumer.commit()
            chaos.effects.record(record.value.decode())
            with suppress(KafkaError):
                await consumer.commit()
    finally:
        await consumer.stop()


async def shop(chaos: Chaos, early: int) -> None:
    """Four messages, and an effect of each."""
    chaos.topic("orders")
    async with chaos.worker(consuming, chaos.bootstrap_servers, chaos, Diary(), early):
        await chaos.publish_async("orders", MESSAGES)
        await chaos.settle_async()
    chaos.assert_lossless()


KILLS = (
    on.ack(nth=1).crash_worker("after", optional=True),
    on.ack(nth=2).crash_worker("after", optional=True),
)
BUGS = {"one fault": (1, KILLS[1:]), "two faults": (2, KILLS)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Planted:
    """One planted bug: `early` as above, `hits` are the rules that show it, together."""

    early: int
    hits: tuple[Rule, ...]
    seen: Observed
    given: Wanted
    legal: Choices

    def run(self, plan: Plan) -> Outcome:
        """Once, in virtual time."""

        async def scenario(chaos: Chaos) -> None:
            await shop(chaos, self.early)

        return run(scenario, plan, id="value")


def planted(early: int, hits: tuple[Rule, ...]) -> Planted:
    """Look at what the scenario touches."""

    async def scenario(chaos: Chaos) -> None:
        await shop(chaos, early)

    given = wanted(
        "p12", broker="kafka", points=None, faults=None, apis=None, topics=None, nth=FAR,
        longest=60.0, process_faults=True, nodes=None,
    )  # fmt: skip
    seen = observed(partial(run, scenario, id="value"), "kafka")
    return Planted(early=early, hits=hits, seen=seen, given=given, legal=possible(seen, given))


def thirty(bug: Planted, seed: int) -> tuple[Plan, Outcome]:
    """30 rules that fail with a lost message, and the run that showed it. All but the hits come
    from plans of one rule that pass."""
    dice = random.Random(seed)
    drawn = plans(bug.seen, bug.given, bug.legal, Bounds(max_faults=1, seed=seed), again=True)
    harmless = passing(bug, drawn)
    while True:
        rules = [next(harmless) for _ in range(FAULTS - len(bug.hits))]
        for hit in bug.hits:
            rules.insert(dice.randint(0, len(rules)), hit)
        plan = Plan(*rules)
        outcome = bug.run(plan)
        if kind(outcome) == "lossless":
            return plan, outcome


def passing(bug: Planted, drawn: Iterator[Plan]) -> Iterator[Rule]:
    """Rules that pass by themselves."""
    for plan in drawn:
        if bug.run(plan).status == "passed":
            yield from plan.rules


def shrunk(bug: Planted, plan: Plan, outcome: Outcome) -> Shrunk:
    """As a search does it."""
    fired = [n for n, count in enumerate(outcome.fired) if count]
    return shrink(
        plan, lambda one: kind(bug.run(one)) == "lossless", lambda rule: simpler(rule, bug.legal),
        likely=fired,
    )  # fmt: skip


def measured(repetitions: int, replays: int) -> dict[str, dict[str, list[float]]]:
    """What each bug took: runs, rules left, seconds of CPU, share of replays that failed."""
    found: dict[str, dict[str, list[float]]] = {}
    for name, (early, hits) in BUGS.items():
        bug = planted(early, hits)
        row: dict[str, list[float]] = {"runs": [], "left": [], "cpu": [], "again": []}
        for seed in range(repetitions):
            plan, outcome = thirty(bug, seed)
            began = time.process_time()
            done = shrunk(bug, plan, outcome)
            row["cpu"].append(time.process_time() - began)
            row["runs"].append(done.asked)
            row["left"].append(len(done.plan.rules))
            again = [kind(bug.run(Plan.from_token(done.plan.token))) for _ in range(replays)]
            row["again"].append(again.count("lossless") / replays)
        found[name] = row
    return found


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repetitions", type=int, default=20)
    parser.add_argument("--replays", type=int, default=10)
    given = parser.parse_args()
    logging.disable(logging.CRITICAL)  # what aiokafka says of 30 faults
    warnings.simplefilter("ignore", ResourceWarning)
    before = figures.load()
    found = measured(given.repetitions, given.replays)
    rows = tuple(
        (
            name,
            spread(row["runs"]),
            spread(row["left"]),
            spread(row["cpu"], 1),
            _share(row["again"]),
        )
        for name, row in found.items()
    )
    figures.done(
        Figures(
            conditions=f"{given.repetitions} plans of {FAULTS} faults for each bug; load "
            f"{before:.1f} before, {figures.load():.1f} after.",
            tables=(
                Table(
                    title="P12: 30 faults, shrunk in virtual time, real aiokafka", words=1,
                    head=("the bug needs", "runs", "faults left", "CPU seconds", "replays fail"),
                    rows=rows,
                ),
            ),
            goals=_goals(found),
        )
    )  # fmt: skip


def _goals(found: dict[str, dict[str, list[float]]]) -> tuple[Goal, ...]:
    """Each is for the worst of all plans."""

    def every(word: str) -> list[float]:
        return [value for row in found.values() for value in row[word]]

    return (
        _worst("runs to shrink 30 faults, the most", max(every("runs")), most=110),
        _worst("faults left of 30, the most", max(every("left")), most=3),
        _worst("of ten replays fail, the least", 10 * min(every("again")), least=10),
    )  # fmt: skip


def _worst(what: str, value: float, **wanted: float) -> Goal:
    return goal("P12", what, [value], show=lambda number: f"{number:.0f}", **wanted)


def _share(values: list[float]) -> str:
    return f"{100 * sum(values) / len(values):.0f}%"


if __name__ == "__main__":
    main()
