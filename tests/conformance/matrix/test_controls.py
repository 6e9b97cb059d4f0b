"""A cell that is not as the table says is red: what a client claims is not what is believed."""

from __future__ import annotations

import dataclasses

import pytest

from tests.conformance.matrix import limits, load
from tests.conformance.matrix.cells import BY_NAME, FEATURES, Cell, run
from tests.conformance.matrix.client import Standing

GOOD = BY_NAME["aiokafka"]
FEATURE = {feature.name: feature for feature in FEATURES}
pytestmark = pytest.mark.wide


class Flatterer:
    """An admin client for which every group is well."""

    def __init__(self, servers):
        self._real = GOOD.admin(servers)

    def __getattr__(self, name):
        return getattr(self._real, name)

    def describe(self, group):
        return Standing("stable", self._real.describe(group).members)


async def forgetful(servers, topic, group, effects, ready):
    """Commits every message, and does nothing about one of them."""

    class Most:
        def record(self, one):
            if one != load.LOAD[-1]:
                effects.record(one)

    await GOOD.member(servers, topic, group, Most(), ready)


WRONG = {
    "gzip": dataclasses.replace(GOOD, codec=lambda name: {}),
    "zstd": dataclasses.replace(GOOD, codec=lambda name: GOOD.codec("lz4")),
    "describe groups": dataclasses.replace(GOOD, admin=Flatterer),
    "static membership": dataclasses.replace(GOOD, static=lambda name: {}),
    "leader moved under load": dataclasses.replace(GOOD, member=forgetful),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_client_is_red(kafka_chaos_broker, name):
    with pytest.raises(AssertionError):
        run(kafka_chaos_broker, Cell(FEATURE[name], WRONG[name], kafka_chaos_broker.kind))


@pytest.mark.parametrize("name", ["cooperative-sticky", "newer group protocol (KIP-848)"])
def test_a_limit_is_none_of_our_wishes(kafka_chaos_broker, monkeypatch, name):
    """Without its limit the cell is red: the client cannot do it."""
    cell = Cell(FEATURE[name], GOOD, kafka_chaos_broker.kind)
    monkeypatch.delitem(limits.LIMITS, (name, GOOD.name, cell.broker))
    with pytest.raises((AssertionError, TypeError)):
        run(kafka_chaos_broker, cell)


def test_a_limit_that_is_gone_is_red(kafka_chaos_broker, monkeypatch):
    cell = Cell(FEATURE["header without a value"], GOOD, kafka_chaos_broker.kind)
    monkeypatch.setitem(
        limits.LIMITS, (cell.feature.name, GOOD.name, cell.broker), limits.NO_NULL_HEADERS
    )
    with pytest.raises(pytest.fail.Exception, match="DID NOT RAISE"):
        run(kafka_chaos_broker, cell)


def test_a_client_that_goes_past_the_links_is_red(kafka_chaos_broker):
    """Then there is nothing on record, whatever the log says."""

    def direct(servers):
        (address,) = kafka_chaos_broker.broker.addresses().values()
        return GOOD.admin(f"{address.host}:{address.port}")

    past = dataclasses.replace(GOOD, admin=direct)
    with pytest.raises(AssertionError, match="did not come through a link"):
        run(kafka_chaos_broker, Cell(FEATURE["delete topic"], past, kafka_chaos_broker.kind))
