"""The fuzzing targets themselves: a short run of each, and proof that they see what is wrong.

Campaigns with coverage are `make fuzz`; here Hypothesis draws the changes, without atheris.
"""

from __future__ import annotations

import importlib
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fuzz import mutator, tape
from fuzz.targets import NAMES, cluster, engine, records, scanner, spool, token
from pytest_mqchaos.dataplane.lane import Lane
from pytest_mqchaos.history import spool as history
from pytest_mqchaos.kafka_cluster.cluster import Cluster
from pytest_mqchaos.plan.rules import Plan
from pytest_mqchaos.wire.kafka.scanner import KafkaScanner

TARGETS = {name: importlib.import_module(f"fuzz.targets.{name}") for name in NAMES}
SEEDS = {}


def seeds_of(name):
    """A few seeds, found once a process: half of them need real work to be made."""
    if name not in SEEDS:
        SEEDS[name] = TARGETS[name].seeds()[:60]
    return SEEDS[name]


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=40, deadline=None)
@given(number=st.integers(0, 10**6), rounds=st.integers(0, 3), dice=st.integers(0, 2**32))
def test_changed_inputs_break_no_promise(name, number, rounds, dice):
    found = seeds_of(name)
    data = found[number % len(found)]
    for at in range(rounds):
        data = TARGETS[name].mutate(data, 8192, Random(dice + at))
    TARGETS[name].one(data)


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=40, deadline=None)
@given(data=st.binary(max_size=200))
def test_garbage_breaks_no_promise(name, data):
    TARGETS[name].one(data)


@given(data=st.binary(max_size=300))
def test_every_sequence_of_bytes_is_a_tape(data):
    options, entries = tape.read(data)
    again = tape.write(options, entries)
    assert tape.read(again) == (options, entries)


def test_the_mutator_changes_and_repeats_itself():
    seed = scanner.seeds()[0]
    made = [mutator.mutate(seed, 4096, Random(dice)) for dice in range(50)]
    assert made == [mutator.mutate(seed, 4096, Random(dice)) for dice in range(50)]
    assert len(set(made)) > 30
    assert max(map(len, made)) <= 4096


# ---------------------------------------------------------------- they must fail where they should


def fails(target, data):
    with pytest.raises(AssertionError):
        target.one(data)


def test_a_scanner_that_changes_a_byte_is_seen(monkeypatch):
    real = KafkaScanner.scan

    def scan(self, direction, buf, start, end):
        cut = real(self, direction, buf, start, end)
        if cut.forward > start:
            buf[start] ^= 1
        return cut

    monkeypatch.setattr(KafkaScanner, "scan", scan)
    fails(scanner, scanner.seeds()[0])


def test_a_reader_that_gives_another_meaning_is_seen(monkeypatch):
    def wrong(blob, batch):
        yield from ((0, 0, b"k", b"invented", ()),)

    monkeypatch.setattr(records, "fastest_reader", lambda: wrong)
    fails(records, records.seeds()[0])


def test_an_engine_that_makes_bytes_up_is_seen(monkeypatch):
    real = Lane._emit

    def emit(self, out, resume):
        real(self, [*out, b"made up"], resume)

    monkeypatch.setattr(Lane, "_emit", emit)
    quiet = [data for data in engine.seeds() if data[2] == 1]
    fails(engine, quiet[0])


def test_a_handler_that_fails_is_seen(monkeypatch):
    monkeypatch.setattr(Cluster, "take_failures", lambda self: ["Fetch v4: KeyError: 'x'"])
    fails(cluster, cluster.seeds()[0])


def test_a_history_that_is_read_as_something_else_is_seen(monkeypatch):
    real = history.read

    def read(data):
        for entry in real(data):
            yield entry._replace(seq=entry.seq + 1)

    monkeypatch.setattr(spool, "read", read)
    fails(spool, spool.seeds()[0])


def test_a_plan_that_its_token_does_not_make_again_is_seen(monkeypatch):
    real = Plan.from_token
    monkeypatch.setattr(Plan, "from_token", staticmethod(lambda t: Plan(*real(t).rules, seed=9)))
    monkeypatch.setattr(token, "Plan", Plan)
    fails(token, token.seeds()[-1])
