"""Real sockets that were admitted: virtual time stands still for them, answers come in order."""

import asyncio
import contextlib
import os
import socket
import threading
import time

import pytest

from pytest_mqchaos.errors import SimulationStuck
from pytest_mqchaos.simulation import crowd, real_io
from tests.simulation.staged import simulated


@contextlib.contextmanager
def serving(answer):
    """A real server in a thread: `answer(line, send)` for each line of each client."""

    def serve(sock):
        with sock, sock.makefile("rb") as lines:
            for line in lines:
                answer(line.strip(), sock.sendall)

    def accept():
        with contextlib.suppress(OSError):
            while True:
                threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=accept, daemon=True)
        thread.start()
        try:
            yield listener.getsockname()[1]
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            thread.join()


def slowly(line, send, rest=0.005):
    time.sleep(0.03)
    send(b"to " + line)
    time.sleep(rest)
    send(b"\n")


def test_time_stands_still_while_a_database_answers(monkeypatch):
    # On a machine with too much to do the server may get no turn between two parts.
    monkeypatch.setattr(real_io, "GRACE", 1.0)
    still_while_it_answers(slowly)


@pytest.mark.parametrize("wanted", [1000, os.cpu_count()])
def test_so_it_does_longer_on_a_machine_with_too_much_to_do(monkeypatch, wanted):
    monkeypatch.setattr(crowd, "runnable", lambda: wanted)
    grace = real_io.GRACE * (1 if wanted != 1000 else crowd.CROWDED)
    assert real_io.grace() == pytest.approx(grace)


def test_who_answers_may_have_no_turn_for_longer_than_on_an_idle_machine(monkeypatch):
    monkeypatch.setattr(crowd, "runnable", lambda: 1e6)
    monkeypatch.setattr(crowd, "CROWDED", 100.0)
    still_while_it_answers(lambda line, send: slowly(line, send, rest=2 * real_io.GRACE))


def test_how_many_want_to_run_is_what_the_machine_says():
    assert 0 <= crowd.runnable() < 1e6


def still_while_it_answers(answer):
    async def main():
        loop = asyncio.get_running_loop()
        reader, writer = await asyncio.open_connection("localhost", port)
        before = loop.time()
        for number in range(3):
            async with asyncio.timeout(0.01):
                writer.write(b"%d\n" % number)
                assert await reader.readline() == b"to %d\n" % number
        assert loop.time() - before < 0.001
        await asyncio.sleep(3600)  # it has answered: nothing holds time any more
        writer.close()
        await writer.wait_closed()

    with serving(answer) as port:
        simulated(main, f"localhost:{port}")


def test_the_connection_asked_first_is_heard_first():
    heard = []

    def answer(line, send):
        time.sleep(0.05 if line == b"first" else 0)
        send(line + b"\n")

    async def main():
        async def ask(name):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            await asyncio.sleep(1 if name == "first" else 1.0000005)
            writer.write(name.encode() + b"\n")
            heard.append((await reader.readline()).strip())
            writer.close()

        await asyncio.gather(ask("first"), ask("second"))

    with serving(answer) as port:
        simulated(main, f"127.0.0.1:{port}")
    assert heard == [b"first", b"second"]


def test_an_answer_that_says_it_is_whole_needs_no_grace(monkeypatch):
    monkeypatch.setattr(real_io, "GRACE", 1e6)

    async def main():
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"query\n")
        assert await reader.readexactly(10) == b"rowsZ\0\0\0\5I"
        await asyncio.sleep(3600)
        writer.close()

    with serving(lambda _, send: send(b"rowsZ\0\0\0\5I")) as port:
        simulated(main, f"127.0.0.1:{port}")


def test_a_database_that_never_answers_is_named(monkeypatch):
    monkeypatch.setattr(real_io, "LIMIT", 0.05)

    async def main():
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"query\n")
        try:
            await reader.read(1)
        finally:
            writer.close()

    with (
        serving(lambda *_: None) as port,
        pytest.raises(SimulationStuck, match=rf"an answer from \('127\.0\.0\.1', {port}\)"),
    ):
        simulated(main, f"127.0.0.1:{port}")


def test_a_blocking_client_of_an_admitted_database_works():
    async def main():
        with socket.create_connection(("localhost", port)) as sock:
            sock.sendall(b"hello\n")
            return sock.recv(100)

    with serving(lambda line, send: send(line)) as port:
        assert simulated(main, f"localhost:{port}") == b"hello"
