"""A broker that ended by itself fails the test at once, in its own words, whatever is mended."""

import pytest

from pytest_mqchaos.brokers.embedded import EmbeddedKafka
from pytest_mqchaos.errors import BrokerError


@pytest.fixture
def dies(chaos, monkeypatch):
    """Say that the broker has died (the embedded one cannot: it lives in the data plane). A class
    of its own, because what is asked of a class about a protocol is remembered."""
    told = [None]

    class Dying(EmbeddedKafka):
        __slots__ = ()

        def died(self):
            return told[0]

    def say(words):
        told[0] = words

    with monkeypatch.context() as patch:
        patch.setattr(chaos.host.broker, "__class__", Dying)
        yield say


@pytest.mark.parametrize(
    "act",
    [
        lambda chaos: chaos.settle(),
        lambda chaos: chaos.wait_for(lambda: False),
        lambda chaos: chaos.finish(body_failed=False),
    ],
    ids=["settle", "wait_for", "end"],
)
def test_whoever_waits_is_told(chaos, dies, act):
    chaos.topic("t")
    chaos.publish("t", ["a"])
    chaos.own_assertions = True
    dies("node 1 is gone: it ended with status -9")
    with pytest.raises(BrokerError, match="node 1 is gone"):
        act(chaos)


def test_a_broker_that_lives_is_no_matter(chaos, dies):
    chaos.topic("t")
    chaos.publish("t", ["a"])
    chaos.settle()
    chaos.assert_no_copies()
    chaos.finish(body_failed=False)
