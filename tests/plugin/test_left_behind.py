"""Whatever ends pytest: no process, no port and no directory of ours is left."""

import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import psutil
import pytest

from pytest_mqchaos.guest import proof

LIMIT = 60.0
TEST = """
import asyncio
import pathlib
import sys
import tempfile

import pytest


async def service(servers):
    await asyncio.Event().wait()


def test_it(kafka_chaos):
    chaos = kafka_chaos
    argv = [sys.executable, "-c", "import time; time.sleep(600)", chaos.bootstrap_servers]
    with chaos.worker(service, chaos.bootstrap_servers), chaos.worker(argv) as worker:
        told = [chaos.host.plane.pid, *worker.pids(), chaos.bootstrap_servers.split(":")[1],
                chaos.host.directory]
        path = pathlib.Path("told")
        path.with_suffix(".part").write_text("\\n".join(map(str, told)))
        path.with_suffix(".part").rename(path)
        chaos.wait_for(lambda: False, timeout=600, what="the end")
"""


def eventually(condition, what):
    pause = threading.Event()
    until = time.monotonic() + LIMIT
    while not condition():
        assert time.monotonic() < until, f"waited {LIMIT} s in vain for {what}"
        pause.wait(0.02)


def gone(pid):
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def free(port):
    with socket.socket() as sock:
        return sock.connect_ex(("127.0.0.1", port)) != 0


@pytest.fixture
def heeds_ctrl_c():
    """A shell's background job ignores SIGINT, and what we start would inherit that."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.parametrize(
    "signum",
    [
        signal.SIGKILL,
        pytest.param(signal.SIGINT, marks=pytest.mark.wide),  # test_ctrl_c asks for it, too
        pytest.param(signal.SIGTERM, marks=pytest.mark.wide),
    ],
)
@pytest.mark.usefixtures("heeds_ctrl_c")
def test_nothing_is_left(pytester, monkeypatch, signum):
    monkeypatch.setenv(proof.ENVIRONMENT, "1")
    temporary = pytester.mkdir("temporary")
    monkeypatch.setenv("TMPDIR", str(temporary))
    pytester.makepyfile(test_it=TEST)
    command = [sys.executable, "-m", "pytest", "-q", "-pno:randomly", "-pno:cacheprovider"]
    running = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True
    )
    told = pytester.path / "told"
    begun = False
    try:
        eventually(lambda: told.exists() or running.poll() is not None, "the test to begin")
        begun = told.exists()
        if begun:
            running.send_signal(signum)
            running.wait(LIMIT)
    finally:
        running.kill()
        output = running.communicate()[0].decode()
    assert begun, f"it ended by itself ({running.returncode}), before its test had begun:\n{output}"
    plane, worker, port, directory = told.read_text().split("\n")
    eventually(lambda: gone(int(plane)), "the data plane to go")
    eventually(lambda: gone(int(worker)), "the worker to go")
    eventually(lambda: free(int(port)), "the port to be free")
    eventually(lambda: not Path(directory).exists(), "the directory to go")
    if signum == signal.SIGINT:
        assert "KeyboardInterrupt" in output
        assert running.returncode == pytest.ExitCode.INTERRUPTED
