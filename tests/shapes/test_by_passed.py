"""Clients that use another address than their link's: nothing fails, and no pass keeps silent."""

from __future__ import annotations

import asyncio
import time
from contextlib import contextmanager

import pytest
from aiokafka import AIOKafkaProducer, TopicPartition

from pytest_mqchaos import Plan
from tests.shapes.services import groups
from tests.shapes.services.world import World, order_of
from tests.shapes.shape import ORDERS, told

START = 20  # seconds that a worker may need until it is heard of


@contextmanager
def running(host):
    with host.chaos(Plan(), id="json:/id", own_assertions=True) as chaos:
        chaos.topic("orders")
        yield chaos, World(chaos.effects)


def direct(host):
    """The broker's own address, past every link."""
    address, port = next(iter(host.broker.addresses().values()))
    return f"{address}:{port}"


async def assigned(bootstrap, world):
    """A consumer without a group."""
    consumer = groups.consumer_of(bootstrap, group=None)
    async with consumer:
        consumer.assign([TopicPartition("orders", 0)])
        async for message in consumer:
            world.once(order_of(message))


async def sends(bootstrap):
    async with AIOKafkaProducer(bootstrap_servers=bootstrap) as producer:
        for one in ORDERS:
            await producer.send_and_wait("orders", one["value"].encode(), key=one["key"].encode())
        await asyncio.Event().wait()


@pytest.mark.parametrize("service", [groups.plain, assigned])
def test_a_consumer_that_by_passes_wholly_is_told_of_and_not_waited_for(host, service):
    with running(host) as (chaos, world):
        with chaos.worker(service, direct(host), world):
            chaos.publish("orders", ORDERS)
            chaos.wait_for(lambda: len(world.done) == len(ORDERS))
            began = time.monotonic()
            settled = chaos.settle()
            assert time.monotonic() - began < START / 2
        assert "worker-1#1 has not been heard of yet" in settled.waiting
        assert "5 messages took effect that no link handed out" in settled.waiting
        for question in ("lossless", "idempotent", "exactly_once"):
            verdict = chaos.check(question)
            assert verdict.status == "passed", told(verdict)
            assert "5 of 5 messages with an effect by-passed the links" in verdict.limits[0]
            assert "worker-1 never used a link" in verdict.limits
        verdict = chaos.check("acked_after_effect")
        assert verdict.status == "unknown", told(verdict)
        assert verdict.missing.startswith("check that every client uses chaos.bootstrap_servers")


def test_a_producer_that_by_passes_wholly_is_told_of_and_not_waited_for(host):
    with running(host) as (chaos, world):
        with (
            chaos.worker(groups.plain, chaos.bootstrap_servers, world),
            chaos.worker(sends, direct(host)),
        ):
            chaos.wait_for(lambda: len(world.done) == len(ORDERS))
            began = time.monotonic()
            settled = chaos.settle()
            assert time.monotonic() - began < START / 2
        assert "5 messages were published past every link" in settled.waiting
        for question in ("lossless", "exactly_once"):
            verdict = chaos.check(question)
            assert verdict.status == "unknown", told(verdict)
            assert "5 of 5 stored messages were published past the links" in verdict.sentence
        assert "worker-2 never used a link" in chaos.check("idempotent").limits
