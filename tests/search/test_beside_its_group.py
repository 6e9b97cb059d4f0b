"""A service that reads a second topic beside its group (a store that it restores when it starts),
with a client of the same name."""

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from pytest_mqchaos import Plan, simulate

CHANGES = TopicPartition("changes", 0)


async def restores(servers, store):
    """Reads all changes, then the orders as one of a group; each leads to a change."""
    store.clear()
    every = {"bootstrap_servers": servers, "auto_offset_reset": "earliest", "client_id": "store"}
    async with AIOKafkaProducer(bootstrap_servers=servers) as producer:
        changes = AIOKafkaConsumer(group_id=None, **every)
        changes.assign([CHANGES])
        async with changes:
            end = (await changes.end_offsets([CHANGES]))[CHANGES]
            while await changes.position(CHANGES) < end:
                store.append((await changes.getone()).value.decode())
        orders = AIOKafkaConsumer("orders", group_id="store", enable_auto_commit=False, **every)
        async with orders:
            async for order in orders:
                if order.value.decode() not in store:
                    store.append(order.value.decode())
                    await producer.send_and_wait("changes", order.value)
                await orders.commit()


def test_what_a_client_reads_beside_its_group_is_not_its_groups():
    async def scenario(chaos):
        store = []
        chaos.topic("orders")
        chaos.topic("changes")
        chaos.flow(outputs=["changes"])
        chaos.effects.from_call(lambda: [{"id": order} for order in store])
        async with chaos.worker(restores, chaos.bootstrap_servers, store) as worker:
            await chaos.publish_async("orders", ["o0", "o1"])
            await chaos.settle_async()
            await worker.crash_async()
            await chaos.publish_async("orders", ["o2"])
            settled = await chaos.settle_async()
        assert settled.waiting == ()
        assert not settled.drained
        chaos.assert_exactly_once()
        read = {(row.topic, row.group) for row in chaos.history.deliveries}
        assert read == {("orders", "store"), ("changes", None)}

    simulate(scenario, plan=Plan(), id="value")
