"""Simulations that are run again and again, in fresh processes: what they show may not differ."""

import hashlib

from pytest_mqchaos import Plan, VerdictFailed, on, simulate
from tests.search.services import consume, payments, produce


async def group(chaos, partitions=2):
    """Two consumers with a partition each; what they do is judged."""
    chaos.topic("orders", partitions=partitions)
    async with chaos.worker(consume, chaos.bootstrap_servers, chaos, count=2):
        await chaos.publish_async("orders", payments())
        await chaos.settle_async()
    chaos.assert_lossless()


async def wide(chaos):
    """Two partitions each: which of them a consumer reads first is the order of a set."""
    await group(chaos, partitions=4)


async def committing_first(chaos):
    """A consumer that acks before its work."""
    chaos.topic("orders")
    async with chaos.worker(consume, chaos.bootstrap_servers, chaos, commit_first=True):
        await chaos.publish_async("orders", payments(8))
        await chaos.settle_async()
    chaos.assert_lossless()


async def sending(chaos, acks, **topic):
    """Ten messages to three nodes, then a consumer of all that is left."""
    chaos.topic("orders", replication=3, **topic)
    await produce(chaos.bootstrap_servers, "orders", [b"%d" % n for n in range(10)], acks=acks)
    async with chaos.worker(consume, chaos.bootstrap_servers, chaos):
        await chaos.settle_async()
    chaos.assert_lossless()


async def what_the_leader_says(chaos):
    """A producer that takes the leader's word."""
    await sending(chaos, 1)


async def what_two_have(chaos):
    """A producer that waits for all in sync, which are two at least."""
    await sending(chaos, "all", min_insync=2)


UNREPLICATED = Plan(on.publish(nth=5).kill_broker(unreplicated=True))
CASES = {
    "clean": (group, Plan()),
    "wide": (wide, Plan()),
    "wide, lost confirm": (wide, Plan(on.confirm(nth=7).drop())),
    "lost confirm": (group, Plan(on.confirm(nth=7).drop())),
    "another confirm": (group, Plan(on.confirm(nth=8).drop())),
    "late confirm": (group, Plan(on.confirm(nth=3).delay(1.5))),
    "crash": (group, Plan(on.ack(nth=5).crash_worker())),
    "sever": (group, Plan(on.deliver(nth=4).sever(), on.ack(nth=9).drop())),
    "acked first": (committing_first, Plan(on.ack(nth=3).crash_worker(when="after"))),
    "acks=1": (what_the_leader_says, UNREPLICATED),
    "acks=all": (what_two_have, UNREPLICATED),
}


def shown(name):
    """(verdict, digest, digest of the raw order) of one case."""
    scenario, plan = CASES[name]
    seen = []

    async def kept(chaos):
        seen.append(chaos)
        await scenario(chaos)

    try:
        simulate(kept, plan=plan, id="value" if scenario in _BY_VALUE else None)
        verdict = "passed"
    except VerdictFailed as failed:
        verdict = str(failed).partition("\n")[0]
    (chaos,) = seen
    raw, _ = chaos.host.plane.recorder.read(chaos.host.plane.history)
    return verdict, chaos.last_history.digest(), hashlib.sha256(raw).hexdigest()


_BY_VALUE = (what_the_leader_says, what_two_have)
