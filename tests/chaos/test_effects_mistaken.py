"""Effects that a test's author tells in a way that looks right: other clocks, ids as a client hands
them over, a query without an order, names of what is not there."""

import contextlib
import json
import sqlite3
import time
import uuid
from types import SimpleNamespace

import pytest

from pytest_mqchaos import on, simulate
from pytest_mqchaos.chaos.effects import Effects
from pytest_mqchaos.chaos.sql import Query
from pytest_mqchaos.errors import UsageError
from pytest_mqchaos.plan.rules import Plan
from pytest_mqchaos.workloads.effects_file import misgiven
from tests.search.planted.clients import reading


@pytest.fixture
def effects(tmp_path):
    return Effects(tmp_path / "lines", lambda name: pytest.fail(f"no output {name} is asked for"))


def ids(effects):
    return [row.id for row in effects.rows()]


# ------------------------------------------------------------ instants


@pytest.mark.parametrize(
    "clock",
    [
        time.time_ns, time.time, lambda: time.time() * 1000, time.monotonic,
        lambda: time.monotonic_ns() // 1000, lambda: time.monotonic_ns() + 60 * 10**9,
    ],
)  # fmt: skip
def test_an_instant_of_another_clock_is_refused(effects, tmp_path, clock):
    (tmp_path / "lines").write_text(json.dumps({"id": "a", "t": clock()}) + "\n")
    with pytest.raises(UsageError, match=r"the effect of 'a' in .*lines has t=.*monotonic clock"):
        effects.look()


@pytest.mark.parametrize("t", ["2026-01-01", "5", [1]])
def test_an_instant_is_a_number(effects, t):
    rows = []
    effects.from_call(lambda: rows)
    rows.append({"id": "a", "t": t})
    with pytest.raises(UsageError, match=r"has t=.*monotonic clock in nanoseconds"):
        effects.look()


def test_what_stood_there_before_may_say_what_it_likes(effects, tmp_path):
    own = tmp_path / "own"
    own.write_text('{"id": "old", "t": 1}\n')
    effects.from_file(own)
    assert not effects.look()


# ------------------------------------------------------------ ids


@pytest.mark.parametrize(
    ("given", "id"),
    [
        (b"order-1", "order-1"), (bytearray(b"k"), "k"), (memoryview(b"k"), "k"), (b"\xff", "ff"),
        (7, "7"), (uuid.UUID(int=1), str(uuid.UUID(int=1))),
    ],
)  # fmt: skip
def test_an_id_is_the_text_that_identity_makes_of_it(effects, given, id):
    effects.record(given)
    rows = []
    effects.from_call(lambda: rows)
    rows.append({"id": given})
    effects.attempt(given)
    effects.look()
    assert ids(effects) == [id, id]
    assert [one.id for one in effects.handled()] == [id]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ({}, "one of them"),
        ({"id": "a", "ids": ["b"]}, "one of them"),
        ({"id": ["a", "b"]}, "several are ids="),
        ({"ids": "ab"}, "put it in brackets"),
        ({"ids": b"ab"}, "put it in brackets"),
    ],
)
def test_ids_that_cannot_be_meant_are_refused(effects, words, said):
    with pytest.raises(UsageError, match=said):
        effects.record(**words)
    assert said in misgiven(words.get("id"), words.get("ids"), "record_effect()")
    assert not effects.misused  # it was the test's own code, which has seen the error


# ------------------------------------------------------------ order


@pytest.mark.parametrize(
    ("query", "ordered"),
    [
        ("select pay as id from ledger", False),
        ("select pay as id from ledger order by seq", True),
        ("select pay as id from ledger ORDER BY seq ASC, pay", True),
        ("select pay as id from ledger ORDER BY seq DESC, pay", False),
        ("select pay as id from ledger order by -seq", False),
        ("select pay as id from ledger order by pay", False),
        ("select pay as id from ledger order by id", False),
        ("select id, amount as value from ledger order by id, seq", False),
        ("select l.pay as id from ledger l order by l.pay", False),
        ("select pay as id, seq as value from ledger order by 1", False),
        ("select pay as id, seq as value from ledger order by 2", True),
        ("select id from (select pay as id from ledger order by seq)", False),
        ("select pay || '|' || seq as id from ledger order by seq", False),
        ("select pay as id from ledger order by abs(seq)", False),
        ("select pay as id from ledger order by (seq)", False),
        ("select pay as id from ledger order by lower(pay)", False),
        ("select pay as id from ledger order by partition, offset", True),
        ("select l.pay as id from ledger l order by l.id", True),
        ("select pay as id from ledger where x is not y order by seq limit 9", True),
        ("with l as (select * from ledger order by pay) select pay as id from l", False),
        ("with l as (select * from ledger) select pay as id from l order by seq", True),
        ("select distinct pay as id from ledger order by seq", False),
        ("select distinct pay as id, seq as value from ledger order by seq", False),
        ("select pay as id from ledger union all select id from more order by 1", False),
        ("select 1", False),
    ],
)
def test_rows_of_a_query_have_the_order_that_it_says(query, ordered):
    assert Query("ledger.db", query).ordered is ordered


