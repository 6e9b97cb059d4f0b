"""Effects that come from a thread without a context: after the crash of a coroutine worker its
threads go on, which those of a killed process would not."""

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from pytest_mqchaos import on
from pytest_mqchaos.chaos.effects import Effects
from pytest_mqchaos.chaos.loose import LOOSE, settled
from pytest_mqchaos.history.rows import ProcessEvent
from tests.checkers.timeline import MS, run
from tests.search.planted.clients import reading

ONE, TWO = "worker-1#1", "worker-1#2"


def judged(line, *events):
    began = [ProcessEvent(0, ONE, "started", "")]
    history = line.history()
    found = settled(history.effects, [*began, *events], history.deliveries)
    assert all(effect.owner != LOOSE for effect in found)
    return [(effect.id, effect.posthumous) for effect in found]


def crash(line):
    return ProcessEvent(line.now * MS, ONE, "crashed", "")


def test_what_was_handed_to_the_dead_alone_is_posthumous():
    line = run().publish("a").publish("b").deliver("a", "b", owner=ONE).effect("a", owner=LOOSE)
    dead = crash(line)
    line.deliver("b", owner=TWO)
    line.publish("c").deliver("c", owner=ONE)
    line.effect("b", owner=LOOSE).effect("c", owner=LOOSE)
    assert judged(line, dead) == [("a", False), ("b", False), ("c", True)]
    assert judged(line) == [("a", False), ("b", False), ("c", False)]


def test_of_two_the_earlier_is_that_of_the_dead():
    line = run().publish("a").deliver("a", owner=ONE)
    dead = crash(line)
    line.deliver("a", owner=TWO).effect("a", owner=LOOSE).effect("a", owner=LOOSE)
    assert judged(line, dead) == [("a", True), ("a", False)]


def test_whoever_works_from_a_store_may_have_done_it():
    line = run().publish("a").deliver("a", owner=ONE)
    dead = crash(line)
    line.effect("a", owner=LOOSE)
    relay = ProcessEvent(0, "worker-2#1", "started", "")
    assert judged(line, dead) == [("a", True)]
    assert judged(line, dead, relay) == [("a", False)]


def test_an_owner_that_is_known_stays():
    line = run().publish("a").work("a", owner=ONE)
    effects = line.history().effects
    assert settled(effects, [crash(line)], line.history().deliveries) is effects
    assert settled(None, [], []) is None


def test_only_a_thread_without_a_context_is_one(tmp_path):
    effects = Effects(tmp_path / "lines", lambda *_: pytest.fail("no output is asked for"))
    effects.record("main")
    thread = threading.Thread(target=effects.record, args=("thread",))
    thread.start()
    thread.join()
    effects.look()
    assert [(row.id, row.owner) for row in effects.rows()] == [("main", None), ("thread", LOOSE)]


async def acks_first(servers, work, pool):
    async with reading(servers, "orders") as consumer:
        async for message in consumer:
            asyncio.get_running_loop().run_in_executor(pool, work, message.value.decode())
            await consumer.commit()


def test_a_service_that_leaves_its_work_to_a_thread_and_acks_does_not_pass(chaos):
    crashed = threading.Event()
    chaos.topic("orders")
    chaos.arm(on.ack(nth=1).crash_worker("after"))

    def work(name):
        crashed.wait(30)
        chaos.effects.record(name)

    with (
        ThreadPoolExecutor(4) as pool,
        chaos.worker(acks_first, chaos.bootstrap_servers, work, pool),
    ):
        chaos.publish("orders", ["a", "b"])
        chaos.wait_for(lambda: any(e.what == "crashed" for e in chaos.history.processes), 30)
        crashed.set()
        chaos.settle(timeout=30)
    verdict = chaos.check("lossless")
    assert verdict.status == "unknown"
    assert "known only from a posthumous effect" in verdict.sentence
