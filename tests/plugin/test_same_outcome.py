"""`assert_same_outcome` in a user's project: the sweep's and the search's runs without faults."""

import re

from pytest_mqchaos.guest import hunting, sweeping  # noqa: F401 - pytester forgets imports

SERVICE = """
from aiokafka import AIOKafkaConsumer

{marks}
async def charge(servers, chaos, {known}):
    consumer = AIOKafkaConsumer("t", bootstrap_servers=servers, group_id="g",
                                auto_offset_reset="earliest", enable_auto_commit=False)
    await consumer.start()
    try:
        async for record in consumer:
            name = record.value.decode()
            if name not in known:
                {remember}
                chaos.effects.record(name)
            await consumer.commit()
    finally:
        await consumer.stop()


async def scenario(chaos):
    chaos.topic("t")
    async with chaos.worker(charge, chaos.bootstrap_servers, chaos, set()):
        await chaos.publish_async("t", ["a", "b"])
        await chaos.settle_async()
    chaos.assert_same_outcome()


def test_every(mqchaos_sweep):
    mqchaos_sweep(scenario, id="value", points="ack", faults="crash_worker")


def test_some(mqchaos_search):
    mqchaos_search(scenario, id="value", points="ack", faults="crash_worker", budget=25)
"""


def service(remember):
    return SERVICE.format(marks="", known="known", remember=remember)


def test_a_service_that_remembers_survives_every_case(project):
    project.test(service("known.add(name)"))
    result = project.run()
    assert result.ret == 0
    assert re.search(r"test_every: \d+ points, \d+ cases: \d+ passed", result.stdout.str())


def test_one_that_does_not_is_caught_by_both_and_replays_from_one_line(project):
    project.test(service("pass"))
    result = project.run()
    text = " ".join(result.stdout.str().split())
    assert "ended otherwise than without faults: 1 repeated: effect 2x, without faults 1x" in text
    found = re.findall(r'pytest "(test_it.py::test_(?:every|some)\S*)" (--mqchaos-plan=\S+)', text)
    assert {nodeid for nodeid, _ in found} == {"test_it.py::test_every", "test_it.py::test_some"}
    for nodeid in ("test_it.py::test_every", "test_it.py::test_some"):
        plan = next(plan for one, plan in found if one == nodeid)
        again = project.run(nodeid, plan)
        again.assert_outcomes(failed=1)
        assert "same_outcome failed" in again.stdout.str()
