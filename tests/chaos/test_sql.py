"""When a query is able to show one (id, part, by) twice."""

import contextlib
import sqlite3

import pytest

from pytest_mqchaos import on, simulate
from pytest_mqchaos.chaos.sql import Query
from pytest_mqchaos.plan.rules import Plan
from tests.chaos.test_sql_others import Foreign
from tests.search.planted.clients import reading

TABLES = """
    create table entries (seq integer primary key, pay text, account text, amount int);
    create table keyed (pay text primary key, amount int);
    create table pairs (pay text, account text, amount int, unique (pay, account));
    create table composite (pay text, account text, primary key (pay, account));
    create table partly (pay text, gone int);
    create unique index only_some on partly (pay) where gone = 0;
    create table plain (id text primary key);
    create table balances (account text primary key, last text);
    create view latest as select last as id, account as key from balances;
    create view paid as select * from keyed;
    create view booked (payment, number) as select pay, seq from entries;
    create view renamed (number, payment) as select amount, pay from keyed;
    create view summed as select pay, sum(amount) as total from entries group by pay;
    create view firsts as select pay, seq from entries where seq in
        (select min(seq) from entries group by pay);
    create table lower (seq integer primary key, pay text);
    create unique index of_lower on lower (lower(pay));
    create table guarded (seq integer primary key, pay text, account text);
    create trigger twice before insert on guarded when new.pay in (select pay from guarded)
        begin select raise(ignore); end;
    create table by_hash (hash text primary key, pay text);
    create table counted (seq integer primary key autoincrement, pay text, account text);
    create table accounts (account integer primary key, last text, name text);
    create table apart (pay text, account text, primary key (pay)) without rowid;
    create view current as select max(seq) as seq, pay from entries group by pay;
"""


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "ledger.db"
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.executescript(f"begin; {TABLES}; commit;")  # one write, not one each
    return str(path)


@pytest.mark.parametrize(
    ("query", "countable"),
    [
        ("select pay as id, amount as value from entries order by seq", True),
        ("select pay as id, amount as value from keyed", False),
        ("SELECT Pay AS Id FROM keyed", False),
        ("select id from plain", False),
        ("select pay as id, account as part from pairs", False),
        ("select pay as id, account as by from pairs", False),
        ("select pay as id, account as key from pairs", False),
        ("select pay as id from pairs", False),
        ("select account as part, pay as id from composite", False),
        ("select pay as id from composite", False),
        ("select pay as id from partly", False),
        ("select pay as id, sum(amount) as value from entries group by pay", False),
        ("select distinct pay as id from entries", False),
        ("select pay as id, account is distinct from 'a' as value from entries", False),
        ("select id from (select pay id, row_number() over () n from entries) where n = 1", False),
        ("select pay as id from nowhere", False),
        ("select cast(pay as text) as id from keyed", False),
        ("select pay id from keyed", False),
        ("select pay || '/' || account as id from entries", True),
        ("select pay || '/' || seq as id from entries", False),
        ("select rowid as id from entries", False),
        ("select pay as id from lower", False),
        # through views
        ("select pay as id from paid", False),
        ("select p.pay as id from main.paid as p", False),
        ("select payment as id from renamed", False),
        ("select number as id from renamed", False),
        ("select payment as id from booked order by number", True),
        ("select payment as id, number as part from booked", False),
        ("select pay as id from summed", False),
        ("select pay as id from firsts order by seq", False),
        # WITH and subqueries
        ("with x as (select * from keyed) select pay as id from x", False),
        ("with x(a, b) as (select amount, pay from keyed) select b as id from x", False),
        ("with x as (select * from entries) select pay as id from x order by seq", True),
        (
            "with x as (select pay from entries), y as (select pay from x) select pay id from y",
            True,
        ),
        ("select id from (select pay as id from paid)", False),
        ("select id from (select pay as id from entries) -- all of them", True),
        (
            "with recursive x(n) as (select 1 union all select n + 1 from x) select n as id from x",
            False,
        ),
        ("select (select pay from keyed) as id from entries", False),
        ("select value as id from json_each('[1]')", False),
        # several tables
        ("select e.pay as id from entries e join keyed k on k.pay = e.account", True),
        ("select e.pay as id from keyed k left join entries as e on k.pay = e.account", False),
        ("select k.pay as id from entries e, keyed k where k.pay = e.account", False),
        ("select pay as id from entries union all select pay from partly", False),
        ("select pay as id from entries union all select pay from keyed", False),
        ("select pay as id from entries union select pay from partly", False),
        ("select * from (select pay as id, account as part from pairs)", False),
        # keys of other columns, triggers, numbers that are told
        ("select pay as id from by_hash", False),
        ("select pay as id from guarded order by seq", False),
        ("select pay as id, seq as value from entries", False),
        ("select pay as id, seq as value from counted", True),
        ("select pay as id, seq as part from counted", False),
        ("select seq as id from counted", False),
        # one row of several is picked
        ("select pay as id from entries e where seq = (select max(seq) from entries f)", False),
        ("select pay as id from entries where account = 'a'", False),
        ("select pay as id from entries limit 9", False),
        ("select pay as id, (select sum(amount) from entries) as value from entries", False),
        ("select pay as id, max(amount) as value from entries", False),
        ("select pay as id, count(*) over () as value from entries", False),
        (
            "select id from (select pay id, lag(pay) over () as b from entries) where b is null",
            False,
        ),
        ("select e.pay as id from entries e left join entries f on f.pay = e.pay", False),
        ("select e.pay as id from entries e join entries f on f.pay = e.pay", False),
        ("select e.pay as id from entries e join current c on c.seq = e.seq", False),
        ("select e.pay as id from entries e join counted c on c.account = e.seq", False),
        ("select e.pay as id from entries e natural join accounts", False),
        ("select e.pay as id from entries e cross join accounts", False),
        ("select e.pay as id from entries e join accounts a on a.account > e.account", False),
        # something is looked up for each
        (
            "select c.pay as id, a.name as key from counted c join accounts a on a.name = c.pay",
            True,
        ),
        (
            "select e.pay as id, name as value from entries e inner join accounts using (account)",
            True,
        ),
        (
            "select c.pay as id from counted c join accounts using(account) join keyed using(pay)",
            True,
        ),
        ("select coalesce(pay, 'x') as id, 'row' as part from entries", True),
        ("select p.* from (select pay as id, account as key from pairs) p", False),
    ],
)
def test_a_source_that_cannot_repeat_is_not_countable(path, query, countable):
    assert Query(path, query).countable() is countable


