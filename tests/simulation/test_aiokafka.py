"""Unmodified aiokafka in virtual time, against the embedded cluster on a network of memory."""

import asyncio
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.errors import KafkaError

from pytest_mqchaos.simulation.stage import Stage
from tests.simulation.serving import Served

MESSAGES = [b"%d" % number for number in range(20)]


async def talk(served):
    """A producer, a group of two consumers one after the other, and a wait for what never comes."""
    producer = AIOKafkaProducer(bootstrap_servers=served.bootstrap, enable_idempotence=True)
    await producer.start()
    for message in MESSAGES:
        await producer.send_and_wait("t", message, key=message)
    first, second = (
        AIOKafkaConsumer(
            "t", bootstrap_servers=served.bootstrap, group_id="g", auto_offset_reset="earliest"
        )
        for _ in range(2)
    )
    await first.start()
    got = [(await first.getone()).value for _ in range(12)]
    await first.stop()
    await second.start()
    got += [(await second.getone()).value for _ in range(8)]
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(second.getone(), 40)
    await second.stop()
    await producer.stop()
    return got


def conversation():
    with Stage(seed=7) as stage:
        served = Served(stage.loop)
        got = stage.run(talk(served))
        return got, served.digest, stage.loop.now


def test_a_producer_and_a_group_talk_to_the_cluster():
    began = time.monotonic()
    got, _, now = conversation()
    assert got == MESSAGES
    assert now > 1040 * 10**9
    assert time.monotonic() - began < 40


def in_a_fresh_process(hash_seed):
    root = Path(__file__).parents[2]
    code = "import tests.simulation.test_aiokafka as t; print(t.conversation()[1:])"
    made = subprocess.run(
        [sys.executable, "-c", code],
        env={
            **os.environ,
            "PYTHONHASHSEED": str(hash_seed),
            "PYTHONPATH": str(root),
        },
        capture_output=True,
        text=True,
        check=True,
    )
    return made.stdout.strip()


def test_the_same_bytes_again_in_one_process():
    assert conversation() == conversation()


def test_the_same_bytes_at_the_same_times_whatever_the_hash_seed():
    assert in_a_fresh_process(1) == in_a_fresh_process(2)


@pytest.mark.wide
def test_the_same_bytes_in_ten_fresh_processes():
    assert len({in_a_fresh_process(seed) for seed in range(10)}) == 1


def test_a_broker_that_does_not_answer_costs_forty_seconds_that_nobody_waits():
    async def main():
        producer = AIOKafkaProducer(bootstrap_servers=served.bootstrap, request_timeout_ms=40_000)
        await producer.start()
        await producer.send_and_wait("t", b"before")
        served.answering = False
        began = stage.loop.time()
        with pytest.raises(KafkaError):
            await producer.send_and_wait("t", b"into the dark")
        assert 40 <= stage.loop.time() - began < 90
        await producer.stop()

    with Stage() as stage:
        served = Served(stage.loop)
        stage.run(main())
