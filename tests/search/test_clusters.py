"""Three brokers, transactions and a real database in virtual time."""

import sqlite3
from contextlib import closing

import aiosqlite
import pytest
from aiokafka import AIOKafkaConsumer

from pytest_mqchaos import Plan, UsageError, VerdictFailed, on, simulate
from pytest_mqchaos.plan.profiles import PROFILES
from pytest_mqchaos.plan.table import CLUSTERED
from tests.search.scenarios import UNREPLICATED, what_the_leader_says, what_two_have
from tests.search.services import forward, payments


def test_what_only_the_leader_had_is_gone_with_it():
    with pytest.raises(VerdictFailed, match=r"1 of 10 .* lost: stored then gone \(leader change\)"):
        simulate(what_the_leader_says, plan=UNREPLICATED, id="value")
    simulate(what_two_have, plan=UNREPLICATED, id="value")


async def count_nodes(chaos):
    """A run with a message, and how many brokers there were."""
    await what_two_have(chaos)
    return len(chaos.bootstrap_servers.split(","))


def test_a_profile_brings_its_nodes():
    assert CLUSTERED in PROFILES["kafka"]["leader-kill"].needs
    assert simulate(count_nodes, plan="leader-kill", id="value") == 3
    assert simulate(count_nodes, plan="leader-kill", id="value", nodes=4) == 4


@pytest.mark.parametrize(
    ("plan", "says"),
    [
        ("leader-kil", "no kafka profile 'leader-kil'|leader-kill"),
        ("standard", "is a bundle of profiles.*lost-confirm"),
        ([on.publish().drop()], "must be a Plan"),
    ],
)
def test_a_plan_that_is_none_is_refused(plan, says):
    with pytest.raises(UsageError, match=says):
        simulate(count_nodes, plan=plan)


WIDE = ("aborted-transaction", "lost-transaction-end", "broker-restart", "network-partition")


@pytest.mark.parametrize(
    "profile",
    ["leader-kill", "crash-before-ack", *(pytest.param(n, marks=pytest.mark.wide) for n in WIDE)],
)
def test_transactions_stay_exactly_once(profile):
    async def scenario(chaos):
        for name in ("orders", "out"):
            chaos.topic(name, min_insync=2)
        chaos.flow(inputs=["orders"], outputs=["out"])
        chaos.effects.from_topic("out")
        async with chaos.worker(forward, chaos.bootstrap_servers):
            await chaos.publish_async("orders", payments(6))
            await chaos.settle_async()
        chaos.assert_exactly_once()
        return [rule.fired for rule in chaos.history.rules]

    assert simulate(scenario, plan=PROFILES["kafka"][profile].plan(), nodes=3) >= [1]


async def book(servers, path):
    """A ledger in a real SQLite, which is another thread's: each order once."""
    consumer = AIOKafkaConsumer(
        "orders", bootstrap_servers=servers, group_id="g", enable_auto_commit=False,
        auto_offset_reset="earliest",
    )  # fmt: skip
    await consumer.start()
    try:
        async with aiosqlite.connect(path) as ledger:
            async for record in consumer:
                await ledger.execute("insert or ignore into t values (?)", (record.value.decode(),))
                await ledger.commit()
                await consumer.commit()
    finally:
        await consumer.stop()


def test_a_ledger_in_a_real_database_is_the_same_every_time(tmp_path):
    def once(number):
        path = str(tmp_path / f"{number}.db")
        with closing(sqlite3.connect(path)) as made:
            made.execute("create table t (id text primary key)")

        async def scenario(chaos):
            chaos.topic("orders")
            chaos.effects.from_sql(path, "select id from t order by rowid")
            async with chaos.worker(book, chaos.bootstrap_servers, path):
                await chaos.publish_async("orders", payments(6))
                await chaos.settle_async()
            chaos.assert_lossless()
            return chaos.history.digest()

        plan = Plan(on.ack(nth=3).crash_worker(), on.confirm(nth=5).drop())
        return simulate(scenario, plan=plan, id="value", real=["aiosqlite"])

    assert once(1) == once(2)
