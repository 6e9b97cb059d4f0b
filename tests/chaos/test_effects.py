"""chaos.effects: every source, what was there before, and when a row can have appeared."""

import contextlib
import json
import sqlite3
import time
from types import SimpleNamespace

import pytest

from pytest_mqchaos.chaos.effects import Effects, Row
from pytest_mqchaos.chaos.judging import _posthumous
from pytest_mqchaos.errors import PeerError, UsageError
from pytest_mqchaos.history.rows import ProcessEvent
from pytest_mqchaos.workloads.incarnation import running_as


@pytest.fixture
def now():
    """Of this test: an instant of long ago is refused."""
    return time.monotonic_ns()


@pytest.fixture
def effects(tmp_path):
    return Effects(tmp_path / "lines", lambda name: pytest.fail(f"no output {name} is asked for"))


def ids(effects):
    return [row.id for row in effects.rows()]


def test_nothing_declared_is_not_the_same_as_nothing_done(effects):
    assert effects.rows() is None
    effects.from_call(list)
    assert effects.rows() == ()


def test_record_keeps_every_word_and_who_did_it(effects):
    token = running_as.set("worker-1#2")
    effects.record("1", part="debit", by="ledger", key="alice", value=-3)
    running_as.reset(token)
    effects.record(ids=["2", 3])
    effects.look()
    first, second, third = effects.rows()
    assert first[3:9] == ("1", "debit", "ledger", "alice", -3, "worker-1#2")
    assert [second.id, third.id] == ["2", "3"]
    assert second.t_from == second.t_to == third.t_from
    assert third.owner is None
    assert [row.order for row in effects.rows()] == [0, 1, 2]


@pytest.mark.parametrize("words", [{}, {"id": "1", "ids": ["2"]}])
def test_record_takes_one_id_or_several(effects, words):
    with pytest.raises(UsageError, match=r"takes an id, or ids="):
        effects.record(**words)


def test_a_file_of_lines_in_any_language(effects, now, tmp_path):
    lines = [
        {"id": 1, "key": "a", "t": now + 5},
        {"ids": ["2", "3"], "t": now + 6},
        {"id": "2", "attempt": True, "t": now + 4, "owner": "w"},
    ]
    (tmp_path / "lines").write_text("".join(f"{json.dumps(line)}\n" for line in lines))
    effects.look()
    assert ids(effects) == ["1", "2", "3"]
    assert [row.t_from for row in effects.rows()] == [now + 5, now + 6, now + 6]
    assert [(one.t, one.id, one.owner) for one in effects.handled()] == [(now + 4, "2", "w")]


def test_a_file_of_the_users_own(effects, now, tmp_path):
    own = tmp_path / "own.jsonl"
    own.write_text('{"id": "old", "t": 1}\n')
    effects.from_file(own)
    with own.open("a") as file:
        file.write(f'{{"id": "new", "t": {now + 2}}}\n')
    effects.look()
    assert ids(effects) == ["new"]
    assert effects.before == {"old"}


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ({"id": "1", "vlaue": 3}, ["unknown effect column in mine 'vlaue'", "'value'"]),
        ({"key": "1"}, ["an effect in mine has no id", "select it `as id`"]),
    ],
)
def test_a_row_that_is_no_effect_says_where_and_what(effects, row, words):
    def mine():
        return [row]

    mine.__qualname__ = "mine"
    with pytest.raises(UsageError) as raised:
        effects.from_call(mine)
    for word in words:
        assert word in str(raised.value)


def test_a_line_that_is_no_effect_is_the_services_error(effects, tmp_path):
    (tmp_path / "lines").write_text('{"id": "1", "vlaue": 3}\n')
    with pytest.raises(PeerError, match="line 1: unknown column 'vlaue'"):
        effects.look()


def test_attempts_are_told_in_order_of_time(effects):
    effects.attempt("1")
    effects.attempt(2)
    assert [one.id for one in effects.handled()] == ["1", "2"]


def test_a_look_narrows_when_a_row_appeared():
    clock = iter(range(0, 1000, 100))  # at 0 for what is recorded in process
    effects = Effects(None, output=None, clock=lambda: next(clock))
    rows = [{"id": "before"}]
    effects.from_call(lambda: rows)  # last look without it: 100
    assert not any(watch.look() for watch in effects._watches[1:])  # 200 asked, 300 seen
    rows += [{"id": "a"}, {"id": "before"}]
    assert effects._watches[1].look()  # 400 asked, 500 seen
    found = effects.rows()
    assert [(row.id, row.t_from, row.t_to) for row in found] == [
        ("a", 200, 500),
        ("before", 200, 500),
    ]


