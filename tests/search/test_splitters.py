"""A service that makes several records of one: `from_topic(part=function)` names them."""

import json

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from pytest_mqchaos import Plan, UsageError, simulate

ORDERS = [json.dumps({"id": f"o{n}", "lines": ["a", "b"]}) for n in range(2)]


async def splits(servers, forgets):
    """One record for each line of an order; `forgets` the last line of this one."""
    consumer = AIOKafkaConsumer(
        "orders", bootstrap_servers=servers, group_id="split", enable_auto_commit=False,
        auto_offset_reset="earliest",
    )  # fmt: skip
    async with AIOKafkaProducer(bootstrap_servers=servers) as producer, consumer:
        async for message in consumer:
            order = json.loads(message.value)
            for line in order["lines"][: -1 if order["id"] == forgets else None]:
                record = json.dumps({"id": order["id"], "line": line}).encode()
                await producer.send_and_wait("lines", record)
            await consumer.commit()


def line_of(record):
    return json.loads(record.value)["line"]


def asked(part, forgets=""):
    """The status of each question about a run without a fault."""

    async def scenario(chaos):
        chaos.topic("orders")
        chaos.topic("lines")
        chaos.effects.from_topic("lines", part=part)
        async with chaos.worker(splits, chaos.bootstrap_servers, forgets):
            await chaos.publish_async("orders", ORDERS)
            await chaos.settle_async()
        found["lossless"] = chaos.check("lossless", parts=["a", "b"] if part else None).status
        found["idempotent"] = chaos.check("idempotent").status

    found = {}
    simulate(scenario, plan=Plan(), id="json:/id", own_assertions=True)
    return found


def test_records_of_one_message_are_its_parts_if_they_are_named():
    assert asked(line_of) == {"lossless": "passed", "idempotent": "passed"}
    assert asked(line_of, forgets="o1") == {"lossless": "failed", "idempotent": "passed"}


def test_without_names_nobody_knows():
    assert asked(None)["idempotent"] == "unknown"


def test_a_function_that_raises_is_told_of():
    with pytest.raises(UsageError, match=r"from_topic\('lines', part=.*KeyError.*lines-0@0"):
        asked(lambda record: json.loads(record.value)["no"])
