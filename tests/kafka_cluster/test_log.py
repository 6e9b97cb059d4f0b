"""The log alone: offsets, bounds, and what lies above a reader's horizon."""

from __future__ import annotations

import gzip

import pytest

from pytest_mqchaos.kafka_cluster.logs.batches import HEADER, place, read
from pytest_mqchaos.kafka_cluster.logs.log import Log
from pytest_mqchaos.kafka_cluster.logs.timestamps import Stamp, find, stamps
from pytest_mqchaos.wire.kafka.compression import Unreadable
from tests.kafka_cluster.talking import batch


@pytest.fixture
def log():
    log = Log()
    for count in (2, 3, 1):
        log.append(place(read(batch(count)), log.end, 0))
    return log


def test_nothing_at_or_above_the_horizon_is_given(log):
    two, three = len(batch(2)), len(batch(3))
    assert len(log.read(0, up_to=5, limit=10_000, at_least_one=True).data) == two + three
    assert log.read(0, up_to=4, limit=10_000, at_least_one=True).batches == 1
    assert log.read(0, up_to=1, limit=10_000, at_least_one=True) == (b"", 0)
    assert log.readable(0, up_to=5, limit=10_000) == two + three
    assert log.readable(0, up_to=5, limit=1) == two
    assert log.readable(6, up_to=6, limit=10_000) == 0


def test_the_start_never_moves_back(log):
    log.delete_before(3)
    log.delete_before(1)
    assert (log.start, log.end) == (3, 6)
    assert [(one.base, one.last) for one in log.batches()] == [(2, 4), (5, 5)]


def test_a_time_above_the_horizon_or_before_the_start_is_not_found(log):
    assert find(log, 1500, up_to=6) == Stamp(2000, 1)
    assert find(log, 1500, up_to=1) == Stamp(-1, -1)
    log.delete_before(2)
    assert find(log, 0, up_to=6) == Stamp(1000, 2)


def test_a_batch_that_ends_inside_a_record_is_unreadable():
    whole = read(batch(2))
    short = whole._replace(raw=whole.raw[: HEADER + 3])
    with pytest.raises(Unreadable, match="ends inside a record"):
        list(stamps(short))
    packed = whole._replace(attributes=1, raw=whole.raw[:HEADER] + gzip.compress(b""))
    with pytest.raises(Unreadable):
        list(stamps(packed))
