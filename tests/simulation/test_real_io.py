"""Real I/O that was admitted: virtual time stands still for it, and its answers come in order."""

import asyncio
import concurrent.futures
import contextlib
import socket
import sqlite3
import threading
import time

import pytest

from pytest_mqchaos.errors import MissingExtra, SimulationStuck
from pytest_mqchaos.simulation import jobs, real_io
from pytest_mqchaos.simulation.stage import Stage

aiosqlite = pytest.importorskip("aiosqlite")


def simulated(main, *real):
    with Stage(real=real) as stage:
        return stage.run(main())


# ---------------------------------------------------------------------------------------- to_thread


def test_time_stands_still_while_a_thread_works():
    release = threading.Event()

    async def main():
        loop = asyncio.get_running_loop()
        other = asyncio.create_task(asyncio.sleep(3600))
        before = loop.time()
        await asyncio.to_thread(lambda: (time.sleep(0.02), release.set()))
        assert release.is_set()
        assert loop.time() - before < 0.01
        assert not other.done()

    simulated(main, "to_thread")


def test_answers_come_in_the_order_of_submission_whatever_the_threads_take():
    order = []

    def work(number):
        time.sleep(0.02 if number == 0 else 0)  # a thread sleeps for real
        return number

    async def main():
        async def ask(number):
            order.append(await asyncio.to_thread(work, number))

        await asyncio.gather(*(ask(number) for number in range(5)))

    simulated(main, "to_thread")
    assert order == [0, 1, 2, 3, 4]


def test_one_works_at_a_time_in_the_order_of_submission():
    started = []

    async def main():
        await asyncio.gather(*(asyncio.to_thread(started.append, number) for number in range(20)))

    simulated(main, "to_thread")
    assert started == list(range(20))


def test_one_that_waits_for_the_next_does_not_hold_it_up(monkeypatch):
    monkeypatch.setattr(jobs, "PATIENCE", 0.01)
    second = threading.Event()

    async def main():
        return await asyncio.gather(
            asyncio.to_thread(second.wait, 20), asyncio.to_thread(second.set)
        )

    assert simulated(main, "to_thread") == [True, None]


def test_what_a_thread_raises_is_raised_where_it_is_awaited():
    async def main():
        with pytest.raises(ZeroDivisionError):
            await asyncio.to_thread(lambda: 1 / 0)
        with pytest.raises(StopAsyncIteration):
            await asyncio.get_running_loop().run_in_executor(None, raises)

    def raises():
        raise StopAsyncIteration

    simulated(main, "to_thread")


def test_an_executor_of_ones_own_does_the_work():
    with concurrent.futures.ThreadPoolExecutor(1, "own") as executor:

        async def main():
            loop = asyncio.get_running_loop()
            return await loop.run_in_executor(executor, lambda: threading.current_thread().name)

        assert simulated(main, "to_thread").startswith("own")


def test_a_time_out_around_a_thread_never_strikes():
    async def main():
        async with asyncio.timeout(1e-6):
            return await asyncio.to_thread(time.sleep, 0.01)

    assert simulated(main, "to_thread") is None


def test_a_cancelled_call_is_still_worked_off_before_time_goes_on():
    worked = []

    async def main():
        task = asyncio.create_task(asyncio.to_thread(worked.append, 1))
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.sleep(5)
        assert task.cancelled()
        assert worked == [1]

    simulated(main, "to_thread")


def test_a_thread_that_never_ends_is_named(monkeypatch):
    monkeypatch.setattr(jobs, "LIMIT", 0.05)
    monkeypatch.setattr(jobs, "PATIENCE", 0.01)
    ends = threading.Event()

    async def main():
        await asyncio.to_thread(ends.wait, 20)

    try:
        with pytest.raises(SimulationStuck, match=r"real seconds were not enough for.*Event\.wait"):
            simulated(main, "to_thread")
    finally:
        ends.set()


# ---------------------------------------------------------------------------------------- aiosqlite


async def ledger(path, workers=3, each=4):
    async def work(worker):
        async with aiosqlite.connect(path) as database:
            for number in range(each):
                await database.execute("insert into ledger values (?, ?)", (worker, number))
                await database.commit()
                await asyncio.sleep(0.1)

    async with aiosqlite.connect(path) as database:
        await database.execute("create table ledger (worker, number)")
        await database.commit()
    await asyncio.gather(*(work(worker) for worker in range(workers)))
    async with aiosqlite.connect(path) as database:
        return await database.execute_fetchall("select * from ledger order by rowid")


def test_a_ledger_in_sqlite_is_kept_in_the_same_order_each_time(tmp_path):
    rows = [
        simulated(lambda path=path: ledger(path), "aiosqlite")
        for path in (tmp_path / "one", tmp_path / "two", tmp_path / "three")
    ]
    assert rows[0] == rows[1] == rows[2]
    assert len(rows[0]) == 12
    with contextlib.closing(sqlite3.connect(tmp_path / "one")) as database:
        assert database.execute("select count(*) from ledger").fetchone() == (12,)


def test_an_error_of_sqlite_arrives(tmp_path):
    async def main():
        async with aiosqlite.connect(tmp_path / "db") as database:
            with pytest.raises(sqlite3.OperationalError, match="no such table"):
                await database.execute("select * from nowhere")

    simulated(main, "aiosqlite")


def test_aiosqlite_after_a_simulation_is_as_before(tmp_path):
    simulated(lambda: ledger(tmp_path / "virtual", 1, 1), "aiosqlite")
    assert len(asyncio.run(ledger(tmp_path / "real", 1, 2))) == 2


def test_without_aiosqlite_it_is_said(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "aiosqlite.core", None)
    with pytest.raises(MissingExtra, match="pip install aiosqlite"), Stage(real=["aiosqlite"]):
        pass


# ------------------------------------------------------------------------------------- real sockets


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


def slowly(line, send):
    time.sleep(0.03)
    send(b"to " + line)
    time.sleep(0.005)
    send(b"\n")


def test_time_stands_still_while_a_database_answers():
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

    with serving(slowly) as port:
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
