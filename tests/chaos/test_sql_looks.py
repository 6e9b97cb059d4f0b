"""Looks at a database that is locked, or that gives rows in its own way."""

import contextlib
import sqlite3
from pathlib import Path

import pytest

from pytest_mqchaos import simulate
from pytest_mqchaos.chaos.effects import Effects
from pytest_mqchaos.chaos.sql import Query
from pytest_mqchaos.errors import UsageError
from tests.search.planted.clients import reading

QUERY = "select pay as id, account as key, amount as value from ledger order by seq"
UNREAD = "effects.from_sql: the database could not be read: database is locked"


@pytest.fixture
def path(tmp_path):
    path = str(tmp_path / "ledger.db")
    run(path, "create table ledger (seq integer primary key, pay text, account text, amount int)")
    return path


def run(path, script):
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.executescript(script)


@contextlib.contextmanager
def locked(path):
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("begin exclusive")
        connection.execute("insert into ledger (pay, account, amount) values ('c', 'x', 3)")
        yield
        connection.execute("commit")


@pytest.mark.parametrize("by", ["path", "function"])
def test_a_look_at_what_is_locked_shows_what_the_last_one_showed(path, by):
    effects = Effects(None, output=None)
    effects.from_sql(path if by == "path" else lambda: sqlite3.connect(path, timeout=0), QUERY)
    run(path, "insert into ledger (pay, account, amount) values ('a', 'x', 1), ('b', 'x', 2)")
    effects.look()
    with locked(path):
        assert not effects.look()
        rows = effects.rows()
        assert [row.id for row in rows] == ["a", "b"]
        assert {row.keyed for row in rows} == {True}  # cannot be asked
        assert effects.absent() == [UNREAD]
    assert effects.look()
    assert [(row.id, row.order, row.keyed, row.countable) for row in effects.rows()] == [
        ("a", 0, False, True), ("b", 1, False, True), ("c", 2, False, True)
    ]  # fmt: skip
    assert effects.absent() == []


def test_what_stood_there_before_has_to_be_read(path):
    with locked(path), pytest.raises(UsageError, match="database is locked"):
        Effects(None, output=None).from_sql(path, QUERY)


def test_a_column_called_locked_is_no_lock(path):
    with pytest.raises(UsageError, match="no such column: locked"):
        Effects(None, output=None).from_sql(path, "select locked as id from ledger")


@pytest.mark.parametrize(("ends", "told"), [(True, "passed"), (False, "unknown")])
def test_a_service_that_locks_its_database_is_judged_by_the_last_look(path, ends, told):
    kept = []

    async def consume(servers):
        connection = sqlite3.connect(path, isolation_level=None)
        connection.execute("pragma locking_mode = exclusive")
        kept.append(connection)
        try:
            async with reading(servers, "orders") as consumer:
                async for message in consumer:
                    pay = message.value.decode()
                    connection.execute("insert into ledger (pay) values (?)", [pay])
                    await consumer.commit()
        finally:
            if ends:
                connection.close()

    async def scenario(chaos):
        chaos.topic("orders")
        chaos.effects.from_sql(lambda: sqlite3.connect(path, timeout=0), QUERY)
        async with chaos.worker(consume, chaos.bootstrap_servers):
            await chaos.publish_async("orders", ["a", "b", "c"])
            await chaos.settle_async()
        return chaos.check("lossless")

    try:
        verdict = simulate(scenario, id="value")
    finally:
        for connection in kept:
            connection.close()
    assert verdict.status == told, verdict.sentence
    assert (UNREAD in str(verdict)) is (told == "unknown"), verdict.sentence


# ------------------------------------------------------------ how rows are given


def mappings(cursor, row):
    return {column[0]: value for column, value in zip(cursor.description, row, strict=True)}


@pytest.mark.parametrize("factory", [None, mappings, sqlite3.Row])
@pytest.mark.parametrize("text", [str, bytes])
def test_a_connection_may_give_rows_and_text_in_its_own_way(path, factory, text):
    def connect():
        connection = sqlite3.connect(path)
        connection.row_factory, connection.text_factory = factory, text
        return connection

    source = Query(connect, QUERY)
    source.rows()
    run(path, "insert into ledger (pay, account, amount) values ('a', 'x', 1), ('b', 'x', 2)")
    ids = [one["id"] for one in source.rows()]
    assert [one.decode() if text is bytes else one for one in ids] == ["a", "b"]
    assert (source.ordered, source.countable(), source.keyed()) == (True, True, False)


def test_words_may_be_in_capitals(path):
    run(path, "insert into ledger (pay, account, amount) values ('a', 'x', 1)")
    query = "SELECT pay AS ID, account AS KEY, amount AS Value FROM ledger ORDER BY seq"
    assert Query(path, query).rows() == [{"id": "a", "key": "x", "value": 1}]


def test_a_file_may_be_given_as_a_uri(path, tmp_path):
    run(path, "insert into ledger (pay) values ('a')")
    assert len(Query(f"file:{path}?mode=ro", QUERY).rows()) == 1
    assert len(Query(f"file://{path}", QUERY).rows()) == 1
    assert len(Query(Path(path), QUERY).rows()) == 1
    other = tmp_path / "other.db"
    source = Query(f"file:{other}", QUERY)
    assert source.rows() == []
    assert source.absent() == f"effects.from_sql: there is no file {other}"
    assert not other.exists()
    for memory in ("file::memory:?cache=shared", "file:x?mode=memory", "file:"):
        with pytest.raises(UsageError, match="give the path of an SQLite file"):
            Query(memory, QUERY)
