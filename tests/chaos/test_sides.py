"""What a protocol brings: chosen by name, and clear about what is missing."""

import sys
from types import SimpleNamespace

import pytest

from pytest_mqchaos.brokers.kafka_direct import Direct
from pytest_mqchaos.chaos.host import ChaosBroker
from pytest_mqchaos.chaos.judging import _bypassed
from pytest_mqchaos.chaos.kafka import UNKNOWN_MEMBER_ID, KafkaSide
from pytest_mqchaos.chaos.side import Standing, side
from pytest_mqchaos.errors import BrokerError, BrokerRefused, MissingExtra, UsageError


def test_kafka_is_there_and_others_are_named():
    assert isinstance(side("kafka"), KafkaSide)
    with pytest.raises(UsageError, match=r"unknown protocol 'kafak'. Did you mean 'kafka'"):
        side("kafak")


def test_a_kind_of_broker_that_there_is_not():
    with pytest.raises(UsageError, match=r"kraft.*embedded, process"):
        ChaosBroker("kafka", "kraft").start()


def test_before_it_is_connected_it_says_so():
    with pytest.raises(BrokerError, match="no Kafka broker is connected yet"):
        KafkaSide().ends(["t"])


def test_without_the_codec_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "pytest_mqchaos.brokers.kafka_direct", None)
    with pytest.raises(MissingExtra, match=r'pip install "pytest-mqchaos\[kafka\]"'):
        KafkaSide().connect({1: ("127.0.0.1", 1)}, lambda: None)


def test_without_the_client_the_extra_is_named(chaos, monkeypatch):
    chaos.topic("t")
    monkeypatch.setitem(sys.modules, "aiokafka", None)
    with pytest.raises(MissingExtra, match=r"aiokafka.*which is not installed"):
        chaos.publish("t", ["a"])


@pytest.mark.parametrize("code", [UNKNOWN_MEMBER_ID, 15])
def test_a_member_that_is_gone_is_buried_already(monkeypatch, code):
    def refuse(*_):
        raise BrokerRefused("no", code)

    monkeypatch.setattr(Direct, "leave_group", refuse)
    kafka = KafkaSide()
    kafka.connect({1: ("127.0.0.1", 1)}, lambda: None)
    if code == UNKNOWN_MEMBER_ID:
        kafka.bury([("g", "m")])
    else:
        with pytest.raises(BrokerRefused):
            kafka.bury([("g", "m")])
    kafka.close()


def test_what_does_not_exist_has_no_ends_and_nothing_to_read(chaos):
    assert chaos.host.side.ends(["nothing"]) == {}
    assert chaos.host.side.read(["nothing"], {}) == []
    assert chaos.host.side.standings(["g"], ["nothing"]) == []


def test_topics_are_made_empty_and_can_be_removed(chaos):
    name = chaos.topic("t", partitions=2, retention_ms=1000)
    assert name == "t"
    chaos.publish("t", ["a"])
    chaos.topic("t", partitions=3)
    assert set(chaos.host.side.ends(["t"]).values()) == {(0, 0)}
    assert len(chaos.host.side.ends(["t"])) == 3
    chaos.host.side.remove(["t"])
    assert chaos.host.side.ends(["t"]) == {}


def test_messages_of_nobody_are_not_judged(host):
    with host.chaos(
        id=lambda record: record.value.decode() if record.key else None, own_assertions=True
    ) as chaos:
        chaos.topic("t")
        chaos.publish("t", [{"value": "mine", "key": "k"}, "not mine"])
        assert [row.id for row in chaos.history.stored] == ["mine"]


@pytest.mark.parametrize(
    ("acked", "committed", "gaps"),
    [(2, 2, 0), (1, 2, 1), (None, 2, 1), (None, 0, 0), (None, -1, 0)],
)
def test_a_position_that_moved_without_an_ack_on_a_link_is_a_gap(acked, committed, gaps):
    acks = (
        [] if acked is None else [SimpleNamespace(group="g", topic="t", partition=0, offset=acked)]
    )
    standing = Standing("g", "t", 0, committed, 0, 2, None)
    found = _bypassed(SimpleNamespace(acks=acks), [standing], {})
    assert [topic for topic, _ in found] == ["t"] * gaps
    assert all("check that the consumer uses chaos.bootstrap_servers" in text for _, text in found)


def test_where_a_group_stood_before_the_test_is_no_gap():
    standing = Standing("g", "t", 0, 5, 0, 7, None)
    nothing = SimpleNamespace(acks=[])
    assert _bypassed(nothing, [standing], {("g", "t", 0): 5}) == []
    assert len(_bypassed(nothing, [standing], {("g", "t", 0): 4})) == 1


def test_positions_of_every_group_can_be_asked(chaos):
    chaos.topic("t")
    assert chaos.host.side.positions() == {}
