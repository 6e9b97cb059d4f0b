"""Every kind of worker with its own address; crashes, restarts, ends."""

import asyncio
import json
import socket
import sys
import threading
from pathlib import Path

import pytest
from aiokafka import AIOKafkaConsumer

from pytest_mqchaos.errors import UsageError, VerdictFailed, WorkerFailed
from pytest_mqchaos.plan.on import on
from pytest_mqchaos.workloads.slot import Patience
from tests.chaos import services
from tests.chaos.services import consume, idle

SERVICES = Path(__file__).with_name("services.py")


def incarnations(chaos):
    return [(event.who, event.what) for event in chaos.crew.events]


def told(path):
    try:
        return json.loads(path.read_text())
    except FileNotFoundError:
        return None


def test_a_coroutine_gets_an_address_of_its_own_in_every_argument(chaos):
    seen = {}

    async def service(servers, *, config):
        seen.update(servers=servers, config=config)
        await idle()

    config = {"bootstrap.servers": [chaos.bootstrap_servers], "effects": chaos.effects}
    with chaos.worker(service, chaos.bootstrap_servers, config=config):
        chaos.wait_for(lambda: seen, what="the service to start")
    assert seen["servers"] != chaos.bootstrap_servers
    assert seen["config"] == {"bootstrap.servers": [seen["servers"]], "effects": chaos.effects}
    assert config["bootstrap.servers"] == [chaos.bootstrap_servers]
    assert incarnations(chaos) == [("worker-1#1", "started"), ("worker-1#1", "stopped")]


def test_a_thread_is_asked_to_stop(chaos):
    seen = []

    def service(servers, stop):
        seen.append(servers)
        stop.wait()

    with chaos.worker(service, chaos.bootstrap_servers, count=2):
        chaos.wait_for(lambda: len(seen) == 2)
    assert len({*seen, chaos.bootstrap_servers}) == 3
    assert ("worker-2#1", "stopped") in incarnations(chaos)


def test_a_command_has_its_address_in_argv_and_environment(chaos, tmp_path):
    path = tmp_path / "told"
    argv = [sys.executable, str(SERVICES), f"kafka://{chaos.bootstrap_servers}", str(path)]
    with chaos.worker(argv) as worker:
        chaos.wait_for(lambda: told(path))
        assert worker.pids() == [told(path)["pid"]]
    own = told(path)["servers"].removeprefix("kafka://")
    environment = told(path)["environment"]
    assert own != chaos.bootstrap_servers
    assert environment["MQCHAOS_BOOTSTRAP_SERVERS"] == own
    assert environment["MQCHAOS_EFFECTS"].endswith(".effects")
    assert environment["MQCHAOS_INCARNATION"] == "worker-1#1"


def test_an_importable_function_runs_in_a_child(chaos, tmp_path):
    path = tmp_path / "told"
    with chaos.worker(services.tell, chaos.bootstrap_servers, path, process=True) as worker:
        chaos.wait_for(lambda: told(path))
        first = told(path)
        worker.crash()
        chaos.wait_for(lambda: told(path)["pid"] != first["pid"])
        assert worker.pids() == [told(path)["pid"]]
    assert told(path)["servers"] not in (first["servers"], chaos.bootstrap_servers)
    assert incarnations(chaos)[:3] == [
        ("worker-1#1", "started"), ("worker-1#1", "crashed"), ("worker-1#2", "restarted"),
    ]  # fmt: skip


def connects(address):
    host, _, port = address.rpartition(":")
    try:
        with socket.create_connection((host, int(port)), 5) as sock:
            sock.settimeout(5)
            return sock.recv(1) != b""
    except TimeoutError:
        return True
    except OSError:
        return False


def test_a_crash_cuts_the_links_for_ever_and_the_next_has_its_own(chaos):
    addresses = []

    async def service(servers):
        addresses.append(servers)
        await idle()

    with chaos.worker(service, chaos.bootstrap_servers) as worker:
        chaos.wait_for(lambda: len(addresses) == 1)
        worker.crash()
        chaos.wait_for(lambda: len(addresses) == 2)
        assert not connects(addresses[0])
    assert len(set(addresses)) == 2


def test_without_restart_a_crashed_worker_stays_down(chaos):
    with chaos.worker(idle, chaos.bootstrap_servers, restart=False) as worker:
        worker.crash()
        chaos.wait_for(lambda: not chaos.crew.running, what="its end to be judged")
    assert incarnations(chaos)[-1] == ("worker-1#1", "crashed")


def test_crash_on_a_running_loop_names_its_twin(chaos):
    async def body():
        async with chaos.worker(idle, chaos.bootstrap_servers, restart=False) as worker:
            with pytest.raises(UsageError, match=r"await worker.crash_async\(\)"):
                worker.crash()
            with pytest.raises(UsageError, match=r"async with chaos.worker"):
                chaos.worker(idle).__enter__()
            await worker.crash_async()

    asyncio.run(body())
    assert ("worker-1#1", "crashed") in incarnations(chaos)


