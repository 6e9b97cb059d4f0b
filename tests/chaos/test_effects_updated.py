"""A row that is written over in place is one effect with another value, not a second effect."""

import sqlite3
from contextlib import closing

import pytest

from pytest_mqchaos.chaos.effects import Effects


@pytest.fixture
def effects(tmp_path):
    return Effects(tmp_path / "lines", output=None)


def test_an_upsert_that_a_look_falls_into_is_no_repeat(effects):
    rows = [{"id": "a", "value": 1}]
    effects.from_call(list)
    effects.from_call(lambda: list(rows))
    rows.append({"id": "b", "value": 2})
    assert effects.look()
    rows[1] = {"id": "b", "value": 3}
    effects.look()
    (found,) = effects.rows()
    assert (found.id, found.value) == ("b", 3)


def test_a_source_that_writes_over_cannot_be_counted(effects):
    rows = []
    effects.from_call(lambda: list(rows))
    rows.append({"id": "a", "value": 1})
    effects.look()
    assert effects.rows()[0].countable
    rows[0] = {"id": "a", "value": 2}
    effects.look()
    assert not effects.rows()[0].countable


def test_two_rows_of_one_id_are_two_effects(effects):
    rows = []
    effects.from_call(lambda: list(rows))
    rows.append({"id": "a", "value": 1})
    effects.look()
    rows.append({"id": "a", "value": 2})
    effects.look()
    assert [found.value for found in effects.rows()] == [1, 2]
    assert all(found.countable for found in effects.rows())


def test_a_table_that_comes_later_tells_whether_it_can_be_counted(effects, tmp_path):
    path = tmp_path / "ledger.db"
    effects.from_sql(str(path), "select payment as id, amount as value from ledger")
    effects.look()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("create table ledger (payment text primary key, amount int)")
        connection.execute("insert into ledger values ('a', 1)")
        connection.commit()
    effects.look()
    (found,) = effects.rows()
    assert not found.countable


def test_sources_without_instants_have_no_common_order(effects):
    first, second = [], []
    effects.from_call(lambda: list(first))
    effects.from_call(lambda: list(second))
    first.append({"id": "a"})
    second.append({"id": "b"})
    effects.look()
    assert [found.order for found in effects.rows()] == [None, None]


def orders(effects):
    effects.look()
    return [(found.order, found.id) for found in effects.rows()]


def test_one_source_keeps_its_own_order_if_it_is_said_to_have_one(effects):
    rows = []
    effects.from_call(lambda: list(rows), ordered=True)
    rows += [{"id": "b"}, {"id": "a"}]
    assert orders(effects) == [(0, "b"), (1, "a")]
    rows += [{"id": "c"}]
    rows[0] = {"id": "b", "value": "sent"}
    assert orders(effects) == [(0, "b"), (1, "a"), (2, "c")]
    del rows[1]
    assert orders(effects) == [(0, "b"), (1, "a"), (2, "c")]


def test_a_list_of_which_nobody_says_so_has_none(effects):
    rows = []
    effects.from_call(lambda: list(rows))
    rows += [{"id": "b"}, {"id": "a"}]
    assert orders(effects) == [(None, "b"), (None, "a")]


@pytest.mark.parametrize("now", ["ba", "cab", "acb"])
def test_rows_that_change_places_or_come_between_others_have_no_order(effects, now):
    rows = [{"id": "a"}, {"id": "b"}]
    shown = []
    effects.from_call(lambda: list(shown), ordered=True)
    shown += rows
    assert orders(effects) == [(0, "a"), (1, "b")]
    shown[:] = [{"id": one} for one in now]
    assert {order for order, _ in orders(effects)} == {None}
    shown[:] = [{"id": one} for one in "abc"]
    assert {order for order, _ in orders(effects)} == {None}  # it was seen to


def test_a_row_that_is_there_no_more_is_gone_until_it_is_back(effects):
    rows = []
    effects.from_call(list)
    effects.from_call(lambda: list(rows))
    rows += [{"id": "c"}, {"id": "d"}]
    effects.look()
    assert [found.gone for found in effects.rows()] == [False, False]
    undone = rows.pop(0)
    assert effects.look()  # which is a change, as a new one is
    assert [(found.id, found.gone) for found in effects.rows()] == [("c", True), ("d", False)]
    (went, stays) = effects.rows()
    assert went.t_from <= went.gone_from <= went.t_to <= went.gone_to
    assert (stays.gone_from, stays.gone_to) == (0, 0)
    assert not effects.look()
    assert effects.rows()[0] == went  # later looks say nothing of when it went
    rows.append(undone)
    assert effects.look()
    assert not any(found.gone for found in effects.rows())
