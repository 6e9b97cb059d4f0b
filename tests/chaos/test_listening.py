"""A consumer that joins no group and gets nothing is heard all the same."""

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition


async def watch(bootstrap_servers, topic):
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap_servers)
    await consumer.start()
    try:
        consumer.assign([TopicPartition(topic, 0)])
        async for _ in consumer:
            pass
    finally:
        await consumer.stop()


@pytest.mark.mqchaos(own_assertions=True)
def test_a_consumer_assigned_by_hand_needs_no_message_to_be_heard(kafka_chaos):
    chaos = kafka_chaos
    chaos.topic("quiet")
    with chaos.worker(watch, chaos.bootstrap_servers, "quiet"):
        settled = chaos.settle()
        assert settled.waiting == ()
        assert chaos.view.unheard() == []
