"""How a broker is found by name."""

import sys

import pytest

from pytest_mqchaos.brokers import providers
from pytest_mqchaos.brokers.base import (
    Broker,
    Healable,
    Killable,
    LeaderMovable,
    Mortal,
    Partitionable,
    Pausable,
    Placed,
    PowerLosable,
    ReplicationHoldable,
    Restartable,
)
from pytest_mqchaos.errors import UsageError


def test_an_unknown_kind_is_told_with_the_nearest():
    with pytest.raises(UsageError, match=r"unknown kafka broker kind 'proces'.*'process'"):
        providers.provide("kafka", "proces")


def test_an_unknown_protocol_is_told():
    with pytest.raises(UsageError, match=r"unknown protocol 'kafak'.*'kafka'"):
        providers.provide("kafak", "process")


def test_the_process_broker_has_all_abilities():
    broker = providers.provide("kafka", "process")
    for ability in (Broker, Killable, Pausable, Restartable, Healable, LeaderMovable, Placed,
                    ReplicationHoldable):  # fmt: skip
        assert isinstance(broker, ability)
    assert broker.addresses() == {}
    broker.stop()


def test_the_process_broker_does_not_claim_what_it_cannot_do():
    """A rule that needs it is refused, instead of passing without harm."""
    broker = providers.provide("kafka", "process", nodes=3)
    assert not isinstance(broker, PowerLosable)
    assert not isinstance(broker, Partitionable)


def test_the_embedded_broker_can_do_all_but_die_by_itself(plane):
    broker = providers.provide("kafka", "embedded", plane=plane)
    for ability in (Broker, Killable, LeaderMovable, Partitionable, Placed, PowerLosable):
        assert isinstance(broker, ability)
    assert not isinstance(broker, Mortal)
    assert providers.lacking("kafka", "embedded") is None


def test_what_the_process_broker_cannot_do_yet():
    with pytest.raises(UsageError, match="1 to 5 nodes, asked were 9"):
        providers.provide("kafka", "process", nodes=9)
    with pytest.raises(
        UsageError, match="this Kafka has no node 1; it has: none, it is not started"
    ):
        providers.provide("kafka", "process").kill(1)


def test_an_extra_that_is_missing_is_a_reason(monkeypatch):
    for name in [name for name in sys.modules if name.startswith("pytest_mqchaos.brokers.kafka")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "kio.index", None)
    assert 'pip install "pytest-mqchaos[kafka]"' in providers.lacking("kafka", "process")
    with pytest.raises(UsageError, match="unknown kafka broker kind 'wheel'"):
        providers.lacking("kafka", "wheel")


def test_a_third_party_registers_by_name(monkeypatch):
    monkeypatch.setattr(providers, "_PROVIDERS", dict(providers._PROVIDERS))
    providers.register("kafka", "mine", "builtins:dict")
    assert providers.kinds("kafka") == ("embedded", "process", "mine")
    assert providers.provide("kafka", "mine", a=1) == {"a": 1}
