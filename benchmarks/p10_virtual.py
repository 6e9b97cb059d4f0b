"""P10: scenarios a second in virtual time, beside the same scenario over sockets.

    python -m benchmarks.p10_virtual [--repetitions 5] [--seconds 2]

Real aiokafka. "produce": a topic, a producer, 20 messages, one question about the log. "group": the
same and a consumer in a group that takes them all, one question about effects. "reused clients":
50 rounds of 20 messages through one producer and one consumer of one simulation, one question
at the end. "time-out": what a confirm that hangs for 40 virtual seconds adds to "produce".

Virtual time is counted in seconds of CPU, which are all that it needs, whatever else runs.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import time
from collections.abc import Callable
from typing import Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.errors import KafkaError

from benchmarks import figures
from benchmarks.figures import Figures, Table, goal, spread
from pytest_mqchaos import Chaos, ChaosBroker, Plan, on, simulate

MESSAGES = [b"%d" % n for n in range(20)]
ROUNDS = 50
PRODUCE, GROUP, REUSED = "produce", "group", "reused clients"
SLOW = "a 40 s time-out more"


async def producing(chaos: Chaos) -> None:
    """Twenty messages, each confirmed before the next."""
    chaos.topic("orders")
    producer = AIOKafkaProducer(bootstrap_servers=chaos.bootstrap_servers)
    await producer.start()
    try:
        for value in MESSAGES:
            await producer.send_and_wait("orders", value)
    except KafkaError:  # the confirm that hangs
        pass
    finally:
        await producer.stop()
    chaos.assert_no_copies()


async def consuming(servers: str, chaos: Chaos) -> None:
    """An effect, then its ack."""
    consumer = AIOKafkaConsumer(
        "orders", bootstrap_servers=servers, group_id="g", enable_auto_commit=False,
        auto_offset_reset="earliest",
    )  # fmt: skip
    await consumer.start()
    try:
        async for record in consumer:
            chaos.effects.record(record.value.decode())
            await consumer.commit()
    finally:
        await consumer.stop()


async def grouped(chaos: Chaos) -> None:
    """Produced, then consumed in a group."""
    chaos.topic("orders")
    async with chaos.worker(consuming, chaos.bootstrap_servers, chaos):
        producer = AIOKafkaProducer(bootstrap_servers=chaos.bootstrap_servers)
        await producer.start()
        for value in MESSAGES:
            await producer.send_and_wait("orders", value)
        await producer.stop()
        await chaos.settle_async()
    chaos.assert_lossless()


async def reused(chaos: Chaos) -> None:
    """Many rounds with the same clients."""
    chaos.topic("orders")
    servers = chaos.bootstrap_servers
    producer = AIOKafkaProducer(bootstrap_servers=servers)
    consumer = AIOKafkaConsumer(
        "orders", bootstrap_servers=servers, group_id="g", enable_auto_commit=False,
        auto_offset_reset="earliest",
    )  # fmt: skip
    await producer.start()
    await consumer.start()
    for turn in range(ROUNDS):
        values = [b"%d %s" % (turn, value) for value in MESSAGES]
        await asyncio.gather(*[await producer.send("orders", value) for value in values])
        for _ in values:
            chaos.effects.record((await consumer.getone()).value.decode())
        await consumer.commit()
    await producer.stop()
    await consumer.stop()
    chaos.assert_lossless()


def virtual(scenario: Any, plan: Plan | None = None) -> Callable[[], None]:
    """One run in virtual time."""
    return lambda: simulate(scenario, plan=plan, id="value")


def sockets(scenario: Any, broker: ChaosBroker) -> Callable[[], None]:
    """The same over sockets: broker and data plane stand already."""

    async def main() -> None:
        async with broker.chaos(id="value") as chaos:
            await scenario(chaos)

    return lambda: asyncio.run(main())


def rate(
    run: Callable[[], None], seconds: float, clock: Callable[[], float] = time.process_time
) -> float:
    """Runs a second."""
    run()
    count, began = 0, clock()
    while (passed := clock() - began) < seconds:
        run()
        count += 1
    return count / passed


def measured(seconds: float, found: dict[str, list[float]]) -> None:
    """One repetition of everything."""
    with ChaosBroker() as broker:
        for what, scenario, times in (
            (PRODUCE, producing, 1), (GROUP, grouped, 1), (REUSED, reused, ROUNDS),
        ):  # fmt: skip
            found.setdefault(what, []).append(rate(virtual(scenario), seconds) * times)
            over = rate(sockets(scenario, broker), seconds, time.perf_counter) * times
            found.setdefault(f"{what}, sockets", []).append(over)
    hangs = Plan(on.confirm(nth=len(MESSAGES)).hang())
    slow = 1e3 / rate(virtual(producing, hangs), seconds)
    found.setdefault(SLOW, []).append(slow - 1e3 / found[PRODUCE][-1])


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repetitions", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=2.0)
    given = parser.parse_args()
    logging.disable(logging.CRITICAL)  # what aiokafka says of a connection that hangs
    found: dict[str, list[float]] = {}
    before = figures.load()
    for _ in range(given.repetitions):
        measured(given.seconds, found)
    rows = tuple(
        (what, spread(found[what], 1), spread(found[f"{what}, sockets"], 1))
        for what in (PRODUCE, GROUP, REUSED)
    )
    figures.done(
        Figures(
            conditions=f"{given.repetitions} repetitions of {given.seconds:g} s each; load "
            f"{before:.1f} before, {figures.load():.1f} after.",
            tables=(
                Table(
                    title="P10: scenarios of 20 messages a second, real aiokafka", words=1,
                    head=("scenario", "virtual time", "sockets"), rows=rows,
                    note=f"{SLOW}: {spread(found[SLOW], 1)} ms",
                ),
            ),
            goals=(
                goal("P10", "with group join", found[GROUP], least=400, show=_rate),
                goal("P10", "with reused clients", found[REUSED], least=2000, show=_rate),
                goal("P10", SLOW, found[SLOW], most=5, show=_ms),
            ),
        )
    )  # fmt: skip


def _rate(value: float) -> str:
    return f"{value:,.0f}/s"


def _ms(value: float) -> str:
    return f"{value:.1f} ms"


if __name__ == "__main__":
    main()
