"""When a query is able to show one (id, part, by) twice."""

import contextlib
import sqlite3

import pytest

from pytest_mqchaos import on, simulate
from pytest_mqchaos.chaos.effects import Effects
from pytest_mqchaos.chaos.sql import Query
from pytest_mqchaos.plan.rules import Plan
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
        connection.executescript(TABLES)
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
            "select e.pay as id, a.name as key from entries e join accounts a on a.account = e.account",
            True,
        ),
        (
            "select e.pay as id, name as value from entries e inner join accounts a using (account)",
            True,
        ),
        (
            "select e.pay as id from counted e join accounts a on a.account = e.account "
            "join keyed k on k.pay = e.pay",
            True,
        ),
        ("select coalesce(pay, 'x') as id, 'row' as part from entries", True),
        ("select p.* from (select pay as id, account as key from pairs) p", False),
    ],
)
def test_a_source_that_cannot_repeat_is_not_countable(path, query, countable):
    assert Query(path, query).countable() is countable


@pytest.mark.parametrize(
    ("query", "keyed"),
    [
        ("select last as id, account as key from balances", True),
        ("select id, key from latest", True),
        ("select id, key from nowhere", True),
        ("select max(pay) as id, account as key from entries group by account", True),
        ("select pay as id, account as key from entries order by seq", False),
        ("select pay as id, amount as key from keyed", False),
        ("select pay as id, account as key from pairs", False),
        ("select pay as id, gone as key from partly", False),
        ("select payment as id from booked", False),
        ("with x as (select * from entries) select pay as id, account as key from x", False),
        # not said to be alone: a number, a part of a key, some rows, what is made of something
        ("select last as id, account as key from accounts", True),
        ("select last as id, 'k' || account as key from accounts", True),
        ("select last as id from accounts", False),
        ("select account as id, last as key from accounts", True),
        ("select account as id from pairs", False),
        ("select pay as id, hash as key from by_hash", True),
        ("select pay as id from guarded", True),
        ("select pay as id from apart", True),
        ("select pay as id, account as key from entries where amount = 1", True),
        ("select pay as id, account as key from entries limit 4", True),
        ("select e.pay as id from entries e join accounts a on a.account = e.account", True),
        ("select account || ':' || pay as id, account as key from entries", True),
        ("select pay as id, account as key from entries e where not exists (select 1 from keyed)",
         True),
        ("select id from plain union all select pay from entries", True),
    ],
)  # fmt: skip
def test_a_row_that_is_told_apart_by_its_id_is_written_over_by_no_other(path, query, keyed):
    assert Query(path, query).keyed() is keyed


@pytest.mark.parametrize(
    ("table", "before", "during", "keyed"),
    [
        ("entries", "", "", False),
        ("entries", "", "delete from entries where seq = 2", True),
        ("entries", "", "delete from entries where seq = 1", True),
        ("entries", "", "delete from entries where seq = 3; ", False),  # leaves no trace
        ("counted", "", "delete from counted where seq = 3", True),
        ("counted", "", "delete from counted", True),
        # what stood there before the test is not this test's
        ("entries", "delete from entries where seq < 3", "", False),
        ("entries", "delete from entries", "", False),
        ("counted", "delete from counted", "", False),
        ("counted", "delete from counted where seq < 3", "delete from counted where seq = 3",
         False),
        ("counted", "delete from counted where seq < 3", "delete from counted where seq = 4", True),
    ],
)  # fmt: skip
def test_a_number_that_is_missing_tells_of_a_row_that_was_removed(
    path, table, before, during, keyed
):
    def run(script):
        with contextlib.closing(sqlite3.connect(path)) as connection:
            connection.executescript(script)

    rows = f"insert into {table} (pay) values ('a'), ('b'), ('c');"
    if before:
        run(rows + before)
    source = Query(path, f"select pay as id from {table}")
    source.rows()
    run(rows + during)
    source.rows()
    assert source.keyed() is keyed


def test_whether_rows_are_missing_is_asked_at_each_look(path):
    effects = Effects(None, output=None)
    effects.from_sql(path, "select pay as id, account as key from entries")

    def told(script):
        with contextlib.closing(sqlite3.connect(path)) as connection:
            connection.executescript(script)
        effects.look()
        return {row.keyed for row in effects.rows()}, effects.tables

    assert told("insert into entries (pay) values ('a'), ('b')") == ({False}, False)
    assert told("delete from entries where pay = 'a'") == ({True}, True)


