"""The same questions about replicas to three embedded brokers and to three of Apache Kafka."""

from __future__ import annotations

import pytest

from pytest_mqchaos.brokers.embedded import EmbeddedKafka
from pytest_mqchaos.brokers.kafka_process import KafkaProcess, lacking
from pytest_mqchaos.dataplane.controller import DataPlane
from tests.live.replicating import facts

pytestmark = pytest.mark.live


def test_three_embedded_brokers_answer_as_three_of_apache_kafka():
    if lacking() is not None:
        pytest.skip(str(lacking()))
    real = KafkaProcess(nodes=3)
    real.start()
    try:
        wanted = dict(facts(real))
    finally:
        real.stop()
    with DataPlane() as plane:
        embedded = EmbeddedKafka(plane=plane, nodes=3)
        embedded.start()
        told = dict(facts(embedded))
        assert plane.troubles == []
    assert told == wanted