def test_without_one_the_order_of_a_table_with_a_key_is_that_of_the_key(effects, tmp_path):
    path = tmp_path / "db"
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.execute("create table ledger (pay text primary key, amount)")
        effects.from_sql(str(path), "select pay as id from ledger")
        connection.execute("insert into ledger values ('b', 1), ('a', 2)")
        connection.commit()
    effects.look()
    assert ids(effects) == ["a", "b"]  # as SQLite has it
    assert [row.order for row in effects.rows()] == [None, None]


# ------------------------------------------------------------ what is not there


def test_a_source_that_is_not_there_is_named(effects, tmp_path):
    path = tmp_path / "db"
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.execute("create table ledger (id)")
    effects.from_sql(str(path), "select id from leger")
    effects.from_sql(str(tmp_path / "other.db"), "select id from ledger")
    effects.from_file(tmp_path / "lines-of-mine")
    effects.from_sql(lambda: sqlite3.connect(path), "select id from ledger")
    effects.from_call(list)
    effects.look()
    assert effects.absent() == [
        f"effects.from_sql: no such table: leger in {path}, which has ledger",
        f"effects.from_sql: there is no file {tmp_path / 'other.db'}",
        f"effects.from_file: there is no file {tmp_path / 'lines-of-mine'}",
    ]


def test_it_is_there_once_the_service_has_made_it(effects, tmp_path):
    path, lines = tmp_path / "db", tmp_path / "lines-of-mine"
    sqlite3.connect(path).close()
    effects.from_sql(str(path), "select id from ledger")
    effects.from_file(lines)
    effects.look()
    assert len(effects.absent()) == 2
    lines.write_text("")
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.execute("create table ledger (id)")
    effects.look()
    assert effects.absent() == []


# ------------------------------------------------------------ what a service swallows


def consuming(record):
    async def consume(servers):
        async with reading(servers, "orders") as consumer:
            async for message in consumer:
                with contextlib.suppress(Exception):  # as many a service does
                    record(message)
                await consumer.commit()

    return consume


def test_an_effect_that_was_recorded_wrongly_is_no_loss():
    async def scenario(chaos):
        chaos.topic("orders")
        consume = consuming(lambda message: chaos.effects.record([message.value]))
        async with chaos.worker(consume, chaos.bootstrap_servers):
            await chaos.publish_async("orders", ["a"])
            await chaos.settle_async()
        chaos.assert_lossless()

    with pytest.raises(UsageError, match=r"the code under test recorded wrongly: effects.record"):
        simulate(scenario, id="value")


def test_the_bytes_of_a_message_are_its_id():
    async def scenario(chaos):
        chaos.topic("orders")
        consume = consuming(lambda message: chaos.effects.record(message.key))
        async with chaos.worker(consume, chaos.bootstrap_servers):
            await chaos.publish_async("orders", [{"key": k, "value": "v"} for k in ("a", "b")])
            await chaos.settle_async()
        chaos.accepted(b"a")
        chaos.expect(ignored=b"c")
        chaos.assert_exactly_once()
        return SimpleNamespace(expected=chaos.history.expected.ignored)

    told = simulate(scenario, plan=Plan(on.deliver(nth=1).delay(0.1)), id="key")
    assert told.expected == {"c"}


# ------------------------------------------------------------ other words of an effect


def test_part_by_and_key_are_text_whatever_they_are(effects):
    rows = []
    effects.from_call(lambda: rows)
    effects.record("a", part=0, by=b"mail", key=b"alice", value=7)
    rows.append({"id": "a", "part": 0, "by": b"mail", "key": b"alice", "value": 7})
    effects.look()
    assert [row[4:8] for row in effects.rows()] == [("0", "mail", "alice", 7)] * 2


def test_a_connection_that_is_not_new_is_refused_and_stays_open(effects, tmp_path):
    with contextlib.closing(sqlite3.connect(tmp_path / "db")) as own:
        own.execute("create table ledger (id)")
        with pytest.raises(UsageError, match=r"gave the same connection twice; it must open a new"):
            effects.from_sql(lambda: own, "select id from ledger")
        assert own.execute("select count(*) from ledger").fetchone() == (0,)
    effects.from_sql(lambda: sqlite3.connect(tmp_path / "db"), "select id from ledger")
    assert not effects.look()
