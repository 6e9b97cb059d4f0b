"""When a later message may write over the row of an earlier one, or remove it."""

import contextlib
import sqlite3

import pytest

from pytest_mqchaos.chaos.effects import Effects
from pytest_mqchaos.chaos.sql import Query
from tests.chaos.test_sql import TABLES


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "ledger.db"
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.executescript(f"begin; {TABLES}; commit;")  # one write, not one each
    return str(path)


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
