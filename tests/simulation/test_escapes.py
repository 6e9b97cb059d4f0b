"""Who reaches for the real world from inside a simulation is told so, and where."""

import asyncio
import os
import signal
import socket
import subprocess
import threading

import pytest

from pytest_mqchaos.errors import EscapedSimulation, UsageError
from pytest_mqchaos.simulation.admitted import Admitted
from pytest_mqchaos.simulation.stage import Stage


def simulated(main, **options):
    with Stage(**options) as stage:
        return stage.run(main())


async def connects():
    await asyncio.open_connection("db.example", 5432)


async def connects_by_hand():
    with socket.socket() as sock:
        sock.connect(("127.0.0.1", 1))


async def connects_so_that_it_hears():
    with socket.socket() as sock:
        sock.connect_ex(("127.0.0.1", 1))


async def binds():
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))


async def looks_up():
    socket.getaddrinfo("db.example", 5432)


async def makes_a_connection():
    socket.create_connection(("127.0.0.1", 1))


async def starts_a_thread():
    threading.Thread(target=print, name="mine").start()


async def hands_to_a_thread():
    await asyncio.to_thread(print)


async def runs_in_an_executor():
    await asyncio.get_running_loop().run_in_executor(None, print)


async def starts_a_process():
    subprocess.run(["true"], check=True)  # noqa: ASYNC221 - this is refused


async def starts_a_process_as_asyncio_does():
    await asyncio.create_subprocess_exec("true")


async def starts_a_shell():
    await asyncio.create_subprocess_shell("true")


async def asks_the_system():
    os.system("true")  # noqa: ASYNC221 - this is refused


async def forks():
    os.fork()


async def wants_signals():
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, print)


async def sends_datagrams():
    await asyncio.get_running_loop().create_datagram_endpoint(asyncio.DatagramProtocol)


async def connects_by_a_path():
    await asyncio.open_unix_connection("/tmp/somewhere")


async def serves_on_a_path():
    await asyncio.start_unix_server(print, "/tmp/somewhere")


ESCAPES = {
    connects: r'loop\.create_connection\(db\.example:5432\).*real=\["db\.example:5432"\]',
    connects_by_hand: r'socket\.connect\(127\.0\.0\.1:1\).*real=\["127\.0\.0\.1:1"\]',
    connects_so_that_it_hears: r"socket\.connect_ex\(127\.0\.0\.1:1\)",
    binds: r"socket\.bind\(127\.0\.0\.1:0\)",
    looks_up: r'socket\.getaddrinfo\(\'db\.example\'\).*real=\["db\.example:PORT"\]',
    makes_a_connection: r"socket\.getaddrinfo\('127\.0\.0\.1'\)",
    starts_a_thread: r"threading\.Thread\.start \(of 'mine'\).*asyncio\.to_thread",
    hands_to_a_thread: r'asyncio\.to_thread.*real=\["to_thread"\]',
    runs_in_an_executor: r'run_in_executor.*real=\["to_thread"\]',
    starts_a_process: r"subprocess\.Popen",
    starts_a_process_as_asyncio_does: r"a subprocess \(loop\.subprocess_exec\)",
    starts_a_shell: r"a subprocess \(loop\.subprocess_shell\)",
    asks_the_system: r"os\.system",
    forks: r"os\.fork",
    wants_signals: r"loop\.add_signal_handler\(.*15.*by cancelling",
    sends_datagrams: r"loop\.create_datagram_endpoint",
    connects_by_a_path: r"loop\.create_unix_connection",
    serves_on_a_path: r"loop\.create_unix_server",
}


@pytest.mark.parametrize("escape", ESCAPES, ids=lambda escape: escape.__name__)
def test_an_escape_is_refused_by_name_and_place(escape):
    with pytest.raises(EscapedSimulation, match=ESCAPES[escape]) as caught:
        simulated(escape)
    line = escape.__code__.co_firstlineno
    assert any(f"test_escapes.py:{line + more}" in str(caught.value) for more in (1, 2))


def test_an_escape_that_the_code_swallowed_fails_the_simulation_at_its_end():
    async def main():
        try:
            threading.Thread(target=print).start()
        except Exception:  # noqa: BLE001 - as services do
            return "went on"

    with pytest.raises(EscapedSimulation, match=r"threading\.Thread\.start"):
        simulated(main)


def test_what_came_of_a_swallowed_escape_is_not_told_in_its_place():
    """A framework logs what a handler raised and acks the message: lost, says the verdict."""

    async def main():
        try:
            threading.Thread(target=print).start()
        except Exception:  # noqa: BLE001 - as frameworks do
            raise AssertionError("lossless failed") from None

    with pytest.raises(EscapedSimulation, match=r"threading\.Thread\.start") as caught:
        simulated(main)
    assert str(caught.value.__cause__) == "lossless failed"


def test_what_is_raised_without_an_escape_comes_through():
    async def main():
        raise AssertionError("lossless failed")

    with pytest.raises(AssertionError, match="lossless failed"):
        simulated(main)


def test_after_a_simulation_everything_is_real_again():
    simulated(lambda: asyncio.sleep(1))
    ran = []
    thread = threading.Thread(target=ran.append, args=(1,))
    thread.start()
    thread.join()
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        assert sock.getsockname()[1] > 0
    assert ran == [1]
    assert subprocess.run(["true"], check=False).returncode == 0


def test_tls_is_refused():
    async def main():
        asyncio.get_running_loop().network.listen(print, port=9093)
        await asyncio.open_connection("127.0.0.1", 9093, ssl=True)

    with pytest.raises(UsageError, match=r"TLS to 127\.0\.0\.1:9093 cannot be simulated"):
        simulated(main)


@pytest.mark.parametrize(
    ("real", "match"),
    [
        (["postgres"], r"unknown real I/O 'postgres'.*aiosqlite, to_thread.*localhost:5432"),
        ("localhost:5432", r'give a list of them: real=\["localhost:5432"\]'),
        ([":5432"], "unknown real I/O"),
    ],
)
def test_what_cannot_be_admitted_is_said(real, match):
    with pytest.raises(UsageError, match=match):
        Admitted.read(real)


def test_names_of_loopback_are_one_host():
    admitted = Admitted.read(["LOCALHOST:5432", "[::1]:6379", "db.example:1"])
    assert admitted.address(("127.0.0.1", 5432))
    assert admitted.address(("localhost", 6379, 0, 0))
    assert not admitted.address(("localhost", 5433))
    assert not admitted.address("/a/path")
    assert admitted.host(b"db.example")
    assert not admitted.host("other.example")
