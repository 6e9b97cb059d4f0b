"""In which order rows were made, as far as what a query sorts by can tell."""

import contextlib
import datetime as dt
import sqlite3
from decimal import Decimal

import pytest

from pytest_mqchaos import simulate
from pytest_mqchaos.chaos.effects import Effects
from pytest_mqchaos.chaos.sql import Query
from pytest_mqchaos.chaos.sql_order import Order
from tests.search.planted.clients import reading

LEDGER = """
    create table ledger (seq integer primary key, pay text, account text, at text, no text);
    create view booked as select pay as id, account as key, seq as number, at from ledger;
"""
TIED = "2026-01-01 10:00:00"


@pytest.fixture
def path(tmp_path):
    path = str(tmp_path / "ledger.db")
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.executescript(LEDGER)
    return path


def book(path, *rows):
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.executemany(
            "insert into ledger (pay, account, at, no) values (?, ?, ?, ?)", rows
        )
        connection.commit()


def looked(path, query, *rows):
    """Whether rows that come behind a first look have an order, and their ids."""
    source = Query(path, query)
    source.rows()
    book(path, *rows)
    found = source.rows()
    assert all(set(one) <= {"id", "key", "value"} for one in found)
    return source.ordered, "".join(one["id"] for one in found)


SECONDS = [("b", "x", "10:00:01", "1"), ("a", "y", "10:00:02", "1"), ("c", "x", "10:00:03", "1")]
ONE_SECOND = [("b", "x", TIED, "3"), ("a", "x", TIED, "2"), ("c", "x", TIED, "1")]


@pytest.mark.parametrize(
    ("by", "ties", "apart"),
    [
        ("seq", True, True),
        ("rowid", True, True),
        ("ledger.seq asc nulls first", True, True),
        ("seq /* never negative */, pay", True, True),
        ("abs(seq)", False, False),
        ("0 - seq", False, False),
        ("(-seq)", False, False),
        ("(seq)", False, False),
        ("at", False, True),
        ("at, pay", False, True),
        ("at, id", False, True),
        ("at, seq", True, True),
        ("at, seq desc", False, True),
        ("at, no", False, True),  # in which order a text stands for nobody knows
        ("account, at", False, False),
        ("account, seq", True, False),
        ("seq desc", False, False),
        ("at collate nocase", False, False),
        ("at -- as they came", False, True),
    ],
)
def test_rows_with_equal_terms_have_no_order(path, by, ties, apart):
    query = f"select pay as id, account as key from ledger order by {by}"
    assert looked(path, query, *SECONDS)[0] is apart
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.execute("delete from ledger")
        connection.commit()
    assert looked(path, query, *ONE_SECOND)[0] is ties


@pytest.mark.parametrize(
    ("query", "ordered"),
    [
        ("select pay as id, at as value from ledger order by value", False),
        ("select pay as id, seq as value from ledger order by value", True),
        ("select pay id, seq value from ledger order by 2", True),
        ("select pay as id, at as value from ledger order by 2", False),
        ("select distinct pay as id, at as value from ledger order by at", False),
        ("select distinct pay as id, seq as value from ledger order by seq, at", False),
        ("select pay as id, min(seq) as value from ledger group by pay order by max(at)", False),
        ("select pay as id, sum(seq) as value from ledger group by pay order by min(seq)", False),
        ("with l as (select * from ledger) select pay as id from l order by at", False),
        ("with l as (select * from ledger) select pay as id from l order by seq limit 9", True),
        ("select id, key from booked order by number", True),
        ("select id, key from booked order by at", False),
        ("select pay as id, at as value from ledger union all select 'z', '9' order by value",
         False),
        ("select pay as id, seq as value from ledger union all select 'z', 9 order by 2", False),
    ],
)  # fmt: skip
def test_what_it_sorts_by_may_stand_in_the_rows_or_beside_them(path, query, ordered):
    found, ids = looked(path, query, *ONE_SECOND)
    assert found is ordered
    assert sorted(ids.removesuffix("z")) == ["a", "b", "c"]
    if ordered:
        assert ids.removesuffix("z") == "bac"


def test_rows_that_stood_there_before_make_no_ties(path):
    book(path, *ONE_SECOND)
    assert looked(path, "select pay as id from ledger order by at", *ONE_SECOND)[0]
    assert not looked(
        path, "select pay as id from ledger order by at",
        ("d", "x", TIED, "1"), ("e", "x", TIED, "1"),
    )[0]  # fmt: skip


def test_two_rows_of_one_message_may_stand_either_way(path):
    rows = [("a", "x", TIED, "1"), ("a", "x", TIED, "2"), ("b", "x", "2026-01-02", "1")]
    assert looked(path, "select pay as id from ledger order by at", *rows)[0]


def test_once_tied_it_has_no_order_any_more(path):
    source = Query(path, "select pay as id from ledger order by at")
    source.rows()
    book(path, *ONE_SECOND)
    source.rows()
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.execute("update ledger set at = seq")
        connection.commit()
    source.rows()
    assert not source.ordered


