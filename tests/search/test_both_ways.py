"""One behaviour, two ways to move bytes: a scenario shows the same over sockets and in memory."""

import asyncio

import pytest

from pytest_mqchaos import ChaosBroker, Plan, VerdictFailed, on, simulate
from pytest_mqchaos.history.digest import lines
from tests.search.services import consume, payments

PLANS = {
    "clean": Plan(),
    "lost confirm": Plan(on.confirm(nth=3).drop()),
    "late confirm": Plan(on.confirm(nth=2).delay(0.2)),
    "refused": Plan(on.publish(nth=2).refuse("NOT_LEADER_OR_FOLLOWER")),
    "cut publish": Plan(on.publish(nth=4).sever()),
    "lost ack": Plan(on.ack(nth=2).drop()),
    "crash": Plan(on.ack(nth=3).crash_worker(when="after")),
}


# How much one fetch brings to a consumer that dies in the middle of it is chance while somebody
# still publishes: here nobody does any more.
PUBLISHED_BEFORE = {"crash"}


async def scenario(chaos, name):
    chaos.topic("orders")
    if name in PUBLISHED_BEFORE:
        await chaos.publish_async("orders", payments(6))
    async with chaos.worker(consume, chaos.bootstrap_servers, chaos):
        if name not in PUBLISHED_BEFORE:
            await chaos.publish_async("orders", payments(6))
        await chaos.settle_async()
    chaos.assert_lossless()


def shown(run, name):
    """(verdict, canonical rows) of what `run(scenario)` did."""
    seen = []

    async def kept(chaos):
        seen.append(chaos)
        await scenario(chaos, name)

    try:
        run(kept)
        verdict = "passed"
    except VerdictFailed as failed:
        verdict = str(failed).partition("\n")[0]
    return verdict, lines(seen[0].last_history)


@pytest.fixture(scope="module")
def broker():
    with ChaosBroker() as made:
        yield made


@pytest.mark.parametrize("name", PLANS)
def test_what_sockets_show_is_what_memory_shows(broker, name):
    def over_sockets(kept):
        async def main():
            async with broker.chaos(PLANS[name]) as chaos:
                await kept(chaos)

        asyncio.run(main())

    in_memory = shown(lambda kept: simulate(kept, plan=PLANS[name]), name)
    assert in_memory == shown(over_sockets, name)