def test_a_thread_refuses_to_crash_and_says_why(chaos):
    def service(stop):
        stop.wait()

    with (
        chaos.worker(service) as worker,
        pytest.raises(UsageError, match=r"a thread cannot be killed.*process=True"),
    ):
        worker.crash()


def test_a_crash_rule_on_a_thread_fails_the_test_with_that_reason(host):
    def service(servers, stop):
        from kafka import KafkaConsumer

        with_commit = KafkaConsumer(
            "t", bootstrap_servers=servers, group_id="g", auto_offset_reset="earliest",
            enable_auto_commit=False,
        )  # fmt: skip
        try:
            while not stop.is_set():
                if with_commit.poll(1000):
                    with_commit.commit()
        finally:
            with_commit.close()

    with (  # noqa: PT012 - the end of the inner `with` raises
        pytest.raises(VerdictFailed, match=r"(?s)never took effect.*a thread cannot be\s+killed"),
        host.chaos(id="value", own_assertions=True) as chaos,
    ):
        chaos.topic("t")
        chaos.arm(on.ack(nth=1).crash_worker())
        with chaos.worker(service, chaos.bootstrap_servers):
            chaos.publish("t", ["a"])
            chaos.settle()


def test_a_worker_that_fails_before_any_fault_is_the_tests_failure(chaos):
    async def service():
        raise LookupError("no such account")

    with pytest.raises(LookupError, match="no such account"), chaos.worker(service):
        chaos.wait_for(lambda: False, what="nothing")


def test_and_settle_says_so_too(chaos):
    chaos.topic("t")
    with pytest.raises(LookupError), chaos.worker(failing):
        chaos.settle()


async def failing(*_):
    raise LookupError("broken")


def test_a_crash_loop_after_a_fault_fails_the_test(chaos, monkeypatch):
    short = Patience(fruitless=2, pause=0.01)
    monkeypatch.setattr("pytest_mqchaos.workloads.supervisor.Patience", lambda: short)
    go = threading.Event()

    async def service(_servers):
        await asyncio.to_thread(go.wait)
        raise LookupError("poison")

    chaos.topic("t")
    chaos.arm(on.confirm(nth=1).delay(0.001))
    loop = pytest.raises(WorkerFailed, match=r"crash loop: worker-1 ended .* poison")
    with loop, chaos.worker(service, chaos.bootstrap_servers):
        chaos.publish("t", ["a"])
        go.set()
        chaos.wait_for(lambda: False, timeout=30, what="the loop to be called one")


@pytest.mark.parametrize(
    ("words", "target", "told"),
    [
        ({"count": 0}, idle, "count=0: must be 1 or more"),
        ({"count": "2"}, idle, "count='2': must be 1 or more"),
        ({}, "python service.py", "use shlex.split"),
        ({}, 17, "is none of them"),
        ({"process": True}, lambda: None, "a child process can import"),
    ],
)
def test_what_cannot_be_a_worker_is_refused_where_it_is_written(chaos, words, target, told):
    with pytest.raises(UsageError, match=told):
        chaos.worker(target, **words)


def test_a_worker_that_was_not_started_has_no_supervisor(chaos):
    with pytest.raises(UsageError, match="use it in `with"):
        chaos.worker(idle).crash()


def test_an_unknown_command_is_said_when_it_is_started(chaos):
    with pytest.raises(UsageError, match="no-such-command"):
        chaos.worker(["no-such-command"]).__enter__()


def test_who_may_be_crashed(chaos):
    with chaos.worker(idle, chaos.bootstrap_servers):
        assert chaos.crew.may_crash("worker-1#1") is None
        assert "not to a worker of this test" in chaos.crew.may_crash("test")
        assert chaos.crew.crash("worker-9#1", "x") == "worker-9#1 was not running any more"


def test_the_final_drain_restarts_a_worker_that_no_longer_takes(chaos):
    """Its first incarnation leaves everything lying: only a restart brings it forward."""

    async def stuck(servers, effects):
        if len(chaos.crew.events) == 1:
            consumer = AIOKafkaConsumer(
                "t", bootstrap_servers=servers, group_id="g", enable_auto_commit=False
            )
            await consumer.start()
            try:
                await idle()
            finally:
                await consumer.stop()
        await consume(servers, effects)

    chaos.topic("t")
    with chaos.worker(stuck, chaos.bootstrap_servers, chaos.effects):
        chaos.publish("t", ["a", "b"])
        settled = chaos.settle(timeout=3)
    assert settled.waiting == ()
    assert ids(chaos.history.effects) == ["a", "b"]
    assert ("worker-1#2", "restarted") in incarnations(chaos)


def ids(rows):
    return [row.id for row in rows]
