"""Direct gives the same answers on real Apache Kafka as on the embedded cluster."""

import contextlib

import pytest
from confluent_kafka import Consumer

from pytest_mqchaos.brokers.kafka_direct import Direct
from tests.brokers import questions

pytestmark = pytest.mark.live


@pytest.mark.parametrize("ask", questions.EVERYWHERE, ids=lambda ask: ask.__name__)
def test_it_answers(ask, direct, kafka):
    ask(direct, kafka.addresses()[1])


def test_aborted_records_are_left_out(direct, kafka):
    questions.aborted_records_are_left_out(direct, kafka.addresses()[1])


def test_an_open_transaction_is_named(kafka):
    with Direct(kafka.addresses()[1], timeout=1.0) as direct:
        questions.an_open_transaction_is_named(direct, kafka.addresses()[1])


@pytest.mark.parametrize("codec", ["gzip", "snappy", "lz4", "zstd"])
def test_compressed_records_are_read_back(direct, kafka, codec):
    topic = questions.fresh(codec)
    direct.create_topic(topic)
    values = [b"%d" % number * 50 for number in range(5)]
    messages = [(0, None, value, []) for value in values]
    questions.produce(kafka.addresses()[1], topic, messages, compression_type=codec)
    assert [record.value for record in direct.read(topic, 0, 0, 5)] == values


def test_a_group_of_the_consumer_protocol_is_seen_with_its_members(direct, kafka):
    """KIP-848, as librdkafka speaks it."""
    topic, group = questions.fresh("kip848"), questions.fresh("modern")
    direct.create_topic(topic)
    questions.produce(kafka.addresses()[1], topic, [(0, None, b"1", [])])
    consumer = Consumer(
        {"bootstrap.servers": str(kafka.addresses()[1]), "group.id": group, "client.id": "modern",
         "group.protocol": "consumer", "auto.offset.reset": "earliest",
         "enable.auto.commit": False}
    )  # fmt: skip
    with contextlib.closing(consumer):
        consumer.subscribe([topic])
        message = consumer.poll(20)
        assert message is not None
        assert message.value() == b"1"
        consumer.commit(asynchronous=False)
        (found,) = [each for each in direct.groups() if each.name == group]
        assert found.type == "consumer"
        assert [member.client for member in found.members] == ["modern"]
        assert direct.committed(group) == {group: {(topic, 0): 1}}


def test_deleted_records_move_the_start(direct, kafka):
    from confluent_kafka import TopicPartition
    from confluent_kafka.admin import AdminClient

    topic = questions.fresh("shortened")
    direct.create_topic(topic)
    questions.produce(kafka.addresses()[1], topic, [(0, None, b"%d" % n, []) for n in range(5)])
    admin = AdminClient({"bootstrap.servers": str(kafka.addresses()[1])})
    for future in admin.delete_records([TopicPartition(topic, 0, 3)]).values():
        future.result(20)
    assert direct.ends([topic]) == {(topic, 0): (3, 5)}
    assert [record.value for record in direct.read(topic, 0, 3, 5)] == [b"3", b"4"]
