"""Failures on disk: whole, each once, found again; and the words that Hypothesis adds to them."""

import json
import subprocess
import sys
from dataclasses import replace

import pytest

from pytest_mqchaos import Plan, UsageError, on
from pytest_mqchaos.search.failure import Failure, apart
from pytest_mqchaos.search.given import Given, checksum, printed
from pytest_mqchaos.search.store import Store

LOST = Plan(on.confirm(nth=2).drop(), seed=7)
GIVEN = Given(of=checksum(checksum), version="6.170.15", blob=b"AEEAQQA=")
WHOLE = Failure(
    nodeid='tests/t.py::test_x[a/b "c" \ud800]', plan=LOST, given=GIVEN, broker="process",
    broker_version="kafka 4.0", nodes=3, versions={"python": "3.11"}, sentence="lost", rate=(9, 10),
)  # fmt: skip


@pytest.fixture
def store(tmp_path):
    return Store(directory=tmp_path / "failures")


def test_what_is_kept_is_found_again(store):
    plain = Failure(nodeid="t.py::test_a", plan=Plan())
    assert store.all() == ()
    store.keep(WHOLE)
    store.keep(plain)
    assert store.all() == (plain, WHOLE)
    assert store.of(WHOLE.nodeid) == (WHOLE,)
    assert store.of("t.py::test") == ()


def test_the_same_failure_is_one_file_and_the_later_word_wins(store):
    first = store.keep(WHOLE)
    assert store.keep(replace(WHOLE, rate=(1, 5), sentence="again")) == first
    assert [one.rate for one in store.all()] == [(1, 5)]


@pytest.mark.parametrize(
    "other",
    [
        {"plan": Plan(on.confirm(nth=3).drop(), seed=7)},
        {"plan": Plan(*LOST.rules, seed=8)},
        {"given": None},
        {"given": replace(GIVEN, blob=b"AEEAQQE=")},
        {"nodeid": "t.py::test_x"},
        {"broker": "embedded"},
    ],
    ids=lambda other: next(iter(other)),
)
def test_another_failure_of_the_same_test_is_another_file(store, other):
    store.keep(WHOLE)
    store.keep(replace(WHOLE, **other))
    assert len(store.all()) == 2


def test_dropping_is_for_one_and_may_come_twice(store):
    other = replace(WHOLE, plan=Plan())
    store.keep(WHOLE)
    store.keep(other)
    store.drop(WHOLE)
    store.drop(WHOLE)
    assert store.all() == (other,)


def test_a_file_of_the_first_format_is_read_and_dropped(store):
    store.directory.mkdir()
    old = store.directory / "0123456789abcdef.json"
    old.write_text(json.dumps({"version": 1, "test": "t.py::t", "plan": LOST.token, "nodes": 3}))
    (failure,) = store.all()
    assert (failure.nodeid, failure.plan, failure.nodes) == ("t.py::t", LOST, 3)
    store.drop(failure)
    assert not old.exists()


def test_one_is_named_by_its_beginning_its_file_or_all(store):
    path = store.keep(WHOLE)
    other = replace(WHOLE, plan=Plan())
    store.keep(other)
    assert store.named(WHOLE.name) == store.named(str(path)) == (WHOLE,)
    assert store.named(WHOLE.name[:8]) == (WHOLE,)
    assert len(store.named("all")) == 2


@pytest.mark.parametrize("name", ["", "zz"])
def test_a_name_that_is_none_says_which_there_are(store, name):
    store.keep(WHOLE)
    with pytest.raises(UsageError, match=f"no stored failure has this name.*{WHOLE.name}"):
        store.named(name)


def test_a_plan_of_a_newer_version_is_told_with_its_file(store):
    path = store.keep(WHOLE)
    path.write_text(path.read_text().replace("mq1.", "mq2."))
    with pytest.raises(UsageError, match=f"{path.name} is no stored failure .*of version 2; this"):
        store.all()


KEEP = """
import sys
from pathlib import Path
from pytest_mqchaos import Plan
from pytest_mqchaos.search.store import Failure, Store

store = Store(directory=Path(sys.argv[1]))
for n in range(int(sys.argv[2]), int(sys.argv[2]) + 15):
    store.keep(Failure(nodeid=f"t.py::t[{n}]", plan=Plan(), sentence="x" * 50_000))
    assert store.all()
"""


def test_two_processes_write_and_read_at_once(store):
    both = [
        subprocess.Popen([sys.executable, "-c", KEEP, store.directory, start])
        for start in ("0", "5")
    ]
    assert [one.wait(60) for one in both] == [0, 0]
    assert len(store.all()) == 20
    assert [path for path in store.directory.iterdir() if path.suffix != ".json"] == []


# ------------------------------------------------------------------------------- tokens, arguments


def test_a_token_holds_plan_and_arguments():
    assert apart(WHOLE.token) == (LOST, GIVEN)
    assert apart(LOST.token) == (LOST, None)
    assert Plan.from_token(WHOLE.token) == LOST  # who wants the plan alone gets it


def test_a_file_holds_them_too(store, tmp_path):
    assert apart(str(store.keep(WHOLE))) == (LOST, GIVEN)
    word = tmp_path / "word"
    word.write_text(f"{WHOLE.token}\n")
    assert apart(str(word)) == (LOST, GIVEN)
    word.write_text(repr(LOST))
    assert apart(str(word)) == (LOST, None)


@pytest.mark.parametrize("more", ["AAAA", "A", "AAAAADYA", "ö", "AAAAADYuMQ"])
def test_broken_arguments_say_what_may_be_done(more):
    with pytest.raises(UsageError, match=r"after the second dot of the token is broken .*copy the"):
        apart(f"{LOST.token}.{more}")


@pytest.mark.parametrize(
    "note",
    [
        "\nYou can reproduce this test case by temporarily adding {} as a decorator",
        "\nYou can reproduce this example by temporarily adding {} as a decorator on a test",
    ],
)
def test_what_hypothesis_prints_is_found(note):
    note = note.format("@reproduce_failure('6.170.15', b'AEEAQQA=')")
    assert printed(["Falsifying example: f(x=1)", note], checksum) == GIVEN
    assert printed(["Falsifying example: f(x=1)"], checksum) is None


def test_seen_again_without_a_rate_it_keeps_the_one_it_had(tmp_path):
    store = Store(directory=tmp_path)
    store.keep(replace(WHOLE, rate=(3, 10)))
    store.keep(replace(WHOLE, rate=None, sentence="again"))
    (kept,) = store.all()
    assert (kept.rate, kept.sentence) == ((3, 10), "again")
    store.keep(replace(WHOLE, rate=(1, 10)))
    assert store.all()[0].rate == (1, 10)
