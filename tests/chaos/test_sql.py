"""When a query is able to show one (id, part, by) twice."""

import contextlib
import sqlite3

import pytest

from pytest_mqchaos.chaos.sql import Query

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
        ("select pay as id, account as key from pairs", True),
        ("select pay as id from pairs", True),
        ("select account as part, pay as id from composite", False),
        ("select pay as id from composite", True),
        ("select pay as id from partly", True),
        ("select pay as id, sum(amount) as value from entries group by pay", False),
        ("select distinct pay as id from entries", False),
        ("select pay as id from nowhere", True),
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
    ],
)
def test_a_row_that_is_told_apart_by_its_id_is_written_over_by_no_other(path, query, keyed):
    assert Query(path, query).keyed() is keyed


def test_another_database_is_taken_as_able(path):
    assert Query(lambda: sqlite3.connect(path), "select pay as id from keyed").countable()