def test_a_row_that_was_there_before_counts_again_when_it_is_there_twice(effects):
    rows = [{"id": "1"}]
    effects.from_call(lambda: rows)
    assert not effects.look()
    rows.append({"id": "1"})
    assert effects.look()
    assert ids(effects) == ["1"]
    assert not effects.look()


def test_a_row_with_its_own_instant_has_no_interval(effects, now):
    rows = []
    effects.from_call(lambda: rows)
    rows.append({"id": "1", "t": now + 17})
    effects.look()
    (row,) = effects.rows()
    assert (row.t_from, row.t_to) == (now + 17, now + 17)


def test_sources_that_know_their_instants_are_put_in_one_order(effects, now, tmp_path):
    (tmp_path / "lines").write_text(f'{{"id": "first", "t": {now}}}\n')
    effects.record("second")
    effects.look()
    assert ids(effects) == ["first", "second"]
    assert [row.order for row in effects.rows()] == [0, 1]


def test_whether_an_id_can_be_there_twice_is_said_or_found_out(effects, tmp_path):
    database = tmp_path / "db"
    with contextlib.closing(sqlite3.connect(database)) as connection:
        connection.execute("create table keyed (id primary key)")
        connection.execute("create table free (id)")
    effects.from_sql(str(database), "select id from keyed")
    effects.from_sql(str(database), "select id from free")
    effects.from_sql(str(database), "select id from free group by id")
    effects.from_sql(str(database), "select id from keyed", countable=True)
    effects.from_call(list, countable=False)
    with contextlib.closing(sqlite3.connect(database)) as connection:
        connection.execute("insert into keyed values ('a')")
        connection.execute("insert into free values ('a')")
        connection.commit()
    effects.look()
    assert [watch.source.countable for watch in effects._watches[2:]] == [
        False, True, False, True, False,
    ]  # fmt: skip


def test_rows_of_a_database(effects, tmp_path):
    database = tmp_path / "db"
    effects.from_sql(f"sqlite:///{database}", "select id, account as key from ledger order by seq")
    assert effects.rows() == ()  # neither file nor table is there yet
    with contextlib.closing(sqlite3.connect(database)) as connection:
        connection.execute("create table ledger (seq integer primary key, id, account)")
        connection.execute("insert into ledger (id, account) values (7, 'a'), (7, 'a')")
        connection.commit()
    effects.look()
    assert [(row.id, row.key) for row in effects.rows()] == [("7", "a"), ("7", "a")]


def test_an_effect_after_the_death_of_its_worker_is_posthumous(effects):
    for owner, t in (("w#1", 5), ("w#1", 15), ("w#2", 16), (None, 17)):
        effects._recorded.rows.append(Row(id=f"{owner}@{t}", owner=owner, t=t))
    effects.look()
    effects.declared = True
    died = [ProcessEvent(10, "w#1", "crashed", "")]
    found = _posthumous(effects.rows(), died)
    assert [row.id for row in found if row.posthumous] == ["w#1@15"]
    assert _posthumous(None, died) is None


def test_an_output_topic_is_asked_for_by_its_name(tmp_path):
    output = SimpleNamespace(
        timed=False, look=lambda: True, effects=lambda start, order: [], nameless=list
    )
    asked = []
    effects = Effects(tmp_path / "lines", lambda *named: asked.append(named) or output)
    effects.from_topic("out")
    effects.from_topic("more", part="event", by="shop")
    assert asked == [("out", None, None), ("more", "event", "shop")]
    assert effects.look()
    assert effects.rows() == ()


def test_effects_say_in_which_of_several_sources_they_are(effects, tmp_path):
    effects.record("1")
    (tmp_path / "lines").write_text('{"id": "2"}\n')  # by a worker's process: recorded as well
    effects.look()
    assert [row.source for row in effects.rows()] == [None, None]
    seen = False
    for word in ("a", "b"):
        effects.from_call(lambda word=word: [{"id": "3", "value": word}] if seen else [])
    assert [row.source for row in effects.rows()] == [None, None]
    seen = True
    effects.look()
    name = "test_effects_say_in_which_of_several_sources_they_are.<locals>.<lambda>"
    told = ["effects.record", "effects.record", name, f"{name} (2)"]
    assert [row.source for row in effects.rows()] == told
