"""A query that sorts by what its id is made of, under whichever name, says no order."""

import contextlib
import sqlite3

import pytest

from pytest_mqchaos.chaos.sql import Query
from tests.chaos.test_sql_order import LEDGER, ONE_SECOND, Strict, book


@pytest.fixture
def path(tmp_path):
    path = str(tmp_path / "ledger.db")
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.executescript(LEDGER)
    return path


@pytest.mark.parametrize(
    ("query", "ordered"),
    [
        ("select 'p' || seq as id from ledger order by seq", False),
        ("select cast(seq as text) as id from ledger order by seq", False),
        ("select cast(seq as text) as id from ledger order by ledger.rowid", False),
        ("select seq as id from ledger order by rowid", False),
        ("select l.seq as id from ledger l order by l._rowid_", False),
        ("select pay as id from ledger order by oid", True),
        ("select id from (select seq as id, seq as number from ledger) order by number", False),
        ("select id from (select pay as id, seq as number from ledger) order by number", True),
        ("select id from (select pay as id, -seq as number from ledger) order by number", False),
        ("with x as (select seq as a, pay from ledger) select a as id from x order by a", False),
        ("with x(a, b) as (select pay, seq from ledger) select a as id from x order by b", True),
        ("select pay as id, -seq as seq from ledger order by seq", False),
        ("select pay as id, -seq as seq from ledger l order by l.seq", True),
        ("select pay as id, row_number() over (order by pay) as value from ledger order by value",
         False),
        ("select pay as id from ledger where seq in (select seq from ledger) order by seq limit 9",
         True),
        ("select l.pay as id from ledger l left join ledger m on m.seq = l.seq order by l.seq",
         True),
        ("select l.pay as id from ledger l join ledger m on m.seq = l.seq order by m.pay", False),
        ("select * from booked order by number", True),
    ],
)  # fmt: skip
def test_it_is_no_column_that_the_id_is_made_of(path, query, ordered):
    source = Query(path, query)
    source._order.rows(["id"], [])
    book(path, *ONE_SECOND)
    assert source.ordered is ordered


def test_another_database_has_to_be_taken_at_its_word(path):
    for term, ordered in (("seq", True), ("rowid", False), ("oid", False)):
        source = Query(lambda: Strict(path, []), f"select pay as id from ledger order by {term}")
        assert source.ordered is ordered
