"""One real Apache Kafka for all live tests of a run; what it lacks is the reason of the skip."""

import pytest

from pytest_mqchaos.brokers.kafka_direct import Direct
from pytest_mqchaos.brokers.kafka_process import KafkaProcess
from pytest_mqchaos.brokers.providers import lacking


@pytest.fixture(scope="session")
def kafka_installed():
    reason = lacking("kafka", "process")
    if reason is not None:
        pytest.skip(reason)  # in CI tests/conftest.py makes a failure of it


@pytest.fixture(scope="session")
def running_kafka(kafka_installed):
    broker = KafkaProcess()
    broker.start()
    yield broker
    broker.stop()


@pytest.fixture
def kafka(running_kafka):
    """The real Kafka, mended after the test whatever the test did to it."""
    yield running_kafka
    running_kafka.heal()


@pytest.fixture
def direct(kafka):
    with Direct(kafka.addresses()[1], timeout=20) as direct:
        yield direct
