"""A property test in which nothing was broken is green, and says so."""

import pytest

TEST = """
    from aiokafka import AIOKafkaConsumer
    from hypothesis import given, settings
    from pytest_mqchaos import plans, simulate

    async def consume(servers, effects):
        consumer = AIOKafkaConsumer(
            "orders", bootstrap_servers=servers, group_id="g", enable_auto_commit=False,
            auto_offset_reset="earliest",
        )
        await consumer.start()
        try:
            async for message in consumer:
                effects.record(message.value.decode())
                await consumer.commit()
        finally:
            await consumer.stop()

    async def scenario(chaos):
        chaos.topic("orders")
        async with chaos.worker(consume, chaos.bootstrap_servers, chaos.effects):
            await chaos.publish_async("orders", ["a", "b"])
            await chaos.settle_async()
        chaos.assert_lossless()

    @settings(max_examples=4, derandomize=True, database=None)
    @given(plan=plans({words}))
    def test_orders(plan):
        {run}
"""
RUN = 'simulate(scenario, plan=plan, id="value")'
MUST = "min_faults=1, points='ack', nth=1"


@pytest.mark.parametrize(
    ("words", "run", "said"),
    [
        (f"{MUST}, topics='oders'", RUN, "* runs, and none of their * faults took effect: *"),
        (MUST, 'simulate(scenario, id="value")', "* runs, none of them with a fault"),
        (MUST, "pass", "drew plans, and no run had one: *"),
    ],
)  # fmt: skip
def test_it_says_that_nothing_was_broken(project, words, run, said):
    project.test(TEST.format(words=words, run=run))
    result = project.run()
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines([f"test_orders: mqchaos: {said}"])


def test_where_something_was_it_says_nothing_of_that(project):
    project.test(TEST.format(words=MUST, run=RUN))
    result = project.run()
    result.assert_outcomes(passed=1)
    assert "test_orders: mqchaos" not in result.stdout.str()
