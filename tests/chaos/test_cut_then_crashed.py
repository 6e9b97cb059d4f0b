"""A rule that crashes a worker cuts its links first. A client that notices this before we have
killed it ends by itself: that was the rule, not a failure of the code under test. A process is
stopped before, so that it cannot notice."""

import asyncio
import sys

import psutil
import pytest
from aiokafka import AIOKafkaConsumer

from pytest_mqchaos.plan.on import on
from tests.chaos.services import forking, idle, work_when_cut


def slowly(chaos):
    """A controller that is later than the worker: it goes on when that has ended."""
    crash = chaos.crew.crash

    def late(owner, cause, **more):
        def over():
            return any(e.who == owner and e.what == "ended" for e in chaos.crew.events)

        chaos.wait_for(over, what=f"the end of {owner}")
        return crash(owner, cause, **more)

    chaos.crew.crash = late


async def raising(servers, starts):
    starts.append(servers)
    if len(starts) > 1:
        await idle()
    consumer = AIOKafkaConsumer("t", bootstrap_servers=servers)
    try:
        await consumer.start()  # KafkaConnectionError
    finally:
        await consumer.stop()


async def returning(servers, starts):
    """Ends as if all were well: nobody would start it again for that."""
    starts.append(servers)
    if len(starts) > 1:
        await idle()
    host, port = str(servers).split(",")[0].split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    # ApiVersions version 0, number 1, no client id
    writer.write(bytes.fromhex("0000000a 0012 0000 00000001 ffff"))
    await reader.read()
    writer.close()


@pytest.mark.parametrize(("service", "api"), [(raising, "Metadata"), (returning, "ApiVersions")])
def test_who_ends_of_the_cut_was_crashed_by_the_rule(chaos, service, api):
    slowly(chaos)
    starts = []
    rule = chaos.arm(on.control(api=api, nth=1).crash_worker())
    with chaos.worker(service, chaos.bootstrap_servers, starts):
        chaos.wait_for(lambda: len(starts) > 1, what="the next incarnation")
        rule.wait()
    assert rule.fired == 1
    told = [(event.who, event.what) for event in chaos.crew.events]
    assert told == [
        ("worker-1#1", "started"), ("worker-1#1", "ended"),
        ("worker-1#2", "restarted"), ("worker-1#2", "stopped"),
    ]  # fmt: skip


def test_who_had_ended_long_before_was_not(chaos):
    async def gone(servers):
        del servers

    with chaos.worker(gone, chaos.bootstrap_servers):
        chaos.wait_for(lambda: not chaos.crew.running, what="its end")
        assert chaos.crew.crash("worker-1#1", "x") == "worker-1#1 was not running any more"


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_process_does_nothing_between_the_cut_and_its_end(chaos, tmp_path, when):
    """A killed process never sees its connection end: sarama's `Commit()` would come back as if it
    had committed, and the service would do the work that it was killed for not to do."""
    path, crash = tmp_path / "worked", chaos.crew.crash

    def late(owner, cause, **more):
        pid = chaos.crew.supervisors[0].pid_of(owner)

        def seen():
            return path.exists() or psutil.Process(pid).status() == psutil.STATUS_STOPPED

        chaos.wait_for(seen, timeout=60, what="the worker to go on, or to stand still")
        return crash(owner, cause, **more)

    chaos.crew.crash = late
    rule = chaos.arm(on.control(api="ApiVersions", nth=1).crash_worker(when))
    servers = chaos.bootstrap_servers
    with chaos.worker(work_when_cut, servers, path, process=True, restart=False):
        rule.wait(60)
    assert not path.exists()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells who holds a socket")
def test_a_child_alone_dies_and_its_service_keeps_its_broker(chaos, tmp_path):
    path, leader = tmp_path / "worked", tmp_path / "worked.leader"
    rule = chaos.arm(on.control(api="ApiVersions", nth=1).crash_worker(scope="child"))
    with chaos.worker(forking, chaos.bootstrap_servers, path, process=True, restart=False):
        rule.wait(60)
        chaos.wait_for(leader.exists, timeout=60, what="what the leader does after that")
    assert rule.fired == 1
    assert leader.read_text() == "answered"
    assert not path.exists()
