"""P10: scenarios a second in virtual time, beside the same scenario over sockets.

    python -m benchmarks.p10_virtual [--repetitions 5] [--seconds 2]

Real aiokafka. "produce": a topic, a producer, 20 messages, one question about the log. "group": the
same and a consumer in a group that takes them all, one question about effects. "reused clients":
50 rounds of 20 messages through one producer and one consumer of one simulation, one question
at the end. "time-out": what a confirm that hangs for 40 virtual seconds adds to "produce".

Virtual time is counted in seconds of CPU, which are all that it needs, whatever else runs. No run
sends what another has sent. "client alone" (replayed.py): the same aiokafka, answered at once by
nobody, with nothing of ours around it but the loop; "of the client": how near to that floor a run
is. "drawn" (drawn.py): "produce" with plans and messages drawn by Hypothesis.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from functools import partial
from itertools import count
from typing import Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.errors import KafkaError

from benchmarks import drawn, figures, replayed
from benchmarks.figures import Figures, Table, goal, ratios, spread
from pytest_mqchaos import Chaos, ChaosBroker, Plan, on, simulate

COUNT = 20  # messages
ROUNDS = 50
PRODUCE, GROUP, REUSED = "produce", "group", "reused clients"
SLOW = "a 40 s time-out more"
EMPTY, DRAWN, PLAIN = "Hypothesis alone", "drawn by Hypothesis", "the same runs without it"
_runs = count()


def fresh() -> list[bytes]:
    """Messages that no other run has."""
    run = next(_runs)
    return [b"%07d-%02d" % (run, n) for n in range(COUNT)]


def sending(values: list[bytes] | None = None) -> Callable[[Chaos], Awaitable[None]]:
    """Each message confirmed before the next."""

    async def producing(chaos: Chaos) -> None:
        chaos.topic("orders")
        producer = AIOKafkaProducer(bootstrap_servers=chaos.bootstrap_servers)
        await producer.start()
        try:
            for value in values or fresh():
                await producer.send_and_wait("orders", value)
        except KafkaError:  # the confirm that hangs
            pass
        finally:
            await producer.stop()
        chaos.assert_no_copies()

    return producing


producing = sending()


def consumer_of(servers: str) -> AIOKafkaConsumer:
    """One that acks by itself, from the beginning."""
    return AIOKafkaConsumer(
        "orders", bootstrap_servers=servers, group_id="g", enable_auto_commit=False,
        auto_offset_reset="earliest",
    )  # fmt: skip


async def consuming(servers: str, chaos: Chaos) -> None:
    """An effect, then its ack."""
    consumer = consumer_of(servers)
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
        for value in fresh():
            await producer.send_and_wait("orders", value)
        await producer.stop()
        await chaos.settle_async()
    chaos.assert_lossless()


async def reused(chaos: Chaos) -> None:
    """Many rounds with the same clients."""
    chaos.topic("orders")
    servers = chaos.bootstrap_servers
    producer = AIOKafkaProducer(bootstrap_servers=servers)
    consumer = consumer_of(servers)
    await producer.start()
    await consumer.start()
    for _ in range(ROUNDS):
        values = fresh()
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

    def note(what: str, value: float) -> None:
        found.setdefault(what, []).append(value)

    with ChaosBroker() as broker:
        for what, scenario, times, effects in (
            (PRODUCE, producing, 1, 0), (GROUP, grouped, 1, COUNT),
            (REUSED, reused, ROUNDS, ROUNDS * COUNT),
        ):  # fmt: skip
            note(what, rate(virtual(scenario), seconds) * times)
            with replayed.taped() as tape:
                virtual(scenario)()
            alone = partial(replayed.alone, tape, scenario, effects=effects)
            note(f"{what}, alone", rate(alone, seconds / 2) * times)
            over = rate(sockets(scenario, broker), seconds, time.perf_counter) * times
            note(f"{what}, sockets", over)
    hangs = Plan(on.confirm(nth=COUNT).hang())
    slow = 1e3 / rate(virtual(producing, hangs), seconds)
    note(SLOW, slow - 1e3 / found[PRODUCE][-1])
    number = len(found[SLOW])
    examples = max(20, int(seconds * found[PRODUCE][-1]))
    note(EMPTY, drawn.drawn(None, examples, COUNT, number)[0])
    under, seen = drawn.drawn(sending, examples, COUNT, number)
    note(DRAWN, under)
    note(PLAIN, drawn.again(sending, seen))


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
        (
            what, spread(found[what], 1), spread(found[f"{what}, sockets"], 1),
            spread(found[f"{what}, alone"], 1),
            spread(ratios(found[what], found[f"{what}, alone"]), 2),
        )
        for what in (PRODUCE, GROUP, REUSED)
    )  # fmt: skip
    hypothesis = tuple((what, spread(found[what], 1)) for what in (EMPTY, DRAWN, PLAIN))
    figures.done(
        Figures(
            conditions=f"{given.repetitions} repetitions of {given.seconds:g} s each; load "
            f"{before:.1f} before, {figures.load():.1f} after.",
            tables=(
                Table(
                    title="P10: scenarios of 20 messages a second, real aiokafka", words=1,
                    head=("scenario", "virtual time", "sockets", "client alone", "of the client"),
                    rows=rows, note=f"{SLOW}: {spread(found[SLOW], 1)} ms",
                ),
                Table(
                    title="P10: \"produce\" with drawn plans and messages", words=1,
                    head=("what", "examples per second of CPU"), rows=hypothesis,
                ),
            ),
            goals=(
                goal("P10", "with group join", found[GROUP], least=400, show=_rate),
                goal("P10", "with reused clients", found[REUSED], least=2000, show=_rate),
                goal("P10", SLOW, found[SLOW], most=5, show=_ms),
                goal("P10", "drawn by Hypothesis, to Hypothesis alone",
                     ratios(found[DRAWN], found[EMPTY]), least=0.7),
                goal("P9", "over sockets, fresh clients (produce)", found[f"{PRODUCE}, sockets"],
                     least=150, show=_rate),
                goal("P9", "over sockets, reused clients", found[f"{REUSED}, sockets"], least=600,
                     show=_rate),
            ),
        )
    )  # fmt: skip


def _rate(value: float) -> str:
    return f"{value:,.0f}/s"


def _ms(value: float) -> str:
    return f"{value:.1f} ms"


if __name__ == "__main__":
    main()
