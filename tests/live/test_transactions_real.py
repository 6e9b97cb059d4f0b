"""The same conversations with a real Kafka: what it answers is what the embedded cluster has to."""

import pytest

from tests.kafka_cluster.dialing import Dialer
from tests.kafka_cluster.transacting import begin
from tests.kafka_cluster.transaction_answers import ANSWERS
from tests.kafka_cluster.transaction_scripts import SCRIPTS

pytestmark = pytest.mark.live


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.__name__)
def test_a_real_kafka_answers_so(kafka, script):
    with Dialer(tuple(kafka.addresses()[1])) as dialer:
        dialer.wait_for_coordinators()
        assert list(script(begin(dialer, script.__name__))) == ANSWERS[script.__name__]