@pytest.mark.parametrize(
    ("one", "other", "told"),
    [
        (("x", 1), ("x", 2), True),
        ((None,), (None,), False),
        (("10",), ("9",), False),
        (("0f8fad5b-d9cb-469f-a165-70867728950e",), ("7c9e6679",), False),
        (("2026-01-01T10:00:00",), ("2026-01-01T10:00:01",), True),
        ((1, Decimal("1.5")), (1, Decimal(2)), True),
        ((1, dt.date(2026, 1, 1)), (1, dt.date(2026, 1, 2)), True),
        ((1, "2026-01-01T10:00:00"), (1, "2026-01-01T10:00:01"), True),
        ((1, "0f8fad5b-d9cb-469f-a165-70867728950e"), (1, "7c9e6679"), False),
        ((1, "x", 1), (1, "y", 2), False),
        ((1, False), (1, True), False),
        ((1, [1]), (1, [2]), False),
    ],
)
def test_a_later_term_breaks_ties_if_it_grows(one, other, told):
    order = Order("select id from t order by " + ", ".join(f"t{n}" for n in range(len(one))))
    names = ["id", *(f"mqchaos_{n}" for n in range(len(one)))]
    order.rows(names, [])
    assert order.rows(names, [["a", *one], ["b", *other]]) == [{"id": "a"}, {"id": "b"}]
    assert order.known is told


# ------------------------------------------------------------ what a database does not take


class Strict:
    """A connection that takes a query only as it is."""

    def __init__(self, path, asked):
        self.own, self.asked = sqlite3.connect(path), asked

    def cursor(self):
        return self

    def execute(self, query):
        self.asked.append(query)
        if "mqchaos" in query:
            raise LookupError(query)
        found = self.own.execute(query)
        self.description, self.fetchall = found.description, found.fetchall

    def close(self):
        self.own.close()


@pytest.mark.parametrize(
    ("query", "ordered"),
    [
        ("select pay as id from ledger order by seq", False),
        ("select pay as id, seq as value from ledger order by seq, no", True),
        ("select pay as id, seq as value from ledger order by value", True),
        ("select pay as id, at as value from ledger order by value, seq", False),
    ],
)
def test_a_query_that_is_taken_only_as_it_is_runs_as_it_is(path, query, ordered):
    asked = []
    source = Query(lambda: Strict(path, asked), query)
    source.rows()
    book(path, *ONE_SECOND)
    assert len(source.rows()) == 3
    assert source.ordered is ordered
    tried = len([one for one in asked if "mqchaos" in one])
    source.rows()
    assert len([one for one in asked if "mqchaos" in one]) == tried  # not again and again


def test_a_table_that_comes_later_is_no_refusal(tmp_path):
    path = str(tmp_path / "ledger.db")
    sqlite3.connect(path).close()
    source = Query(path, "select pay as id from ledger order by seq")
    assert source.rows() == []
    assert "no such table" in source.absent()
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.executescript(LEDGER)
    book(path, *ONE_SECOND)
    assert len(source.rows()) == 3
    assert source.ordered
    assert source.absent() == ""


def test_nor_is_one_that_comes_while_it_is_asked(tmp_path, monkeypatch):
    path = str(tmp_path / "ledger.db")
    sqlite3.connect(path).close()
    source = Query(path, "select pay as id from ledger order by seq")
    fetched = source._fetched

    def late(query):
        try:
            return fetched(query)
        finally:
            monkeypatch.setattr(source, "_fetched", fetched)
            with contextlib.closing(sqlite3.connect(path)) as connection:
                connection.executescript(LEDGER)

    monkeypatch.setattr(source, "_fetched", late)
    assert source.rows() == []
    book(path, *ONE_SECOND)
    assert len(source.rows()) == 3
    assert source.ordered


def test_effects_lose_their_order_when_rows_tie(path, tmp_path):
    effects = Effects(tmp_path / "lines", output=None)
    effects.from_sql(path, "select pay as id from ledger order by at")
    book(path, ("a", "x", TIED, "1"))
    effects.look()
    assert [row.order for row in effects.rows()] == [0]
    book(path, ("b", "x", TIED, "1"))
    effects.look()
    assert [row.order for row in effects.rows()] == [None, None]


# ------------------------------------------------------------ what a test is told


def verdict(path, order, *, backwards):
    """Of a service that books all it is handed at once, or each batch from behind."""

    async def consume(servers):
        async with reading(servers, "orders") as consumer:
            while True:
                batches = await consumer.getmany(timeout_ms=500)
                found = [one.value.decode() for batch in batches.values() for one in batch]
                found = found[::-1] if backwards else found
                book(path, *((pay, "x", TIED, "1") for pay in found))
                await consumer.commit()

    async def scenario(chaos):
        chaos.topic("orders")
        chaos.effects.from_sql(path, f"select pay as id from ledger order by {order}")
        await chaos.publish_async("orders", [{"key": "k", "value": pay} for pay in "cbad"])
        async with chaos.worker(consume, chaos.bootstrap_servers):
            await chaos.settle_async()
        return chaos.check("ordered").status, chaos.check("exactly_once").status

    return simulate(scenario, id="value")


@pytest.mark.parametrize(
    ("order", "backwards", "told"),
    [
        ("seq", False, "passed"),
        ("seq", True, "failed"),
        ("at", False, "unknown"),
        ("at", True, "unknown"),
        ("at, id", False, "unknown"),
        ("at, pay", True, "unknown"),
        ("at, seq", False, "passed"),
        ("at, seq", True, "failed"),
        ("seq desc", False, "unknown"),
    ],
)
def test_a_service_is_judged_by_an_order_that_is_one(path, order, backwards, told):
    assert verdict(path, order, backwards=backwards) == (told, "passed")
