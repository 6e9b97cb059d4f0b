import os
import socket

import pytest

from pytest_mqchaos.errors import UsageError
from pytest_mqchaos.workloads import prefork
from tests.workloads import targets


@pytest.fixture
def listener():
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server


@pytest.mark.skipif(not prefork._TABLES[0].exists(), reason="only Linux tells who holds a socket")
def test_only_the_child_that_owns_the_connection_dies(world, tools, tmp_path, listener):
    path = tmp_path / "child"
    supervisor = world.supervise(
        targets.prefork, path, listener.getsockname()[1], process=True, restart=False
    )
    supervisor.start()
    tools.eventually(path.exists)
    child, port = map(int, path.read_text().split())
    leader = supervisor.pid_of("worker-1#1")
    assert supervisor.crash_child("worker-1#1", port, cause="rule 1") is True
    assert tools.gone(child)
    tools.eventually((tmp_path / "child.lost").exists, "the leader to notice")
    assert not tools.gone(leader)
    assert supervisor.running == ("worker-1#1",)
    assert world.events[-1].what == "crashed"
    assert world.events[-1].cause == f"its child {child} alone: rule 1"
    with pytest.raises(UsageError, match=f"connection from port {port}; none"):
        supervisor.crash_child("worker-1#1", port)
    supervisor.stop()
    assert supervisor.crash_child("worker-1#1", port) is False


@pytest.mark.skipif(not prefork._TABLES[0].exists(), reason="only Linux tells who holds a socket")
def test_the_holder_of_a_socket_is_found(listener):
    port = listener.getsockname()[1]
    with socket.create_connection(("127.0.0.1", port)) as client:
        own = client.getsockname()[1]
        assert prefork.holders([os.getpid(), 2**22 + 1], own) == [os.getpid()]
    assert prefork.holders([os.getpid()], own) == []


def test_a_thread_has_no_child_to_kill(world):
    supervisor = world.supervise(lambda stop: stop.wait())
    supervisor.start()
    with pytest.raises(UsageError, match="for processes that fork"):
        supervisor.crash_child("worker-1#1", 1)


def test_a_system_that_does_not_tell(monkeypatch, tmp_path):
    monkeypatch.setattr(prefork, "_TABLES", (tmp_path / "tcp",))
    with pytest.raises(UsageError, match="leave scope= out"):
        prefork.holders([os.getpid()], 1)
