"""The replay line is run once before it is printed."""

import pytest

from pytest_mqchaos.guest import proof

SERVICE = """
import pytest
from aiokafka import AIOKafkaConsumer


async def consume(servers, effects):
    consumer = AIOKafkaConsumer("t", bootstrap_servers=servers, group_id="g",
                                enable_auto_commit=False, auto_offset_reset="earliest")
    await consumer.start()
    try:
        async for message in consumer:
            effects.record(message.value.decode())
            await consumer.commit()
    finally:
        await consumer.stop()


@pytest.mark.mqchaos("lost-confirm", id="value")
def test_it(kafka_chaos):
    kafka_chaos.topic("t")
    with kafka_chaos.worker(consume, kafka_chaos.bootstrap_servers, kafka_chaos.effects):
        kafka_chaos.publish("t", ["a", "b"])
        kafka_chaos.settle()
    kafka_chaos.assert_idempotent()
"""


@pytest.fixture
def replaying(monkeypatch):
    monkeypatch.delenv(proof.ENVIRONMENT, raising=False)


def test_a_failure_says_how_often_its_line_reproduced_it(project, replaying):
    project.test(SERVICE)
    result = project.run()
    result.assert_outcomes(failed=1)
    result.stdout.re_match_lines(
        [r"\s+replay +pytest .*--mqchaos-plan=mq1\.", r"\s+reproduced 1/1"]
    )


def test_a_replay_does_not_replay_itself(project, monkeypatch):
    monkeypatch.setenv(proof.ENVIRONMENT, "1")
    project.test(SERVICE)
    result = project.run()
    result.assert_outcomes(failed=1)
    result.stdout.no_fnmatch_line("*reproduced*")


def test_what_came_of_it_stands_below_the_line():
    assert proof.added("a\n  replay   pytest x", "pytest x", "reproduced 1/1") == (
        "a\n  replay   pytest x\n           reproduced 1/1"
    )


def test_a_text_without_a_line_stays():
    assert proof.added("a\nb", "", "reproduced 1/1") == "a\nb"
