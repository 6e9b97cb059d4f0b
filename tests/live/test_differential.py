"""The same conversations with the embedded cluster and with Apache Kafka: a small sample of what
`make differential` plays, and every script once more.
"""

import pytest

from differential import script
from differential.campaign import Figures, run
from differential.compare import first
from differential.families.table import FAMILIES, generated
from differential.players import SURELY
from differential.real import Kafka
from differential.verdict import REPEATS

pytestmark = pytest.mark.live


@pytest.fixture(scope="module")
def kafka(kafka_installed):
    with Kafka() as kafka:
        yield kafka


@pytest.fixture(scope="module")
def three(kafka_installed):
    with Kafka(nodes=3) as kafka:
        yield kafka


@pytest.mark.parametrize("family", FAMILIES)
def test_nothing_differs_that_is_not_listed(kafka, family):
    figures = Figures()
    found = run(kafka, generated(family, 10, chance=3), figures)
    assert [str(one.difference) for one in found] == []
    assert figures.failures == []
    assert figures.requests > 30


@pytest.mark.parametrize(
    "family", ["log", "idempotence", "offsets", "groups", "consumer-groups", "transactions"]
)
def test_nor_on_three_nodes(three, family):
    figures = Figures()
    found = run(three, generated(family, 5, chance=4, nodes=3), figures)
    assert [str(one.difference) for one in found] == []
    assert figures.failures == []


def test_kafka_still_says_what_the_scripts_say(kafka, three):
    for path in script.every():
        kept = script.load(path)
        broker = kafka if kept.conversation.nodes == 1 else three
        assert any(_says(broker, kept) for _ in range(REPEATS)), path.stem


def _says(kafka, kept):
    (prefix,) = kafka.prepare([kept.conversation])
    said = kafka.play(kept.conversation, prefix, kept.answers, SURELY)
    return first(kept.conversation, said, kept.answers) is None
