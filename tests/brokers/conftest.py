"""The embedded cluster, hosted by a real data plane, as these tests ask it questions."""

import pytest

from pytest_mqchaos.brokers.embedded import EmbeddedKafka
from pytest_mqchaos.brokers.kafka_direct import Direct
from pytest_mqchaos.dataplane.controller import DataPlane


@pytest.fixture(scope="session")
def plane():
    with DataPlane() as plane:
        yield plane
        assert plane.troubles == []


@pytest.fixture
def embedded(plane):
    broker = EmbeddedKafka(plane=plane)
    broker.start()
    yield broker
    broker.stop()


@pytest.fixture
def direct(embedded):
    with Direct(embedded.addresses()[1]) as direct:
        yield direct
