"""Each bug with its twin and the questions that tell them apart, as scenarios for `simulate`."""

from collections.abc import Callable
from dataclasses import dataclass

from pytest_mqchaos import batches
from tests.search.planted import in_batches, one_by_one
from tests.search.planted.books import Books

BATCH = batches(max_size=5, keys=["a", "b"])


def nothing_lost(chaos):
    chaos.assert_lossless()


def nothing_twice(chaos):
    chaos.assert_lossless()
    chaos.assert_idempotent()


def nothing_swapped(chaos):
    chaos.assert_lossless()
    chaos.assert_ordered(by="key")


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """`ask` is what a test of such a service asks."""

    broken: Callable
    correct: Callable
    ask: Callable


PAIRS = (
    Pair(broken=one_by_one.ack_before_work, correct=one_by_one.ack_after_work, ask=nothing_lost),
    Pair(broken=one_by_one.dedupe_apart, correct=one_by_one.dedupe_inside, ask=nothing_twice),
    Pair(broken=one_by_one.retry_elsewhere, correct=one_by_one.retry_in_place, ask=nothing_swapped),
    Pair(broken=one_by_one.mark_before_work, correct=one_by_one.mark_with_lease, ask=nothing_twice),
    Pair(broken=in_batches.commit_position, correct=in_batches.commit_handled, ask=nothing_lost),
)
_ASK = {service: pair.ask for pair in PAIRS for service in (pair.broken, pair.correct)}
BROKEN = tuple(pair.broken for pair in PAIRS)
CORRECT = tuple(pair.correct for pair in PAIRS)


def scenario_of(service, batch):
    """All but the last message stand there when the service starts; the last comes as it works."""

    async def scenario(chaos):
        chaos.topic("orders")
        chaos.topic("receipts")
        chaos.topic("retries")
        chaos.flow(inputs=["orders"], retries=["retries"], outputs=["receipts"])
        books = Books(chaos.effects)
        await chaos.publish_async("orders", batch[:-1])
        async with chaos.worker(service, chaos.bootstrap_servers, books):
            await chaos.publish_async("orders", batch[-1:])
            await chaos.settle_async()
        _ASK[service](chaos)

    return scenario
