"""Transactions: every answer of a conversation is the one that a real Kafka gave."""

from __future__ import annotations

import pytest

from tests.kafka_cluster.talking import Talker, cluster
from tests.kafka_cluster.transacting import begin
from tests.kafka_cluster.transaction_answers import ANSWERS
from tests.kafka_cluster.transaction_scripts import SCRIPTS


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.__name__)
def test_the_answers_are_those_of_a_real_kafka(script):
    brokers = cluster()
    told = list(script(begin(Talker(brokers), script.__name__)))
    assert told == ANSWERS[script.__name__]
    assert brokers.take_failures() == []


def test_every_script_has_its_answers():
    assert [script.__name__ for script in SCRIPTS] == list(ANSWERS)
