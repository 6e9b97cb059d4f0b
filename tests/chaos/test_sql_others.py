"""What databases that are not SQLite are asked for, and what of it is believed."""

import pytest

from pytest_mqchaos.chaos.sql import Query


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