@pytest.mark.parametrize(("first", "countable"), [("null", True), (7, True), (0, False)])
def test_a_row_of_the_number_0_was_numbered_by_the_service(path, first, countable):
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.executescript(f"insert into entries (seq, pay) values ({first}, 'a')")
    source = Query(path, "select pay as id, account as key from entries order by seq")
    assert source.countable() is countable
    assert source.keyed() is (first != "null")  # the first 7 are missing


# ------------------------------------------------------------ by a function


def test_sqlite_that_a_function_opens_is_asked_like_a_file(path):
    def connect():
        return sqlite3.connect(path)

    assert Query(connect, "select pay as id from keyed").countable() is False
    assert Query(connect, "select pay as id from entries").countable() is True
    assert not Query(connect, "select pay as id, amount as key from keyed").keyed()


# ------------------------------------------------------------ what a test is told

UNCOUNTED = "can show one id twice was not found out (say countable=True or False)"


def verdict(path, source, **words):
    """Of a service that has one row for a payment however often it adds it to a total, or (a table
    without a key) books it again."""

    async def consume(servers):
        async with reading(servers, "orders") as consumer:
            async for message in consumer:
                with contextlib.closing(sqlite3.connect(path)) as database:
                    for table in ("keyed (pay, amount)", "entries (pay, amount)"):
                        row = (message.value.decode(), 100)
                        database.execute(f"insert or ignore into {table} values (?, ?)", row)
                    database.commit()
                await consumer.commit()

    async def scenario(chaos):
        with contextlib.closing(sqlite3.connect(path)) as database:
            database.executescript("delete from keyed; delete from entries")
        chaos.topic("orders")
        source(chaos.effects, **words)
        async with chaos.worker(consume, chaos.bootstrap_servers):
            await chaos.publish_async("orders", ["a", "b"])
            await chaos.settle_async()
        return chaos.check("idempotent")

    found = simulate(scenario, plan=Plan(on.ack(nth=1).crash_worker()), id="value")
    return found.status, [one for one in found.limits if UNCOUNTED in one]


def read(path, table):
    with contextlib.closing(sqlite3.connect(path)) as database:
        return [{"id": pay} for (pay,) in database.execute(f"select pay from {table}")]


class Hidden(Foreign):
    """A database that tells nothing of itself."""

    def __init__(self, path):
        super().__init__({})
        self.own = sqlite3.connect(path)

    def execute(self, query):
        found = self.own.execute(query)
        self.description, self.fetchall = found.description, found.fetchall

    def close(self):
        self.own.close()


@pytest.mark.parametrize(
    ("query", "told"),
    [
        ("select pay as id from keyed", "unknown"),
        ("select pay as id from paid", "unknown"),
        ("with x as (select * from keyed) select pay as id from x", "unknown"),
        ("select id from (select pay as id from keyed)", "unknown"),
        ("select payment as id from booked order by number", "failed"),
        ("with x as (select * from entries) select pay as id from x", "failed"),
    ],
)
@pytest.mark.parametrize("by", ["path", "function"])
def test_work_that_a_key_hides_is_no_pass(path, query, told, by):
    dsn = path if by == "path" else lambda: sqlite3.connect(path)
    found = verdict(path, lambda effects, **words: effects.from_sql(dsn, query, **words))
    assert found == (told, [])


def test_a_pass_says_of_which_source_nobody_knows(path):
    def query(effects, **words):
        effects.from_sql(lambda: Hidden(path), "select pay as id from keyed", **words)

    def function(effects, **words):
        effects.from_call(lambda: read(path, "keyed"), **words)

    name = f"{function.__qualname__}.<locals>.<lambda>"
    assert verdict(path, query) == (
        "passed", [f"whether query 'select pay as id from keyed' {UNCOUNTED}"]
    )  # fmt: skip
    assert verdict(path, function) == ("passed", [f"whether {name} {UNCOUNTED}"])
    for source in (query, function):
        assert verdict(path, source, countable=True) == ("passed", [])
        assert verdict(path, source, countable=False) == ("unknown", [])


def test_a_repeat_that_is_seen_is_one_wherever_it_is_seen(path):
    def journal(effects, **words):
        effects.from_call(lambda: read(path, "entries"), **words)

    assert verdict(path, journal)[0] == verdict(path, journal, countable=True)[0] == "failed"
