"""The steps of a state machine, back from the line of its failure."""

import re

import pytest

from pytest_mqchaos.guest import examples, failing, replay  # noqa: F401 - pytester forgets imports
from pytest_mqchaos.search import stateful  # noqa: F401 - see above

LINE = re.compile(r'replay +pytest "(\S+)" (--mqchaos-plan=\S+)')
MACHINE = """
from aiokafka import AIOKafkaConsumer
from hypothesis import settings
from pytest_mqchaos import ChaosMachine


async def ship(servers, effects):
    consumer = AIOKafkaConsumer(
        "orders", bootstrap_servers=servers, group_id="g", enable_auto_commit=False,
        auto_offset_reset="earliest",
    )
    await consumer.start()
    try:
        async for message in consumer:
            await consumer.commit()
            effects.record(message.value.decode())
    finally:
        await consumer.stop()


class Orders(ChaosMachine):
    drawn = {"points": "ack", "faults": "crash_worker", "nth": 1}
    simulated = {"id": "value"}

    def service(self, chaos):
        return chaos.worker(ship, chaos.bootstrap_servers, chaos.effects)

    def ask(self, chaos):
        chaos.assert_lossless()


TestOrders = Orders.TestCase
TestOrders.settings = settings(derandomize=True, max_examples=100, stateful_step_count=6)
"""
COMMIT, RECORD = "await consumer.commit()", "effects.record(message.value.decode())"


@pytest.mark.wide
def test_the_steps_of_a_state_machine_are_brought_back(project):
    project.test(MACHINE)
    text = project.run("-Wignore").stdout.str()
    ((nodeid, plan),) = LINE.findall(text)
    assert "state.strike(fault=on.ack(" in text
    again = project.run(nodeid, plan, "-Wignore")
    again.assert_outcomes(failed=1)
    assert "lossless failed: 1 of 1" in again.stdout.str()
    project.run("-Wignore", "--mqchaos-replay").assert_outcomes(failed=1)
    mended = MACHINE.replace(COMMIT, "X").replace(RECORD, COMMIT).replace("X", RECORD)
    project.test(mended)
    result = project.run("-Wignore", "--mqchaos-replay")
    result.stdout.fnmatch_lines(["FIXED test_it.py::TestOrders::runTest (no fault, or what its*"])


def test_a_state_machine_of_others_is_left_alone(project):
    project.test("""
        from hypothesis.stateful import RuleBasedStateMachine, rule
        from pytest_mqchaos import plans

        class Machine(RuleBasedStateMachine):
            @rule()
            def step(self):
                pass

        TestIt = Machine.TestCase
    """)
    project.run().assert_outcomes(passed=1)
