"""SQLite through aiosqlite, a thread of its own: the same rows in the same order each time."""

import asyncio
import contextlib
import sqlite3

import pytest

from pytest_mqchaos.errors import MissingExtra
from pytest_mqchaos.simulation import jobs
from pytest_mqchaos.simulation.stage import Stage
from tests.simulation.staged import simulated

aiosqlite = pytest.importorskip("aiosqlite")


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


def test_a_ledger_in_sqlite_is_kept_in_the_same_order_each_time(tmp_path, monkeypatch):
    monkeypatch.setattr(jobs, "PATIENCE", 20.0)  # a thread may have no turn for a while
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