# ------------------------------------------------------------ by a function


def test_sqlite_that_a_function_opens_is_asked_like_a_file(path):
    def connect():
        return sqlite3.connect(path)

    assert Query(connect, "select pay as id from keyed").countable() is False
    assert Query(connect, "select pay as id from entries").countable() is True
    assert not Query(connect, "select pay as id, amount as key from keyed").keyed()


class Foreign:
    """A connection of a database that is not SQLite, as far as can be seen. `knows`: words of a
    statement -> its rows, otherwise an error."""

    def __init__(self, knows):
        self.knows = knows
        self.asked = []
        self.closed = False

    def cursor(self):
        assert not self.closed
        return self

    def execute(self, query):
        assert not any(rows is None for rows in self.asked), "a statement after one that failed"
        self.asked.append(next((r for words, r in self.knows.items() if words in query), None))
        if self.asked[-1] is None:
            raise LookupError(query)

    def fetchall(self):
        return self.asked[-1]

    def close(self):
        self.closed = True


POSTGRES = {
    "c.oid = 0": [],
    "to_regclass('ledger')": [(7, "r", None, False)],
    "to_regclass('shop.paid')": [(8, "v", " SELECT ledger.pay AS id\n   FROM ledger;", False)],
    "to_regclass": [],
    "pg_catalog.pg_attribute\n": [("seq", True), ("pay", False), ("account", False)],
}
BY_SEQ = {"pg_index i": [(1, "seq")]}
BY_PAY = {"pg_index i": [(1, "seq"), (2, "pay"), (2, None)]}
STANDARD = {"information_schema.columns": [("SEQ",), ("PAY",), ("ACCOUNT",)]}


@pytest.mark.parametrize(
    ("knows", "query", "countable"),
    [
        (POSTGRES | BY_SEQ, "select pay::text as id from ledger order by seq", True),
        (POSTGRES | BY_PAY, "select pay as id from ledger order by seq", False),
        (POSTGRES | BY_PAY, "select id from shop.paid", False),
        (POSTGRES | {"pg_index i": [(1, "account")]}, "select pay as id from ledger", False),
        (POSTGRES | {"pg_index i": [(1, None)]}, "select pay as id from ledger", False),
        (POSTGRES | {"pg_index i": [(1, "seq"), (1, "account")]}, "select pay as id from ledger",
         False),
        (POSTGRES | BY_SEQ, "select seq as id from ledger", False),
        (POSTGRES | BY_SEQ, "select pay as id, seq as value from ledger", True),
        (POSTGRES | BY_SEQ, "select pay as id from ledger where account = 'a'", False),
        (POSTGRES | BY_SEQ | {"to_regclass('ledger')": [(7, "r", None, True)]},
         "select pay as id from ledger", False),
        (POSTGRES | BY_SEQ, "select id from shop.paid", True),
        (POSTGRES | BY_SEQ, "select id from elsewhere", None),
        # not each tells of all its unique indexes there: what it does not tell of is not known
        (STANDARD | {"key_column": [("s.u", "PAY")]}, "select pay as id from s.ledger", False),
        (STANDARD | {"key_column": [("s.p", "SEQ")]}, "select pay as id from ledger", None),
        (STANDARD | {"key_column": [("s.p", "PAY"), ("s.p", "ACCOUNT")]},
         "select pay as id from ledger", False),
        (STANDARD | {"key_column": [("s.p", "SEQ")]},
         "select pay as id, row_number() over () as value from ledger", False),
        (STANDARD | {"key_column": []}, "select pay as id from ledger", None),
        ({"information_schema.columns": [], "key_column": []}, "select id from v", None),
        ({}, "select pay as id from ledger", None),
        ({}, "select pay as id from ledger group by pay", False),
        ({}, "select pay as id from ledger where account = 'a'", False),
        ({}, "select id from (select pay as id, max(seq) as n from ledger)", False),
        ({}, "select id from (select pay as id, seq as n from ledger)", None),
        ({}, "with x as (select * from ledger limit 9) select pay as id from x", False),
    ],
)  # fmt: skip
def test_another_database_is_asked_for_its_keys(knows, query, countable):
    opened = []

    def connect():
        opened.append(Foreign(knows))
        return opened[-1]

    assert Query(connect, query).countable() is countable
    assert all(connection.closed for connection in opened)
    assert Query(connect, query).keyed()


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
